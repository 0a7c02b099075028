/* What tests of the draft interface share: the reference package exports none of it and skips them. */
#ifndef TERN_ABI_TESTS_DRAFT_API_H
#define TERN_ABI_TESTS_DRAFT_API_H

#define ZMQ_BUILD_DRAFT_API
#include "support.h"

#include <dlfcn.h>

/* First in every test. */
#define NEED_DRAFT()                                                                               \
    do {                                                                                           \
        if (!dlsym(RTLD_DEFAULT, "zmq_poller_new")) {                                              \
            printf("[  OURS    ] not run on libzmq: no draft interface\n");                        \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

/* Looked up when they are called, so that the program also starts on a library without them. */
#define DRAFT(name) ((__typeof__(&name))dlsym(RTLD_DEFAULT, #name))

#endif
