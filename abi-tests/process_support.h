/* What the kernel says of a process under /proc: what it uses, and whether it waits. */
#ifndef TERN_ABI_TESTS_PROCESS_SUPPORT_H
#define TERN_ABI_TESTS_PROCESS_SUPPORT_H

#include "support.h"

#include <dirent.h>
#include <sys/types.h>

static inline long resident_bytes_of (pid_t process)
{
    char path[64];
    long pages = 0;
    snprintf (path, sizeof path, "/proc/%ld/statm", (long) process);
    FILE *file = fopen (path, "r");
    if (file) {
        if (fscanf (file, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose (file);
    }
    return pages * sysconf (_SC_PAGESIZE);
}

static inline int descriptors_of (pid_t process)
{
    char path[64];
    int n = -3; /* two dots, and the descriptor of the list itself where it is our own */
    snprintf (path, sizeof path, "/proc/%ld/fd", (long) process);
    DIR *directory = opendir (path);
    if (!directory)
        return -1;
    while (readdir (directory))
        ++n;
    closedir (directory);
    return n;
}

/* Of a thread, by its file stat: R runs, S waits, T is stopped, and so on (proc(5)); 0 where there is none. */
static inline char state_in (const char *path)
{
    char line[512], *state = NULL;
    FILE *file = fopen (path, "r");
    if (file) {
        if (fgets (line, sizeof line, file))
            state = strrchr (line, ')');
        fclose (file);
    }
    return state ? state[2] : 0;
}

static inline char state_of (pid_t process)
{
    char path[64];
    snprintf (path, sizeof path, "/proc/%ld/stat", (long) process);
    return state_in (path);
}

/* ---- In a test: what can not be found out is a failure ---- */

static inline long own_resident_bytes (void)
{
    const long bytes = resident_bytes_of (getpid ());
    assert_true (bytes > 0);
    return bytes;
}

static inline int own_descriptors (void)
{
    const int count = descriptors_of (getpid ());
    assert_true (count >= 0);
    return count;
}

#endif
