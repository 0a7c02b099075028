// One side of an interoperability test: a program that knows nothing but <zmq.h>, so that the
// dynamic loader decides which library it talks through. `run` starts two of them, one per library.
//
//   peer exchange type=PUSH peer=PULL (bind=ENDPOINT | connect=?) count=N out=SEED in=SEED ...
//                 [mechanism=PLAIN|CURVE|GSSAPI role=server|client]
//                 [stays=1]   PUSH goes only when PULL has told that it has all
//                 GSSAPI: [principal=NAME] [service=NAME] [plaintext=1] [known=PRINCIPAL]
//   peer watch type=PUSH|PULL (bind=ENDPOINT | connect=?) [mechanism=...] [zap=STATUS] ...
//   peer unhurried mechanism=GSSAPI role=client ...     beside it, two sockets exchange messages
//   peer churn-listen|churn-connect type=ROUTER|PULL|DEALER|PUSH ...
//   peer rebind-listen|rebind-connect ...
//
// Talk with the driver, one line each. Out: "ready ENDPOINT VERSION", "tell TEXT" (handed to the
// other peer), "half", "done NUMBERS", "event NUMBER VALUE", "asked FRAME ...", "got TEXT USER-ID".
// In: "go ENDPOINT", TEXT of a tell, "quit".
// Every byte that travels is computed from (seed, message number, frame number), so the receiver
// knows exactly what must come next: a lost, repeated, reordered or damaged message ends the test.

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

enum {
    step_timeout_ms = 30000, // longest wait inside one library call
    quiet_ms = 20,           // how long a finished receiver listens for something too much
    frames_max = 8
};

// ---- what every mode needs ---------------------------------------------------------------------

static char **arguments; // "key=value" strings, NULL at the end
static uint64_t sent_messages, received_messages;
static const char *stage = "start";

static const char *text_argument(const char *key, const char *otherwise) {
    size_t length = strlen(key);
    for (char **argument = arguments; *argument; ++argument)
        if (strncmp(*argument, key, length) == 0 && (*argument)[length] == '=')
            return *argument + length + 1;
    return otherwise;
}

static uint64_t number_argument(const char *key, uint64_t otherwise) {
    const char *text = text_argument(key, NULL);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

// The process ends here and now: a broken exchange must not be allowed to wait for lingering.
static _Noreturn void fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "FAIL (%s, %llu sent, %llu received): ", stage,
            (unsigned long long)sent_messages, (unsigned long long)received_messages);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    _exit(1);
}

static _Noreturn void fail_call(const char *call) {
    fail("%s: %s (%d)", call, zmq_strerror(zmq_errno()), zmq_errno());
}

static void require(int result, const char *call) {
    if (result < 0) fail_call(call);
}

// Out of time, or the driver asks where this side stood when the other one failed.
static void on_alarm(int signal_number) {
    (void)signal_number;
    dprintf(2, "stopped (%s, %llu sent, %llu received)\n", stage, (unsigned long long)sent_messages,
            (unsigned long long)received_messages);
    _exit(3);
}

static void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    flockfile(stdout); // a ZAP handler may talk too
    vprintf(format, list);
    putchar('\n');
    fflush(stdout);
    funlockfile(stdout);
    va_end(list);
}

static void nap(int milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

// Reads one line from the driver without stdio, so that poll() on descriptor 0 tells the truth.
static const char *hear(void) {
    static char line[512];
    size_t length = 0;
    for (;;) {
        char byte;
        ssize_t got = read(0, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("the driver hung up");
        if (byte == '\n') break;
        if (length + 1 < sizeof line) line[length++] = byte;
    }
    line[length] = 0;
    return line;
}

static void hear_exactly(const char *expected) {
    const char *line = hear();
    if (strcmp(line, expected) != 0) fail("the driver said \"%s\", not \"%s\"", line, expected);
}

static void announce(const char *endpoint) {
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    say("ready %s %d.%d.%d", endpoint, major, minor, patch);
}

// Waits for "go ENDPOINT"; the endpoint is where a connecting side goes.
static const char *await_go(void) {
    const char *line = hear();
    if (strncmp(line, "go ", 3) != 0) fail("the driver said \"%s\", not go", line);
    return line + 3;
}

static int socket_type(const char *name) {
    static const struct {
        const char *name;
        int type;
    } types[] = {{"PAIR", ZMQ_PAIR},     {"PUB", ZMQ_PUB},   {"SUB", ZMQ_SUB},
                 {"REQ", ZMQ_REQ},       {"REP", ZMQ_REP},   {"DEALER", ZMQ_DEALER},
                 {"ROUTER", ZMQ_ROUTER}, {"PULL", ZMQ_PULL}, {"PUSH", ZMQ_PUSH},
                 {"XPUB", ZMQ_XPUB},     {"XSUB", ZMQ_XSUB}};
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i)
        if (strcmp(name, types[i].name) == 0) return types[i].type;
    fail("no socket type \"%s\"", name);
}

static void set_number(void *socket, int option, int value) {
    require(zmq_setsockopt(socket, option, &value, sizeof value), "zmq_setsockopt");
}

static void set_bytes(void *socket, int option, const char *bytes) {
    require(zmq_setsockopt(socket, option, bytes, strlen(bytes)), "zmq_setsockopt");
}

static void *open_socket(void *context, int type) {
    void *socket = zmq_socket(context, type);
    if (!socket) fail_call("zmq_socket");
    set_number(socket, ZMQ_LINGER, -1);
    set_number(socket, ZMQ_SNDTIMEO, step_timeout_ms);
    set_number(socket, ZMQ_RCVTIMEO, step_timeout_ms);
    return socket;
}

static void close_socket(void *socket) { require(zmq_close(socket), "zmq_close"); }

static void end_context(void *context) { require(zmq_ctx_term(context), "zmq_ctx_term"); }

static const char *bind_and_ask(void *socket, const char *endpoint) {
    static char where[256];
    size_t size = sizeof where;
    require(zmq_bind(socket, endpoint), "zmq_bind");
    require(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, where, &size), "ZMQ_LAST_ENDPOINT");
    return where;
}

