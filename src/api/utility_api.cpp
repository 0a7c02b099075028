// Errors, version, capabilities, atomic counters, stopwatch, threads, z85 and CURVE keys.
#include "api/api.hpp"
#include "api/version.hpp"
#include "os/clock.hpp"
#include "os/thread.hpp"
#include "security/curve_keys.hpp"
#include "security/z85.hpp"

#include <atomic>
#include <cstring>
#include <unistd.h>

using namespace tern;

extern "C" {

int zmq_errno(void) { return errno; }

const char *zmq_strerror(int number) {
    switch (number) {
    case EFSM: return "Operation cannot be accomplished in current state";
    case ENOCOMPATPROTO: return "The protocol is not compatible with the socket type";
    case ETERM: return "Context was terminated";
    case EMTHREAD: return "No thread available";
    case EHOSTUNREACH: return "Host unreachable";
    default: return std::strerror(number);
    }
}

void zmq_version(int *major, int *minor, int *patch) {
    const Version version = reported_version();
    if (major) *major = version.major;
    if (minor) *minor = version.minor;
    if (patch) *patch = version.patch;
}

int zmq_has(const char *capability) {
    if (!capability) return 0;
    const std::string_view name(capability);
    // Not "draft", although all of it is there: bindings that were built without it take the answer for
    // a promise about themselves.
    if (name == "ipc") return 1;
#if defined(TERN_HAVE_TIPC)
    if (name == "tipc") return 1;
#endif
#if defined(TERN_HAVE_VSOCK)
    if (name == "vsock") return 1;
#endif
#if defined(TERN_HAVE_CURVE_MECHANISM)
    if (name == "curve") return 1;
#endif
#if defined(TERN_HAVE_GSSAPI)
    if (name == "gssapi") return 1;
#endif
#if defined(TERN_HAVE_NORM)
    if (name == "norm") return 1;
#endif
#if defined(TERN_HAVE_PGM)
    if (name == "pgm") return 1;
#endif
#if defined(TERN_HAVE_WS)
    if (name == "WS") return 1;
#endif
#if defined(TERN_HAVE_WSS)
    if (name == "WSS") return 1;
#endif
    return 0;
}

// ---- atomic counters

void *zmq_atomic_counter_new(void) {
    void *counter = new (std::nothrow) std::atomic<int>(0);
    if (!counter) errno = ENOMEM;
    return counter;
}

void zmq_atomic_counter_set(void *counter, int value) {
    static_cast<std::atomic<int> *>(counter)->store(value);
}

int zmq_atomic_counter_inc(void *counter) {
    return static_cast<std::atomic<int> *>(counter)->fetch_add(1);
}

int zmq_atomic_counter_dec(void *counter) {
    return static_cast<std::atomic<int> *>(counter)->fetch_sub(1) != 1 ? 1 : 0;
}

int zmq_atomic_counter_value(void *counter) {
    return static_cast<std::atomic<int> *>(counter)->load();
}

void zmq_atomic_counter_destroy(void **counter) {
    if (!counter) return;
    delete static_cast<std::atomic<int> *>(*counter);
    *counter = nullptr;
}

// ---- stopwatch, sleep, threads

void *zmq_stopwatch_start(void) {
    void *watch = new (std::nothrow) Nanoseconds(now_ns());
    if (!watch) errno = ENOMEM;
    return watch;
}

unsigned long zmq_stopwatch_intermediate(void *watch) {
    return static_cast<unsigned long>((now_ns() - *static_cast<Nanoseconds *>(watch)) / ns_per_us);
}

unsigned long zmq_stopwatch_stop(void *watch) {
    const unsigned long elapsed = zmq_stopwatch_intermediate(watch);
    delete static_cast<Nanoseconds *>(watch);
    return elapsed;
}

void zmq_sleep(int seconds) { ::sleep(static_cast<unsigned>(seconds)); }

void *zmq_threadstart(zmq_thread_fn *function, void *argument) {
    try {
        auto thread = std::make_unique<Thread>();
        ThreadSettings settings;
        settings.name = "ZMQapp";
        if (const Error error =
                thread->start(std::move(settings), [function, argument] { function(argument); })) {
            errno = error.number();
            return nullptr;
        }
        return thread.release();
    } catch (const std::bad_alloc &) {
        errno = ENOMEM;
        return nullptr;
    }
}

void zmq_threadclose(void *thread) { delete static_cast<Thread *>(thread); }

// ---- z85 and keys

char *zmq_z85_encode(char *text, const uint8_t *data, size_t size) {
    if (size % 4 != 0) {
        errno = EINVAL;
        return nullptr;
    }
    z85_encode(text, Bytes(data, size));
    return text;
}

uint8_t *zmq_z85_decode(uint8_t *data, const char *text) {
    if (text && z85_decode(data, text)) return data;
    errno = EINVAL;
    return nullptr;
}

#if defined(TERN_HAVE_CURVE)

int zmq_curve_keypair(char *public_text, char *secret_text) {
    uint8_t public_key[32], secret_key[32];
    if (!curve_keypair(public_key, secret_key)) return fail(err::not_supported);
    z85_encode(public_text, Bytes(public_key, sizeof public_key));
    z85_encode(secret_text, Bytes(secret_key, sizeof secret_key));
    return 0;
}

int zmq_curve_public(char *public_text, const char *secret_text) {
    uint8_t public_key[32], secret_key[32];
    if (!secret_text || std::strlen(secret_text) != 40 || !z85_decode(secret_key, secret_text))
        return fail(err::invalid);
    if (!curve_public(public_key, secret_key)) return fail(err::not_supported);
    z85_encode(public_text, Bytes(public_key, sizeof public_key));
    return 0;
}

#else

int zmq_curve_keypair(char *, char *) { return fail(err::not_supported); }
int zmq_curve_public(char *, const char *) { return fail(err::not_supported); }

#endif

} // extern "C"
