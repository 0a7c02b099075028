// curve_keygen: prints a new pair of CURVE keys in Z85, for configuration files and options.
// Usage: curve_keygen
#include <stdio.h>
#include <zmq.h>

int main(int count, char **arguments) {
    (void)arguments;
    if (count > 1) {
        fputs("Usage: curve_keygen\n"
              "Prints a new CURVE key pair, 40 characters of Z85 each.\n",
              stderr);
        return 2;
    }
    char public_key[41], secret_key[41];
    if (zmq_curve_keypair(public_key, secret_key) != 0) {
        fprintf(stderr, "curve_keygen: no key pair: %s\n", zmq_strerror(zmq_errno()));
        return 1;
    }
    printf("Give the public key to those who are to recognise the owner of the secret key.\n"
           "Nobody else may see the secret key.\n\n"
           "== CURVE PUBLIC KEY ==\n%s\n\n== CURVE SECRET KEY ==\n%s\n",
           public_key, secret_key);
    return fflush(stdout) == 0 ? 0 : 1;
}