// ---- security: mechanism=PLAIN|CURVE|GSSAPI role=server|client ------------------------------------

static const char *const plain_user = "interop", *const plain_password = "not a secret";

// The same pair on both sides, from the same 32 bytes.
struct keys {
    char public_text[41], secret_text[41];
    unsigned char public_bytes[32];
};

static struct keys keys_of(unsigned char seed) {
    struct keys keys;
    unsigned char secret[32];
    for (unsigned i = 0; i < sizeof secret; ++i) secret[i] = (unsigned char)(seed + 7 * i);
    if (!zmq_z85_encode(keys.secret_text, secret, sizeof secret)) fail_call("zmq_z85_encode");
    require(zmq_curve_public(keys.public_text, keys.secret_text), "zmq_curve_public");
    if (!zmq_z85_decode(keys.public_bytes, keys.public_text)) fail_call("zmq_z85_decode");
    return keys;
}

static bool is_known(unsigned char frames[][256], const int *sizes, int count) {
    if (count == 8 && sizes[5] == 5 && memcmp(frames[5], "PLAIN", 5) == 0)
        return sizes[6] == (int)strlen(plain_user) && sizes[7] == (int)strlen(plain_password) &&
               memcmp(frames[6], plain_user, strlen(plain_user)) == 0 &&
               memcmp(frames[7], plain_password, strlen(plain_password)) == 0;
    const char *known = text_argument("known", NULL); // a principal
    if (known)
        return count == 7 && sizes[5] == 6 && memcmp(frames[5], "GSSAPI", 6) == 0 &&
               sizes[6] == (int)strlen(known) && memcmp(frames[6], known, strlen(known)) == 0;
    struct keys client = keys_of(200);
    return count == 7 && sizes[5] == 5 && memcmp(frames[5], "CURVE", 5) == 0 && sizes[6] == 32 &&
           memcmp(frames[6], client.public_bytes, 32) == 0;
}

static void say_request(unsigned char frames[][256], const int *sizes, int count) {
    char text[1024] = "asked";
    size_t length = strlen(text);
    for (int i = 0; i < count && length + 258 < sizeof text; ++i)
        length += (size_t)snprintf(text + length, sizeof text - length, " %.*s", sizes[i],
                                   (const char *)frames[i]);
    say("%s", text);
}

// The ZAP handler: lets in who is known, until the context ends. Or gives the status it was told to.
static void *judge(void *handler) {
    for (;;) {
        unsigned char frames[10][256];
        int sizes[10], count = 0, more = 1;
        while (more && count < 10) {
            size_t size = sizeof more;
            sizes[count] = zmq_recv(handler, frames[count], sizeof frames[count], 0);
            if (sizes[count++] < 0) {
                if (errno != ETERM) fail_call("zmq_recv of a ZAP request");
                close_socket(handler);
                return NULL;
            }
            require(zmq_getsockopt(handler, ZMQ_RCVMORE, &more, &size), "ZMQ_RCVMORE");
        }
        const char *status = text_argument("zap", NULL);
        if (!status)
            status = is_known(frames, sizes, count) ? "200" : "400";
        else
            say_request(frames, sizes, count);
        const char *const reply[] = {"1.0", "1", status, "", "someone", ""};
        for (int i = 0; i < 6; ++i)
            require(zmq_send(handler, reply[i], strlen(reply[i]), i < 5 ? ZMQ_SNDMORE : 0),
                    "zmq_send of a ZAP reply");
    }
}

static void start_handler(void *context) {
    void *handler = zmq_socket(context, ZMQ_REP);
    if (!handler) fail_call("zmq_socket");
    set_number(handler, ZMQ_LINGER, 0);
    require(zmq_bind(handler, "inproc://zeromq.zap.01"), "zmq_bind of the ZAP handler");
    pthread_t thread;
    if (pthread_create(&thread, NULL, judge, handler) != 0) fail("no thread for the ZAP handler");
    pthread_detach(thread);
}

// Without `known` and `zap` nobody is asked.
static void secure_with_gssapi(void *context, void *socket) {
    const char *principal = text_argument("principal", NULL);
    bool is_server = strcmp(text_argument("role", ""), "server") == 0;
    if (is_server)
        set_number(socket, ZMQ_GSSAPI_SERVER, 1);
    else
        set_bytes(socket, ZMQ_GSSAPI_SERVICE_PRINCIPAL, text_argument("service", ""));
    set_number(socket, ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE,
               (int)number_argument("service-type", ZMQ_GSSAPI_NT_KRB5_PRINCIPAL));
    if (principal) set_bytes(socket, ZMQ_GSSAPI_PRINCIPAL, principal);
    set_number(socket, ZMQ_GSSAPI_PRINCIPAL_NAMETYPE,
               (int)number_argument("principal-type", ZMQ_GSSAPI_NT_KRB5_PRINCIPAL));
    set_number(socket, ZMQ_GSSAPI_PLAINTEXT, (int)number_argument("plaintext", 0));
    if (is_server && (text_argument("known", NULL) || text_argument("zap", NULL)))
        start_handler(context);
}

static void secure(void *context, void *socket) {
    const char *mechanism = text_argument("mechanism", NULL);
    if (!mechanism) return;
    if (strcmp(mechanism, "GSSAPI") == 0) {
        secure_with_gssapi(context, socket);
        return;
    }
    bool is_curve = strcmp(mechanism, "CURVE") == 0;
    struct keys server = keys_of(100), client = keys_of(200);
    if (strcmp(text_argument("role", ""), "server") != 0) {
        if (is_curve) {
            set_bytes(socket, ZMQ_CURVE_SERVERKEY, server.public_text);
            set_bytes(socket, ZMQ_CURVE_PUBLICKEY, client.public_text);
            set_bytes(socket, ZMQ_CURVE_SECRETKEY, client.secret_text);
        } else {
            set_bytes(socket, ZMQ_PLAIN_USERNAME, plain_user);
            set_bytes(socket, ZMQ_PLAIN_PASSWORD, plain_password);
        }
        return;
    }
    start_handler(context);
    set_number(socket, is_curve ? ZMQ_CURVE_SERVER : ZMQ_PLAIN_SERVER, 1);
    if (is_curve) set_bytes(socket, ZMQ_CURVE_SECRETKEY, server.secret_text);
    set_bytes(socket, ZMQ_ZAP_DOMAIN, "interop");
}

