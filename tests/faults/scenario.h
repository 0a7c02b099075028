/* What the scenarios share. A fault passes: whatever failed is tried again, and must then work. Each scenario knows what
 * was accepted, and says what is missing.
 *
 * Owner: the outcome lies in memory that the runner reads when the scenario's process has ended, however it did. */
#ifndef TERN_FAULTS_SCENARIO_H
#define TERN_FAULTS_SCENARIO_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

struct outcome
{
    atomic_int errors;  /* calls that said an errno, and were made again */
    atomic_int events;  /* of a monitor, that speak of a fault */
    atomic_int dropped; /* connections, of those events */
    atomic_int repeated; /* messages that had to be sent again, as the pattern has it */
    int last_errno;
    char last_call[64];
    char violation[200]; /* empty: none */
    char at[64];
    bool done;
    bool unsupported; /* the library lacks what the scenario needs */
};
extern struct outcome *outcome;

/* A fault may have lost what the kernel held for a connection that it ended. */
extern bool may_lose;

struct scenario
{
    const char *name;
    void (*run) (void);
    /* By the fault's nature, and by the monitor's word: see runner.c. */
    bool over_network;
};
extern const struct scenario scenarios[]; /* ended by a null name */

void note_failure (const char *call);
void violate (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* Until it works. */
#define TRY(call)                                                                                                      \
    ({                                                                                                                 \
        int rc_;                                                                                                       \
        while ((rc_ = (int) (call)) == -1)                                                                             \
            note_failure (#call);                                                                                      \
        rc_;                                                                                                           \
    })
#define TRY_PTR(call)                                                                                                  \
    ({                                                                                                                 \
        void *p_;                                                                                                      \
        while (!(p_ = (call)))                                                                                         \
            note_failure (#call);                                                                                      \
        p_;                                                                                                            \
    })

#endif
