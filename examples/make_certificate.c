// Makes a certificate: a CURVE key pair in two files, NAME.public and NAME.secret.
// Run: make_certificate FOLDER NAME
#include "certificates.h"

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "Run: make_certificate FOLDER NAME\n");
        return 2;
    }
    curve_key public_key, secret_key;
    check(zmq_curve_keypair(public_key, secret_key) == 0, "zmq_curve_keypair");
    write_key(argv[1], argv[2], "secret", secret_key, 0600);
    write_key(argv[1], argv[2], "public", public_key, 0644);
    printf("certificate of %s\n", argv[2]);
    return 0;
}