// ---- the bytes of a frame ----------------------------------------------------------------------

static uint64_t stir(uint64_t value) {
    value = (value ^ (value >> 31)) * 0x94d049bb133111ebu;
    value = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9u;
    return value ^ (value >> 32);
}

static uint64_t frame_key(uint64_t seed, uint64_t message, uint64_t frame) {
    return stir(stir(stir(seed + 1) + message) + frame);
}

static uint64_t word_at(uint64_t key, size_t index) {
    uint64_t value = key + index * 0x9e3779b97f4a7c15u;
    return value ^ (value >> 29);
}

// The top bit of the first byte is always set: XSUB takes a frame that begins with 0 or 1 for a
// subscription.
static void fill(unsigned char *data, size_t size, uint64_t key) {
    size_t words = size / 8;
    for (size_t i = 0; i < words; ++i) {
        uint64_t word = word_at(key, i);
        memcpy(data + i * 8, &word, 8);
    }
    uint64_t last = word_at(key, words);
    memcpy(data + words * 8, &last, size % 8);
    if (size) data[0] |= 0x80;
}

static bool filled(const unsigned char *data, size_t size, uint64_t key) {
    if (size == 0) return true;
    unsigned char head[8];
    size_t head_size = size < 8 ? size : 8;
    fill(head, head_size, key);
    if (memcmp(data, head, head_size) != 0) return false;
    size_t words = size / 8;
    uint64_t difference = 0;
    for (size_t i = 1; i < words; ++i) {
        uint64_t word;
        memcpy(&word, data + i * 8, 8);
        difference |= word ^ word_at(key, i);
    }
    uint64_t last = word_at(key, words);
    return difference == 0 && (words == 0 || memcmp(data + words * 8, &last, size % 8) == 0);
}

// ---- exchange: one pattern pair, in one direction or in both ------------------------------------

// Every second message begins with a header that names it, so that a failure can say what came
// instead; the others are nothing but payload, down to one single empty frame.
struct header {
    unsigned char magic[8];
    uint64_t seed, message;
};
static const unsigned char header_magic[8] = {0xab, 'i', 'n', 't', 'e', 'r', 'o', 'p'};

struct plan {
    bool header;
    unsigned frames;
    size_t size[frames_max];
};

struct direction {
    uint64_t seed, next, count, big_at;
    size_t big;
    bool topics; // frame 0 is the topic; of every four messages one goes to nobody
};

struct side {
    void *socket;
    int type, peer;
    const char *them; // the other's routing id, for ROUTER
    struct direction out, in;
};

static char long_topic[256];            // length is chosen by the driver
static atomic_ulong handed_over, freed; // buffers given to zmq_msg_init_data

static struct plan plan_of(const struct direction *way, uint64_t message) {
    static const size_t sizes[] = {0, 1, 255, 256, 8192, 65536};
    struct plan plan = {0};
    if (way->big && message == way->big_at) {
        plan.header = true;
        plan.frames = 3;
        plan.size[1] = way->big;
        plan.size[2] = 1;
    } else if (message % 2 == 0) {
        plan.header = true;
        plan.frames = 1 + (unsigned)(message / 2 % 5);
        for (unsigned i = 1; i < plan.frames; ++i)
            plan.size[i] = sizes[frame_key(way->seed, message, i) % 6];
    } else {
        plan.frames = 1 + (unsigned)(message / 2 % 3);
        for (unsigned i = 0; i < plan.frames; ++i) plan.size[i] = sizes[(message / 6 + i) % 6];
    }
    if (plan.header) plan.size[0] = sizeof(struct header);
    return plan;
}

static const char *topic_of(uint64_t message) {
    switch (message % 4) {
    case 0:
        return "A";
    case 1:
        return long_topic;
    case 2:
        return "Zunwanted";
    default:
        return "A1 longer than what was subscribed to";
    }
}

static bool arrives(const struct direction *way, uint64_t message) {
    return !way->topics || message % 4 != 2;
}

static void count_free(void *data, void *hint) {
    (void)hint;
    free(data);
    atomic_fetch_add(&freed, 1);
}

static bool envelope_empty(const struct side *side) { // the delimiter of REQ and REP
    return (side->type == ZMQ_DEALER && side->peer == ZMQ_REP) ||
           (side->type == ZMQ_ROUTER && side->peer == ZMQ_REQ);
}

// Sends one frame, each time by another of the library's ways. False: would block or no such peer.
static bool send_frame(void *socket, const void *data, size_t size, uint64_t key, unsigned way,
                       int flags) {
    int result;
    unsigned char stack[512];
    if (way % 4 == 0 && size <= sizeof stack) {
        if (data)
            memcpy(stack, data, size);
        else
            fill(stack, size, key);
        result = zmq_send(socket, stack, size, flags);
    } else {
        zmq_msg_t message;
        if (way % 4 == 1) {
            unsigned char *buffer = malloc(size + 8);
            if (!buffer) fail("out of memory");
            require(zmq_msg_init_data(&message, buffer, size, count_free, NULL),
                    "zmq_msg_init_data");
            atomic_fetch_add(&handed_over, 1);
        } else {
            require(zmq_msg_init_size(&message, size), "zmq_msg_init_size");
        }
        if (data)
            memcpy(zmq_msg_data(&message), data, size);
        else
            fill(zmq_msg_data(&message), size, key);
        if (way % 4 == 2) { // send a second reference, drop the first
            zmq_msg_t copy;
            require(zmq_msg_init(&copy), "zmq_msg_init");
            require(zmq_msg_copy(&copy, &message), "zmq_msg_copy");
            result = zmq_msg_send(&copy, socket, flags);
            int error = errno;
            require(zmq_msg_close(&copy), "zmq_msg_close");
            errno = error;
        } else {
            result = zmq_msg_send(&message, socket, flags);
        }
        int error = errno;
        require(zmq_msg_close(&message), "zmq_msg_close");
        errno = error;
    }
    if (result >= 0 && (size_t)result != size) fail("send of %zu bytes returned %d", size, result);
    if (result < 0 && errno != EAGAIN && errno != EHOSTUNREACH) fail_call("send");
    return result >= 0;
}

