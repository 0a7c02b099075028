/* The layer between the library and the system, made to fail. The functions that libzmq.so.5 takes from libc and
 * libstdc++ are replaced in its own table of imports, so that the test program's calls stay whole and any build of any
 * libzmq can be put to the test.
 *
 * A call site is the function and the innermost addresses of the library on the stack. A fault is a site, the number of the call
 * there, and what goes wrong.
 *
 * Threads: install, before there are others; the rest from the program's main thread.
 * Owner:   what is counted lies in memory that parent and child share. */
#ifndef TERN_FAULTS_INJECTOR_H
#define TERN_FAULTS_INJECTOR_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SITES_MAX = 4096, FRAMES_MAX = 5, KINDS_MAX = 12 };

/* What goes wrong, where it is no errno (or EAI_...). */
enum {
    FAULT_SHORT = 10000, /* one byte is written, read or drawn */
    FAULT_END,           /* the peer has closed */
    FAULT_CLOCK_FORWARD, /* an hour, from this call on */
    FAULT_CLOCK_BACK     /* 20 ms */
};

struct site
{
    uint32_t function; /* index of fault_function_name */
    uint32_t hash;
    uint32_t calls; /* while armed */
    uint32_t frames[FRAMES_MAX]; /* offsets in the library; 0: none */
};

struct fault
{
    uint32_t function, hash;
    uint32_t nth;   /* from 1; 0: by rate, at every site */
    uint32_t times; /* so many calls in a row */
    int kind;
    uint32_t seed, per_mille; /* by rate */
};

/* What is wrong with the library, as a test of the test. */
enum plant { PLANT_NONE, PLANT_ABORT, PLANT_LEAK_FD, PLANT_HANG, PLANT_LOSE, PLANT_CRASH, PLANT_LEAK_MEMORY };

struct injector_state
{
    uint32_t sites;
    struct site site[SITES_MAX];
    struct fault fault;
    enum plant plant;
    uint32_t fired; /* how often the fault happened */
    int32_t blocks; /* of memory that the library holds, but for what others free */
};

/* False when no libzmq is loaded, or nothing of it could be replaced. */
bool injector_install (struct injector_state *shared);
/* From now on calls count, and the fault of the state happens. */
void injector_arm (void);
void injector_disarm (void);

const char *fault_function_name (uint32_t function);
/* Kinds for that function, ended by 0. */
const int *fault_kinds (uint32_t function);
const char *fault_kind_name (uint32_t function, int kind);

#ifdef __cplusplus
}
#endif

#endif
