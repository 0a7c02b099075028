// Options: what zmq_setsockopt has set, and the one table that says what each option is: number,
// type, range, who may set it, when it acts, where it lives (spec/api/sockopts.md, sockopts.tsv).
// Threads: values only; a Socket guards its own.
//
// A socket answers zmq_setsockopt with set_option, and if the row's home is Home::pattern hands the
// checked value on to its pattern. It answers zmq_getsockopt with get_option, except for rows whose
// home is Home::live: check_readable, then store_int or store_value with what it knows itself.
#ifndef TERN_SOCKET_OPTIONS_HPP
#define TERN_SOCKET_OPTIONS_HPP

#include "base/error.hpp"
#include "link/link_options.hpp"
#include "socket/context_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace tern {

struct Options {
    LinkOptions link;

    int linger_ms = -1;          // -1: for ever
    int send_timeout_ms = -1;    // -1: for ever
    int receive_timeout_ms = -1; // -1: for ever
    uint64_t affinity = 0;       // bit n: I/O thread n may be chosen; 0: all may
    bool invert_matching = false;
    bool zero_copy_receive = true;
    bool tries_before_sleep = true; // the context's

    static Options defaults(int socket_type, const ContextOptions &context);
};

// The options of one socket. They are shared until they are changed: sockets that have set nothing have
// the defaults of their type in common, and a socket shares its options with the connections that it
// has made. So they cost their memory once.
// Threads: under the socket's turn; what is shared is never written again.
class SharedOptions {
  public:
    explicit SharedOptions(std::shared_ptr<const Options> defaults) : options_(std::move(defaults)) {}

    const Options &operator*() const { return *options_; }
    const Options *operator->() const { return options_.get(); }
    // Checks, and stores if the row has a place for the value.
    Error set(int socket_type, int option, const void *value, size_t size);
    // What the options are now; later sets do not reach it.
    std::shared_ptr<const Options> share() {
        own_ = nullptr;
        return options_;
    }

  private:
    std::shared_ptr<const Options> options_;
    Options *own_ = nullptr; // the same, while nobody else has them
};

struct OptionRow {
    enum class Value : uint8_t {
        integer,       // int, exactly 4 bytes; least..most is the range of values
        loose_integer, // int, whatever the length says
        unsigned64,    // exactly 8 bytes
        signed64,      // exactly 8 bytes
        binary,        // bytes; least..most is the range of lengths; get gives them bare
        text,          // as binary, but get adds a NUL
        key,           // CURVE key: 32 raw, 40 or 41 Z85
    };
    // What a null pointer means.
    enum class Null : uint8_t {
        refused,
        clears,        // with size 0: the empty value
        always_clears, // with any size
    };
    enum class Home : uint8_t {
        options, // struct Options alone
        pattern, // the socket's pattern wants to hear of each set (a slot may remember it too)
        live,    // the socket itself answers
    };
    // When a new value acts; for people, and for the manual's table.
    enum class Effect : uint8_t { live, endpoint, bind, connect, new_peer, none };

    // Where a stored value lives; the pointer's type says how it is stored.
    using Slot = std::variant<std::monostate, bool *, int *, int64_t *, uint64_t *, std::string *,
                              CurveKey *>;

    const char *name = nullptr;
    int number = 0;
    Value value = Value::integer;
    int64_t least = 0;
    int64_t most = 0;
    Null null = Null::refused;
    uint32_t set_types = 0; // bit n: socket type n may set it
    uint32_t get_types = 0; // bit n: socket type n may read it
    Home home = Home::options;
    Effect effect = Effect::none;
    bool is_built = true;
    Slot (*slot)(Options &) = nullptr;
    // Instead of the plain store into, or read from, the slot. The value has passed the check.
    Error (*set)(Options &, const void *value, size_t size) = nullptr;
    int (*get)(const Options &) = nullptr;
};

// Null when there is no such option, or this build lacks what it is for.
const OptionRow *find_option(int number);
// Whether this type may set the row to this value; EINVAL else. Changes nothing.
Error check_option(const OptionRow &row, int socket_type, const void *value, size_t size);
// Whether this type may read the row.
Error check_readable(const OptionRow &row, int socket_type);

// Checks, and stores if the row has a slot.
Error set_option(Options &options, int socket_type, int option, const void *value, size_t size);
// All but Home::live rows. ZMQ_TYPE and ZMQ_THREAD_SAFE follow from the type and are answered here.
Error get_option(const Options &options, int socket_type, int option, void *value, size_t *size);

// The "at least" discipline: copies, zero-fills the rest of the buffer, sets *size to what it
// copied; EINVAL and nothing written if the buffer is too small.
Error store_value(const void *from, size_t from_size, void *value, size_t *size);
// The same for an int.
Error store_int(int from, void *value, size_t *size);
// The same for text, which gets a NUL.
Error store_text(const std::string &from, void *value, size_t *size);
// The "exact" discipline: EINVAL unless *size is the size of an int.
Error store_int_exact(int from, void *value, size_t *size);

// The int behind a value that check_option has accepted, for patterns.
int load_int(const void *value, size_t size);

// SERVER, CLIENT, RADIO, DISH, GATHER, SCATTER, PEER and CHANNEL.
bool is_thread_safe_type(int socket_type);

} // namespace tern

#endif
