// Certificates of the secure examples: who somebody is, as two small files of one Z85 key each.
//   NAME.public   anybody may see it
//   NAME.secret   for its owner alone
#ifndef EXAMPLES_CERTIFICATES_H
#define EXAMPLES_CERTIFICATES_H

#include "helpers.h"

#include <fcntl.h>
#include <sys/stat.h>

typedef char curve_key[41]; // 40 characters and the terminator

static inline void fail_with_path(const char *what, const char *path) {
    fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

static inline void write_key(const char *folder, const char *name, const char *kind,
                             const curve_key key, mode_t mode) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, mode); // never over an older one
    if (file < 0 || dprintf(file, "%s\n", key) != 41 || close(file) != 0)
        fail_with_path("can not write", path);
}

// Exactly one key, and nothing else, on one line.
static inline void read_key(const char *folder, const char *name, const char *kind, curve_key key) {
    char path[1024], line[64] = "";
    unsigned char bytes[32];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) fail_with_path("can not read", path);
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    errno = EINVAL;
    if (strlen(line) != 40 || zmq_z85_decode(bytes, line) == NULL) fail_with_path("no key in", path);
    memcpy(key, line, sizeof(curve_key));
}

static inline void set_key(void *socket, int option, const curve_key key) {
    check(zmq_setsockopt(socket, option, key, strlen(key)) == 0, "a CURVE key");
}

#endif
