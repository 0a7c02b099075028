/* A program that loads the library late, uses it from a thread, and unloads it while that thread lives on: what the thread
 * has kept must not be given back by code that is no more there.
 *   unload LIBRARY */
#include <zmq.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { TIMES = 50, ITEMS = 20 }; /* as many items as make zmq_poll keep them */

static void *library;
static pthread_barrier_t meets;
static int failures;

#define OF(function) ((__typeof__ (&function)) dlsym (library, #function))
#define NEED(condition) ((condition) ? (void) 0 : (void) (++failures, fprintf (stderr, "line %d: %s\n", __LINE__, #condition)))

static void *use (void *unused)
{
    (void) unused;
    void *context = OF (zmq_ctx_new) ();
    void *sockets[ITEMS];
    zmq_pollitem_t items[ITEMS];
    char endpoint[256];
    size_t size = sizeof endpoint;
    zmq_msg_t message;
    for (int i = 0; i < ITEMS; ++i) {
        sockets[i] = OF (zmq_socket) (context, ZMQ_PAIR);
        items[i] = (zmq_pollitem_t){sockets[i], 0, ZMQ_POLLIN, 0};
    }
    NEED (OF (zmq_bind) (sockets[0], "tcp://127.0.0.1:*") == 0);
    NEED (OF (zmq_getsockopt) (sockets[0], ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    NEED (OF (zmq_connect) (sockets[1], endpoint) == 0);
    NEED (OF (zmq_msg_init_size) (&message, 200) == 0);
    memset (OF (zmq_msg_data) (&message), 1, 200);
    NEED (OF (zmq_msg_send) (&message, sockets[1], 0) == 200);
    NEED (OF (zmq_poll) (items, ITEMS, 10000) == 1);
    NEED (OF (zmq_msg_init) (&message) == 0);
    NEED (OF (zmq_msg_recv) (&message, sockets[0], 0) == 200);
    NEED (OF (zmq_msg_close) (&message) == 0);
    for (int i = 0; i < ITEMS; ++i)
        NEED (OF (zmq_close) (sockets[i]) == 0);
    NEED (OF (zmq_ctx_term) (context) == 0);
    pthread_barrier_wait (&meets);
    pthread_barrier_wait (&meets);
    return NULL;
}

int main (int count, char **arguments)
{
    if (count != 2)
        return 2;
    pthread_barrier_init (&meets, NULL, 2);
    for (int i = 0; i < TIMES; ++i) {
        pthread_t thread;
        zmq_msg_t message;
        library = dlopen (arguments[1], RTLD_NOW);
        if (!library) {
            fprintf (stderr, "%s\n", dlerror ());
            return 2;
        }
        if (pthread_create (&thread, NULL, use, NULL) != 0)
            return 2;
        pthread_barrier_wait (&meets);
        if (i % 2) { /* by the thread that unloads, too */
            NEED (OF (zmq_msg_init_size) (&message, 300) == 0);
            NEED (OF (zmq_msg_close) (&message) == 0);
        }
        dlclose (library);
        NEED (!dlopen (arguments[1], RTLD_NOW | RTLD_NOLOAD));
        pthread_barrier_wait (&meets);
        pthread_join (thread, NULL);
    }
    return failures ? 1 : 0;
}