// Sends message out.next as a whole, or nothing of it.
static bool send_message(struct side *side, int flags) {
    struct direction *way = &side->out;
    struct plan plan = plan_of(way, way->next);
    struct header header = {{0}, way->seed, way->next};
    memcpy(header.magic, header_magic, sizeof header.magic);

    struct {
        const void *data;
        size_t size;
    } parts[frames_max + 2];
    unsigned envelope = 0, total;
    if (side->type == ZMQ_ROUTER) {
        parts[envelope].data = side->them;
        parts[envelope++].size = strlen(side->them);
    }
    if (envelope_empty(side)) {
        parts[envelope].data = "";
        parts[envelope++].size = 0;
    }
    if (way->topics) {
        parts[envelope].data = topic_of(way->next);
        parts[envelope++].size = strlen(topic_of(way->next));
    }
    for (total = envelope; total < envelope + plan.frames; ++total) {
        parts[total].data = plan.header && total == envelope ? &header : NULL;
        parts[total].size = plan.size[total - envelope];
    }
    for (unsigned i = 0; i < total; ++i) {
        uint64_t key = i >= envelope ? frame_key(way->seed, way->next, i - envelope) : 0;
        unsigned how = parts[i].size > 1000000 ? 1 : (unsigned)way->next + i;
        int more = i + 1 < total ? ZMQ_SNDMORE : 0;
        if (send_frame(side->socket, parts[i].data, parts[i].size, key, how, flags | more))
            continue;
        if (i > 0)
            fail("message %llu: frame %u of %u refused: %s", (unsigned long long)way->next, i,
                 total, zmq_strerror(errno));
        return false;
    }
    ++way->next;
    ++sent_messages;
    return true;
}

// Receives one frame into `message`; only the first of a message may be waited for.
static bool receive_frame(void *socket, zmq_msg_t *message, bool first, int flags) {
    if (zmq_msg_recv(message, socket, first ? flags : ZMQ_DONTWAIT) >= 0) return true;
    if (first && errno == EAGAIN && (flags & ZMQ_DONTWAIT)) return false;
    if (!first && errno == EAGAIN) fail("a message was handed out before all of it was there");
    fail_call("receive");
}

static void explain(const struct direction *way, const unsigned char *data, size_t size,
                    const char *what) {
    struct header header;
    if (size == sizeof header && memcmp(data, header_magic, sizeof header_magic) == 0) {
        memcpy(&header, data, sizeof header);
        fail("message %llu of seed %llu expected, but %llu of seed %llu came (%s)",
             (unsigned long long)way->next, (unsigned long long)way->seed,
             (unsigned long long)header.message, (unsigned long long)header.seed, what);
    }
    fail("message %llu of seed %llu: %s", (unsigned long long)way->next,
         (unsigned long long)way->seed, what);
}

static void check_bytes(const struct direction *way, zmq_msg_t *message, const void *expected,
                        size_t size, const char *what) {
    if (zmq_msg_size(message) != size || memcmp(zmq_msg_data(message), expected, size) != 0)
        explain(way, zmq_msg_data(message), zmq_msg_size(message), what);
    if (!zmq_msg_more(message)) explain(way, zmq_msg_data(message), zmq_msg_size(message), what);
}

// Receives the message that must come next and compares all of it. False: nothing there yet.
static bool receive_message(struct side *side, int flags) {
    static unsigned char buffer[65536 + 64];
    struct direction *way = &side->in;
    zmq_msg_t message;
    bool first = true;
    require(zmq_msg_init(&message), "zmq_msg_init");

    if (side->type == ZMQ_ROUTER) {
        if (!receive_frame(side->socket, &message, first, flags)) return false;
        check_bytes(way, &message, side->them, strlen(side->them), "wrong routing id");
        first = false;
    }
    if (envelope_empty(side)) {
        if (!receive_frame(side->socket, &message, first, flags)) return false;
        check_bytes(way, &message, "", 0, "wrong delimiter");
        first = false;
    }
    if (way->topics) {
        if (!receive_frame(side->socket, &message, first, flags)) return false;
        if (!zmq_msg_more(&message)) { // left over from publish_until_heard()
            require(zmq_msg_close(&message), "zmq_msg_close");
            return false;
        }
        while (!arrives(way, way->next)) ++way->next;
        check_bytes(way, &message, topic_of(way->next), strlen(topic_of(way->next)), "wrong topic");
        first = false;
    }

    struct plan plan = plan_of(way, way->next);
    for (unsigned i = 0; i < plan.frames; ++i, first = false) {
        uint64_t key = frame_key(way->seed, way->next, i);
        const unsigned char *data = buffer;
        size_t size;
        int more;
        if ((way->next + i) % 3 == 0 && !first && plan.size[i] <= sizeof buffer - 64) {
            size_t option = sizeof more;
            int result = zmq_recv(side->socket, buffer, sizeof buffer, ZMQ_DONTWAIT);
            require(result, "zmq_recv");
            size = (size_t)result;
            require(zmq_getsockopt(side->socket, ZMQ_RCVMORE, &more, &option), "ZMQ_RCVMORE");
        } else {
            if (!receive_frame(side->socket, &message, first, flags)) return false;
            data = zmq_msg_data(&message);
            size = zmq_msg_size(&message);
            more = zmq_msg_more(&message);
        }
        if (size != plan.size[i]) {
            char text[80];
            snprintf(text, sizeof text, "frame %u has %zu bytes instead of %zu", i, size,
                     plan.size[i]);
            explain(way, data, size < sizeof buffer ? size : 0, text);
        }
        if (plan.header && i == 0) {
            struct header header;
            memcpy(&header, data, sizeof header);
            if (memcmp(header.magic, header_magic, sizeof header_magic) != 0 ||
                header.seed != way->seed || header.message != way->next)
                explain(way, data, size, "wrong header");
        } else if (!filled(data, size, key)) {
            explain(way, data, size, "wrong content");
        }
        if ((i + 1 < plan.frames) != (more != 0)) explain(way, data, size, "wrong frame count");
    }
    require(zmq_msg_close(&message), "zmq_msg_close");
    ++way->next;
    ++received_messages;
    while (way->next < way->count && !arrives(way, way->next)) ++way->next;
    return true;
}

