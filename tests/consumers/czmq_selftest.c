/* SPDX-License-Identifier: Apache-2.0 */
/* Calls one of the self tests that CZMQ exports, in the current folder: czmq_selftest zsock_test
 * Without an argument it only says whether libczmq is there (0, or 77). */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

int main (int argc, char **argv)
{
    void *library = dlopen ("libczmq.so.4", RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
        printf ("%s\n", dlerror ());
        return 77;
    }
    if (argc < 2)
        return 0;
    void (*test) (bool) = (void (*) (bool)) dlsym (library, argv[1]);
    if (!test) {
        printf ("%s\n", dlerror ());
        return 77;
    }
    test (false);
    return 0;
}
