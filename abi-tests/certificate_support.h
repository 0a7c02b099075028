/* Certificates for the tests of wss, made by openssl(1) for the run. */
#ifndef TERN_ABI_TESTS_CERTIFICATE_SUPPORT_H
#define TERN_ABI_TESTS_CERTIFICATE_SUPPORT_H

#include "support.h"

#include <sys/stat.h>

enum { PEM_MAX = 8192 };

static inline bool read_pem (const char *directory, const char *name, char *out)
{
    char path[256];
    snprintf (path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen (path, "r");
    const size_t n = f ? fread (out, 1, PEM_MAX - 1, f) : 0;
    out[n] = 0;
    if (f)
        fclose (f);
    unlink (path);
    return n > 0;
}

/* A certificate of its own authority for tern.test and 127.0.0.1; both texts have PEM_MAX bytes. */
static inline bool make_certificate (char *key_pem, char *certificate_pem)
{
    char directory[] = "/tmp/tern-wss-XXXXXX", command[1024];
    if (!mkdtemp (directory))
        return false;
    snprintf (command, sizeof command,
              "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 "
              "-subj /CN=tern.test -addext subjectAltName=DNS:tern.test,IP:127.0.0.1 "
              "-keyout %s/key.pem -out %s/certificate.pem >/dev/null 2>&1",
              directory, directory);
    const bool made = system (command) == 0 && read_pem (directory, "key.pem", key_pem)
                      && read_pem (directory, "certificate.pem", certificate_pem);
    rmdir (directory);
    return made;
}

#endif