static bool may_send(const struct side *side) {
    if (side->type == ZMQ_REP || (side->type == ZMQ_ROUTER && side->peer == ZMQ_REQ))
        return side->out.next < side->in.next; // an answer to each question
    if (side->out.next >= side->out.count) return false;
    if (side->type == ZMQ_REQ) return side->out.next == side->in.next;
    if (side->type == ZMQ_DEALER && side->peer == ZMQ_REP)
        return side->out.next < side->in.next + 8;        // questions under way
    if (side->type == ZMQ_XSUB) return side->in.next > 0; // it drops what has no publisher yet
    return true;
}

static bool may_receive(const struct side *side) {
    if (side->in.next >= side->in.count) return false;
    if (side->type == ZMQ_REQ) return side->in.next < side->out.next;
    if (side->type == ZMQ_REP) return side->in.next == side->out.next;
    return true;
}

static void wait_for_events(const struct side *side, bool sending, bool receiving) {
    zmq_pollitem_t item = {side->socket, 0, 0, 0};
    if (receiving) item.events |= ZMQ_POLLIN;
    // A ROUTER cannot be asked whether the one peer it wants to send to has room.
    if (sending && side->type != ZMQ_ROUTER) item.events |= ZMQ_POLLOUT;
    require(zmq_poll(&item, 1, side->type == ZMQ_ROUTER ? 1 : 100), "zmq_poll");
}

static void exchange(struct side *side) {
    for (unsigned round = 0;; ++round) {
        bool sending = may_send(side), receiving = may_receive(side), moved = false;
        if (!sending && !receiving) break;
        // With only one thing to do, block in the call every other time instead of polling.
        bool block = sending != receiving && side->type != ZMQ_ROUTER && round % 2 == 0;
        int flags = block ? 0 : ZMQ_DONTWAIT;
        if (sending) moved |= send_message(side, flags);
        if (receiving && may_receive(side)) moved |= receive_message(side, flags);
        if (!moved && !block) wait_for_events(side, sending, receiving);
    }
    if (side->out.next < side->out.count || side->in.next < side->in.count)
        fail("nothing left to do, but not everything was exchanged");
}

static void nothing_more(void *socket) {
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    require(zmq_poll(&item, 1, quiet_ms), "zmq_poll");
    if (item.revents) fail("something arrived after the last message");
}

static void subscription(const struct side *side, bool add, const char *topic) {
    if (side->type == ZMQ_SUB) {
        set_bytes(side->socket, add ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, topic);
        return;
    }
    char frame[300];
    int size = snprintf(frame, sizeof frame, "%c%s", add ? 1 : 0, topic);
    if (zmq_send(side->socket, frame, (size_t)size, 0) != size) fail_call("zmq_send");
}

// XPUB reads the (un)subscriptions of the one subscriber: each topic once, in any order.
static void read_subscriptions(const struct side *side, char verb) {
    for (int missing = 3; missing != 0;) {
        char frame[300];
        int size = zmq_recv(side->socket, frame, sizeof frame, 0);
        require(size, "zmq_recv");
        if (size < 1 || frame[0] != verb) fail("not the expected subscription, %d bytes", size);
        if (size == 2 && frame[1] == 'A')
            missing &= ~1;
        else if ((size_t)size == 1 + strlen(long_topic) &&
                 memcmp(frame + 1, long_topic, strlen(long_topic)) == 0)
            missing &= ~2;
        else
            fail("a subscription nobody made, %d bytes", size);
    }
}

// PUB cannot see subscriptions: publish bare topics until the subscriber says (through the driver)
// that it has heard both of them.
static void publish_until_heard(const struct side *side) {
    zmq_pollitem_t item = {NULL, 0, ZMQ_POLLIN, 0};
    do {
        if (zmq_send(side->socket, "A", 1, 0) < 0 ||
            zmq_send(side->socket, long_topic, strlen(long_topic), 0) < 0)
            fail_call("zmq_send");
        require(zmq_poll(&item, 1, 2), "zmq_poll on a descriptor");
    } while (!(item.revents & ZMQ_POLLIN));
    hear_exactly("heard");
}

static void listen_until_heard(const struct side *side) {
    for (int missing = 3; missing != 0;) {
        char frame[300];
        int size = zmq_recv(side->socket, frame, sizeof frame, 0);
        require(size, "zmq_recv");
        if (size == 1 && frame[0] == 'A')
            missing &= ~1;
        else if ((size_t)size == strlen(long_topic) && memcmp(frame, long_topic, (size_t)size) == 0)
            missing &= ~2;
        else
            fail("the publisher began with %d unexpected bytes", size);
    }
    say("tell heard");
}

