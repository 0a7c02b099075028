/* The layouts of abi.md as static assertions, in what C99 and C++11 have in common. IS and the
 * header under test come from the file that includes this one. */
#include <stddef.h>

#define WORDS(on_64_bits, on_32_bits) (sizeof (void *) == 8 ? (on_64_bits) : (on_32_bits))

#define LAYOUT(type, size, alignment)                                                              \
    struct align_of_##type                                                                         \
    {                                                                                              \
        char first;                                                                                \
        type it;                                                                                   \
    };                                                                                             \
    IS (size_of_##type, sizeof (type) == (size));                                                  \
    IS (alignment_of_##type, offsetof (struct align_of_##type, it) == (alignment))

#define FIELD(type, field, at, of_type)                                                            \
    IS (offset_of_##type##_##field, offsetof (type, field) == (at));                               \
    IS (size_of_##type##_##field, sizeof (((type *) 0)->field) == sizeof (of_type))

LAYOUT (zmq_msg_t, 64, sizeof (void *));
FIELD (zmq_msg_t, _, 0, unsigned char[64]);

LAYOUT (zmq_fd_t, 4, 4);

LAYOUT (zmq_pollitem_t, WORDS (16, 12), sizeof (void *));
FIELD (zmq_pollitem_t, socket, 0, void *);
FIELD (zmq_pollitem_t, fd, WORDS (8, 4), zmq_fd_t);
FIELD (zmq_pollitem_t, events, WORDS (12, 8), short);
FIELD (zmq_pollitem_t, revents, WORDS (14, 10), short);

#ifdef ZMQ_BUILD_DRAFT_API
LAYOUT (zmq_poller_event_t, WORDS (32, 16), sizeof (void *));
FIELD (zmq_poller_event_t, socket, 0, void *);
FIELD (zmq_poller_event_t, fd, WORDS (8, 4), zmq_fd_t);
FIELD (zmq_poller_event_t, user_data, WORDS (16, 8), void *);
FIELD (zmq_poller_event_t, events, WORDS (24, 12), short);
#endif

/* Values of these types can be made as a program makes them. */
typedef struct
{
    zmq_free_fn *free_function;
    zmq_timer_fn *timer_function;
    zmq_thread_fn *thread_function;
    zmq_msg_t message;
    zmq_pollitem_t item;
} what_a_program_holds;
