// What the language has no word for, and compilers have.
#ifndef TERN_BASE_COMPILER_HPP
#define TERN_BASE_COMPILER_HPP

// For thread-local variables without constructor: they lie in the block that every thread begins with,
// so that no call is needed to find them. That block has little room for libraries that are loaded
// late: a word each for what needs one, no more.
#if defined(__GNUC__)
#define TERN_NEAR_THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#else
#define TERN_NEAR_THREAD_LOCAL thread_local
#endif

// A function that is rarely called: it stays out of its callers, and so does what a call costs them.
#if defined(__GNUC__)
#define TERN_COLD __attribute__((cold, noinline))
#else
#define TERN_COLD
#endif

#endif