static void run_exchange(void) {
    struct side side = {0};
    side.type = socket_type(text_argument("type", ""));
    side.peer = socket_type(text_argument("peer", ""));
    side.them = text_argument("them", "them");
    const char *me = text_argument("me", "me"), *bind = text_argument("bind", NULL);
    uint64_t count = number_argument("count", 100);
    bool publisher = side.type == ZMQ_PUB || side.type == ZMQ_XPUB;
    bool subscriber = side.type == ZMQ_SUB || side.type == ZMQ_XSUB;
    bool upstream = (side.type == ZMQ_XPUB && side.peer == ZMQ_XSUB) ||
                    (side.type == ZMQ_XSUB && side.peer == ZMQ_XPUB);

    side.out.seed = number_argument("out", 1);
    side.in.seed = number_argument("in", 2);
    side.out.big = side.in.big = number_argument("big", 0);
    if (side.type != ZMQ_PULL && side.type != ZMQ_SUB) side.out.count = count;
    if (side.type != ZMQ_PUSH && side.type != ZMQ_PUB) side.in.count = count;
    if (side.type == ZMQ_XSUB) side.out.count = upstream ? count / 4 : 0;
    if (side.type == ZMQ_XPUB) side.in.count = upstream ? count / 4 : 0;
    side.out.topics = publisher;
    side.in.topics = subscriber;
    side.out.big_at = side.out.count / 2 & ~(uint64_t)3;
    side.in.big_at = side.in.count / 2 & ~(uint64_t)3;
    memset(long_topic, 't', number_argument("topic", 240) % sizeof long_topic);

    void *context = zmq_ctx_new();
    if (!context) fail_call("zmq_ctx_new");
    side.socket = open_socket(context, side.type);
    secure(context, side.socket);
    // A small high-water mark makes the flow stop and start; but publishers and REP would drop.
    bool drops = publisher || subscriber || side.type == ZMQ_REP;
    int mark = drops ? 0 : (int)number_argument("hwm", 20);
    set_number(side.socket, ZMQ_SNDHWM, mark);
    set_number(side.socket, ZMQ_RCVHWM, mark);
    if (side.type == ZMQ_ROUTER) set_number(side.socket, ZMQ_ROUTER_MANDATORY, 1);
    if (side.type == ZMQ_ROUTER || side.type == ZMQ_DEALER || side.type == ZMQ_REQ)
        set_bytes(side.socket, ZMQ_ROUTING_ID, me);
    if (side.type == ZMQ_ROUTER && side.peer == ZMQ_ROUTER && !bind)
        set_bytes(side.socket, ZMQ_CONNECT_ROUTING_ID, side.them);
    if (subscriber) {
        // A publisher may be gone first; then subscriptions to repeat to the next one would linger. An
        // XPUB has read all of them by then, if it ever will.
        set_number(side.socket, ZMQ_LINGER, side.peer == ZMQ_PUB ? 0 : step_timeout_ms / 3);
        subscription(&side, true, "A");
        subscription(&side, true, long_topic);
    }

    announce(bind ? bind_and_ask(side.socket, bind) : "-");
    const char *endpoint = await_go();
    if (!bind) require(zmq_connect(side.socket, endpoint), "zmq_connect");

    stage = "subscribing";
    if (side.type == ZMQ_PUB) publish_until_heard(&side);
    if (side.type == ZMQ_XPUB) read_subscriptions(&side, 1);
    if (subscriber && side.peer == ZMQ_PUB) listen_until_heard(&side);
    stage = "exchanging";
    exchange(&side);
    stage = "finishing";
    if (number_argument("stays", 0)) {
        if (side.type == ZMQ_PUSH) hear_exactly("all");
        else say("tell all");
    }
    if (subscriber && side.peer == ZMQ_XPUB) { // which waits to see this
        nothing_more(side.socket);
        subscription(&side, false, "A");
        subscription(&side, false, long_topic);
    }
    if (side.type == ZMQ_XPUB)
        read_subscriptions(&side, 0);
    else if (side.in.count)
        nothing_more(side.socket);
    close_socket(side.socket);
    stage = "lingering";
    end_context(context);
    if (atomic_load(&handed_over) != atomic_load(&freed))
        fail("%lu buffers handed over, %lu freed", atomic_load(&handed_over), atomic_load(&freed));
    say("done %llu %llu", (unsigned long long)sent_messages, (unsigned long long)received_messages);
}

// ---- watch: what becomes of handshakes ----------------------------------------------------------

static void say_event(void *monitor) {
    unsigned char frame[6];
    char address[256];
    uint16_t event;
    uint32_t value;
    if (zmq_recv(monitor, frame, sizeof frame, 0) != sizeof frame) fail_call("zmq_recv of an event");
    require(zmq_recv(monitor, address, sizeof address, 0), "zmq_recv of an event");
    memcpy(&event, frame, sizeof event);
    memcpy(&value, frame + sizeof event, sizeof value);
    say("event %#x %#x", event, value);
}

static void say_message(void *socket) {
    zmq_msg_t message;
    require(zmq_msg_init(&message), "zmq_msg_init");
    require(zmq_msg_recv(&message, socket, ZMQ_DONTWAIT), "zmq_msg_recv");
    const char *user = zmq_msg_gets(&message, "User-Id");
    say("got %.*s %s", (int)zmq_msg_size(&message), (const char *)zmq_msg_data(&message),
        user ? user : "-");
    require(zmq_msg_close(&message), "zmq_msg_close");
}

// Tells every event and message until it hears "quit". Lines that come are sent, where that is possible.
static void run_watch(void) {
    void *context = zmq_ctx_new();
    if (!context) fail_call("zmq_ctx_new");
    int type = socket_type(text_argument("type", ""));
    void *socket = open_socket(context, type);
    secure(context, socket);
    set_number(socket, ZMQ_LINGER, 0);
    set_number(socket, ZMQ_HANDSHAKE_IVL, (int)number_argument("handshake-ivl", 30000));
    int heartbeat = (int)number_argument("heartbeat", 0);
    if (heartbeat) set_number(socket, ZMQ_HEARTBEAT_IVL, heartbeat);
    set_bytes(socket, ZMQ_ZAP_DOMAIN, text_argument("domain", "interop"));
    enum { zap_enforce_domain = 93 };
    if (number_argument("enforce", 0)) set_number(socket, zap_enforce_domain, 1);
    require(zmq_socket_monitor(socket, "inproc://monitor", ZMQ_EVENT_ALL), "zmq_socket_monitor");
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    if (!monitor) fail_call("zmq_socket");
    require(zmq_connect(monitor, "inproc://monitor"), "zmq_connect of a monitor");

    const char *bind = text_argument("bind", NULL);
    announce(bind ? bind_and_ask(socket, bind) : "-");
    const char *endpoint = await_go();
    if (!bind) require(zmq_connect(socket, endpoint), "zmq_connect");
    zmq_pollitem_t items[] = {
        {monitor, 0, ZMQ_POLLIN, 0}, {NULL, 0, ZMQ_POLLIN, 0}, {socket, 0, ZMQ_POLLIN, 0}};
    for (;;) {
        require(zmq_poll(items, type == ZMQ_PUSH ? 2 : 3, -1), "zmq_poll");
        if (items[0].revents) say_event(monitor);
        if (items[2].revents) say_message(socket);
        if (!items[1].revents) continue;
        const char *line = hear();
        if (strcmp(line, "quit") == 0) break;
        require(zmq_send(socket, line, strlen(line), ZMQ_DONTWAIT), "zmq_send");
    }
    set_number(monitor, ZMQ_LINGER, 0);
    close_socket(socket);
    close_socket(monitor);
    end_context(context);
    say("done 0 0");
}

