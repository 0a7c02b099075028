// Entry: what libFuzzer, or the runner, calls; and the count behind LargestAllocation.
#include "support/fuzz.hpp"

#if defined(__has_feature)
#define FUZZ_HAS_FEATURE(name) __has_feature(name)
#else
#define FUZZ_HAS_FEATURE(name) 0
#endif

namespace {
size_t largest_allocation = 0;
[[maybe_unused]] void note_allocation(size_t size) {
    if (size > largest_allocation) largest_allocation = size;
}
} // namespace

#if defined(__SANITIZE_ADDRESS__) || FUZZ_HAS_FEATURE(address_sanitizer)
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *,
                                                                             size_t),
                                                         void (*free_hook)(const volatile void *));
namespace {
const int hooks_installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void *, size_t size) { note_allocation(size); },
    [](const volatile void *) {});
} // namespace
#elif defined(__GLIBC__)
extern "C" void *__libc_malloc(size_t size);
extern "C" void *malloc(size_t size) noexcept {
    note_allocation(size);
    return __libc_malloc(size);
}
#endif

namespace tern::fuzz {

LargestAllocation::LargestAllocation() { largest_allocation = 0; }
size_t LargestAllocation::bytes() const { return largest_allocation; }

} // namespace tern::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tern::fuzz::run(tern::fuzz::Input(tern::Bytes(data, size)));
    return 0;
}