// A handshake may take its time: whoever shares its I/O thread does not wait for it, and neither does
// the end of the context.
static void run_unhurried(void) {
    void *context = zmq_ctx_new();
    if (!context) fail_call("zmq_ctx_new");
    void *slow = open_socket(context, ZMQ_PUSH);
    secure(context, slow);
    set_number(slow, ZMQ_LINGER, 0);
    void *here = open_socket(context, ZMQ_PAIR), *there = open_socket(context, ZMQ_PAIR);
    const char *endpoint = bind_and_ask(here, "tcp://127.0.0.1:*");
    char own[256];
    snprintf(own, sizeof own, "%s", endpoint);
    announce("-");
    require(zmq_connect(slow, await_go()), "zmq_connect");
    hear_exactly("stuck"); // the handshake is where it does not go on
    require(zmq_connect(there, own), "zmq_connect");
    for (uint64_t i = 0; i < 1000; ++i) {
        char byte;
        if (zmq_send(there, "?", 1, 0) != 1 || zmq_recv(here, &byte, 1, 0) != 1 ||
            zmq_send(here, "!", 1, 0) != 1 || zmq_recv(there, &byte, 1, 0) != 1)
            fail_call("a round trip");
        ++sent_messages;
        ++received_messages;
    }
    say("half");
    hear_exactly("quit");
    close_socket(slow);
    close_socket(here);
    close_socket(there);
    end_context(context);
    say("done %llu %llu", (unsigned long long)sent_messages, (unsigned long long)received_messages);
}

// ---- churn: many short connections to one long-lived listener -----------------------------------

// A note is [number][bytes computed from seed and number].
static size_t note_size(uint64_t number) { return (size_t)(64 + number % 300); }

static void send_note(void *socket, uint64_t seed, uint64_t number) {
    unsigned char bytes[512];
    fill(bytes, note_size(number), frame_key(seed, number, 0));
    if (zmq_send(socket, &number, sizeof number, ZMQ_SNDMORE) < 0 ||
        zmq_send(socket, bytes, note_size(number), 0) < 0)
        fail_call("zmq_send of a note");
    ++sent_messages;
}

static uint64_t receive_note(void *socket, uint64_t seed) {
    uint64_t number;
    unsigned char bytes[512];
    int size = zmq_recv(socket, &number, sizeof number, 0);
    require(size, "zmq_recv of a note");
    if (size != sizeof number) fail("a note's number has %d bytes", size);
    size = zmq_recv(socket, bytes, sizeof bytes, ZMQ_DONTWAIT);
    require(size, "zmq_recv of a note's bytes");
    if ((size_t)size != note_size(number) ||
        !filled(bytes, (size_t)size, frame_key(seed, number, 0)))
        fail("note %llu is damaged", (unsigned long long)number);
    ++received_messages;
    return number;
}

static void expect_note(void *socket, uint64_t seed, uint64_t expected) {
    uint64_t number = receive_note(socket, seed);
    if (number != expected)
        fail("note %llu instead of %llu", (unsigned long long)number, (unsigned long long)expected);
}

struct routing_id {
    char bytes[256];
    size_t size;
};

static void receive_id(void *router, struct routing_id *id) {
    int size = zmq_recv(router, id->bytes, sizeof id->bytes, 0);
    require(size, "zmq_recv of a routing id");
    id->size = (size_t)size;
}

static void send_id(void *router, const struct routing_id *id) {
    if (zmq_send(router, id->bytes, id->size, ZMQ_SNDMORE) < 0) fail_call("send of a routing id");
}

// Keeps the socket working (its owner must call it now and then) until the driver has looked.
static void wait_for_quit(void *socket) {
    stage = "waiting";
    for (;;) {
        zmq_pollitem_t items[2] = {{NULL, 0, ZMQ_POLLIN, 0}, {socket, 0, ZMQ_POLLIN, 0}};
        require(zmq_poll(items, socket ? 2 : 1, -1), "zmq_poll");
        if (socket && items[1].revents) fail("a note came twice");
        if (items[0].revents) break;
    }
    hear_exactly("quit");
}

static _Noreturn void fail_missing(const bool *seen, uint64_t count) {
    uint64_t first = 0, missing = 0;
    for (uint64_t number = count; number-- > 0;) {
        if (seen[number]) continue;
        ++missing;
        first = number;
    }
    fail("%llu notes never came, the first of them %llu", (unsigned long long)missing,
         (unsigned long long)first);
}

static void run_churn_listen(void) {
    int type = socket_type(text_argument("type", "ROUTER"));
    uint64_t count = number_argument("count", 100);
    bool *seen = calloc(count + 1, sizeof *seen);
    void *context = zmq_ctx_new();
    if (!context || !seen) fail_call("zmq_ctx_new");
    void *socket = open_socket(context, type);
    announce(bind_and_ask(socket, text_argument("bind", "")));
    await_go();
    stage = "listening";
    for (uint64_t i = 0; i < count; ++i) {
        zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
        require(zmq_poll(&item, 1, step_timeout_ms), "zmq_poll");
        if (!item.revents) fail_missing(seen, count);
        struct routing_id id;
        if (type == ZMQ_ROUTER) receive_id(socket, &id);
        uint64_t number = receive_note(socket, 1);
        if (number >= count || seen[number]) fail("note %llu twice", (unsigned long long)number);
        seen[number] = true;
        if (type == ZMQ_ROUTER) {
            send_id(socket, &id);
            send_note(socket, 2, number);
        }
        if (i == count / 2) say("half");
    }
    say("done %llu %llu", (unsigned long long)sent_messages, (unsigned long long)received_messages);
    wait_for_quit(socket);
    close_socket(socket);
    end_context(context);
    free(seen);
}

// With reuse=1 every other connection is made by one socket that disconnects, the rest by a socket
// of their own.
static void run_churn_connect(void) {
    int type = socket_type(text_argument("type", "DEALER"));
    uint64_t count = number_argument("count", 100);
    bool reuse = number_argument("reuse", 0) != 0;
    announce("-");
    char endpoint[256];
    snprintf(endpoint, sizeof endpoint, "%s", await_go());
    stage = "connecting";
    void *context = NULL, *reused = NULL;
    for (uint64_t number = 0; number < count; ++number) {
        if (number % 32 == 0) { // ending the context also bounds what lingers
            if (context) {
                close_socket(reused);
                end_context(context);
            }
            context = zmq_ctx_new();
            if (!context) fail_call("zmq_ctx_new");
            reused = open_socket(context, type);
        }
        void *socket = reuse && number % 2 ? reused : open_socket(context, type);
        require(zmq_connect(socket, endpoint), "zmq_connect");
        send_note(socket, 1, number);
        if (type == ZMQ_DEALER) expect_note(socket, 2, number);
        if (socket == reused)
            require(zmq_disconnect(socket, endpoint), "zmq_disconnect");
        else
            close_socket(socket);
        if (number == count / 2) say("half");
    }
    if (context) {
        close_socket(reused);
        end_context(context);
    }
    say("done %llu %llu", (unsigned long long)sent_messages, (unsigned long long)received_messages);
    wait_for_quit(NULL);
}

// ---- rebind: one long-lived connecting DEALER, whose listener goes and comes --------------------

static void *watch(void *context, void *socket, int events) {
    require(zmq_socket_monitor(socket, "inproc://events", events), "zmq_socket_monitor");
    void *monitor = open_socket(context, ZMQ_PAIR);
    require(zmq_connect(monitor, "inproc://events"), "zmq_connect");
    return monitor;
}

static void unwatch(void *socket, void *monitor) {
    require(zmq_socket_monitor(socket, NULL, 0), "zmq_socket_monitor");
    close_socket(monitor);
}

static void await_event(void *monitor, uint16_t expected) {
    for (;;) {
        unsigned char event[6];
        char address[256];
        if (zmq_recv(monitor, event, sizeof event, 0) < 0) fail_call("zmq_recv of an event");
        require(zmq_recv(monitor, address, sizeof address, 0), "zmq_recv of an event's address");
        uint16_t number;
        memcpy(&number, event, sizeof number);
        if (number == expected) return;
    }
}

// By turns unbinds and closes. Per round: question, answer, acknowledgement; only then it goes.
static void run_rebind_listen(void) {
    const char *endpoint = text_argument("bind", "");
    uint64_t count = number_argument("count", 100);
    announce(endpoint);
    await_go();
    stage = "rebinding";
    void *context = NULL, *socket = NULL, *monitor = NULL;
    for (uint64_t number = 0; number < count; ++number) {
        if (!socket) {
            context = zmq_ctx_new();
            if (!context) fail_call("zmq_ctx_new");
            socket = open_socket(context, ZMQ_ROUTER);
            monitor = watch(context, socket, ZMQ_EVENT_CLOSED);
        }
        for (int tries = 0; zmq_bind(socket, endpoint) != 0; ++tries) {
            if (errno != EADDRINUSE || tries == 5000) fail_call("zmq_bind");
            nap(1);
        }
        struct routing_id id;
        receive_id(socket, &id);
        expect_note(socket, 1, number);
        send_id(socket, &id);
        send_note(socket, 2, number);
        receive_id(socket, &id);
        expect_note(socket, 3, number);
        if (number % 2) {
            require(zmq_unbind(socket, endpoint), "zmq_unbind");
            await_event(monitor, ZMQ_EVENT_CLOSED);
        } else {
            unwatch(socket, monitor);
            close_socket(socket);
            end_context(context);
            socket = NULL;
        }
        if (number == count / 2) say("half");
    }
    if (socket) {
        unwatch(socket, monitor);
        close_socket(socket);
        end_context(context);
    }
    say("done %llu %llu", (unsigned long long)sent_messages, (unsigned long long)received_messages);
    wait_for_quit(NULL);
}

static void run_rebind_connect(void) {
    uint64_t count = number_argument("count", 100);
    void *context = zmq_ctx_new();
    if (!context) fail_call("zmq_ctx_new");
    void *socket = open_socket(context, ZMQ_DEALER);
    set_number(socket, ZMQ_RECONNECT_IVL, 2);
    void *monitor = watch(context, socket, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED);
    announce("-");
    const char *endpoint = await_go();
    require(zmq_connect(socket, endpoint), "zmq_connect");
    stage = "reconnecting";
    for (uint64_t number = 0; number < count; ++number) {
        send_note(socket, 1, number); // waits in the queue for the listener to come back
        expect_note(socket, 2, number);
        await_event(monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        send_note(socket, 3, number);
        await_event(monitor, ZMQ_EVENT_DISCONNECTED);
        if (number == count / 2) say("half");
    }
    say("done %llu %llu", (unsigned long long)sent_messages, (unsigned long long)received_messages);
    wait_for_quit(socket);
    unwatch(socket, monitor);
    close_socket(socket);
    end_context(context);
}

int main(int count, char **values) {
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"exchange", run_exchange},
                 {"watch", run_watch},
                 {"unhurried", run_unhurried},
                 {"churn-listen", run_churn_listen},
                 {"churn-connect", run_churn_connect},
                 {"rebind-listen", run_rebind_listen},
                 {"rebind-connect", run_rebind_connect}};
    if (count < 2) return 2;
    arguments = values + 2;
    signal(SIGALRM, on_alarm);
    alarm((unsigned)number_argument("timeout", 60));
    for (size_t i = 0; i < sizeof modes / sizeof *modes; ++i) {
        if (strcmp(values[1], modes[i].name) != 0) continue;
        modes[i].run();
        return 0;
    }
    fprintf(stderr, "no mode \"%s\"\n", values[1]);
    return 2;
}
