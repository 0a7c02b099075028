// Plays calls on one library and writes down what each did. What differs from run to run is written as what it is:
// generated identities in the order in which they were seen, descriptors and ports not at all.
#include <dlfcn.h>
#include <time.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

#include "../random.hpp"
#include "calls.hpp"

namespace model {

namespace {

constexpr int seats = 6;
constexpr int messages = 3;

struct Library {
    explicit Library(void* handle) : handle_(handle) {
        find(ctx_new, "zmq_ctx_new");
        find(ctx_term, "zmq_ctx_term");
        find(ctx_shutdown, "zmq_ctx_shutdown");
        find(ctx_set, "zmq_ctx_set");
        find(ctx_get, "zmq_ctx_get");
        find(socket, "zmq_socket");
        find(close, "zmq_close");
        find(bind, "zmq_bind");
        find(connect, "zmq_connect");
        find(unbind, "zmq_unbind");
        find(disconnect, "zmq_disconnect");
        find(setsockopt, "zmq_setsockopt");
        find(getsockopt, "zmq_getsockopt");
        find(send, "zmq_send");
        find(send_const, "zmq_send_const");
        find(recv, "zmq_recv");
        find(poll, "zmq_poll");
        find(monitor, "zmq_socket_monitor");
        find(msg_init, "zmq_msg_init");
        find(msg_init_size, "zmq_msg_init_size");
        find(msg_init_data, "zmq_msg_init_data");
        find(msg_close, "zmq_msg_close");
        find(msg_move, "zmq_msg_move");
        find(msg_copy, "zmq_msg_copy");
        find(msg_data, "zmq_msg_data");
        find(msg_size, "zmq_msg_size");
        find(msg_more, "zmq_msg_more");
        find(msg_get, "zmq_msg_get");
        find(msg_set, "zmq_msg_set");
        find(msg_gets, "zmq_msg_gets");
        find(msg_send, "zmq_msg_send");
        find(msg_recv, "zmq_msg_recv");
        find(errno_, "zmq_errno");
        find(strerror, "zmq_strerror");
        find(has, "zmq_has");
        find(z85_encode, "zmq_z85_encode");
        find(z85_decode, "zmq_z85_decode");
    }

    void* (*ctx_new)();
    int (*ctx_term)(void*);
    int (*ctx_shutdown)(void*);
    int (*ctx_set)(void*, int, int);
    int (*ctx_get)(void*, int);
    void* (*socket)(void*, int);
    int (*close)(void*);
    int (*bind)(void*, const char*);
    int (*connect)(void*, const char*);
    int (*unbind)(void*, const char*);
    int (*disconnect)(void*, const char*);
    int (*setsockopt)(void*, int, const void*, size_t);
    int (*getsockopt)(void*, int, void*, size_t*);
    int (*send)(void*, const void*, size_t, int);
    int (*send_const)(void*, const void*, size_t, int);
    int (*recv)(void*, void*, size_t, int);
    int (*poll)(zmq_pollitem_t*, int, long);
    int (*monitor)(void*, const char*, int);
    int (*msg_init)(zmq_msg_t*);
    int (*msg_init_size)(zmq_msg_t*, size_t);
    int (*msg_init_data)(zmq_msg_t*, void*, size_t, zmq_free_fn*, void*);
    int (*msg_close)(zmq_msg_t*);
    int (*msg_move)(zmq_msg_t*, zmq_msg_t*);
    int (*msg_copy)(zmq_msg_t*, zmq_msg_t*);
    void* (*msg_data)(zmq_msg_t*);
    size_t (*msg_size)(const zmq_msg_t*);
    int (*msg_more)(const zmq_msg_t*);
    int (*msg_get)(const zmq_msg_t*, int);
    int (*msg_set)(zmq_msg_t*, int, int);
    const char* (*msg_gets)(const zmq_msg_t*, const char*);
    int (*msg_send)(zmq_msg_t*, void*, int);
    int (*msg_recv)(zmq_msg_t*, void*, int);
    int (*errno_)();
    const char* (*strerror)(int);
    int (*has)(const char*);
    char* (*z85_encode)(char*, const std::uint8_t*, size_t);
    std::uint8_t* (*z85_decode)(std::uint8_t*, const char*);

  private:
    template <typename Pointer>
    void find(Pointer& pointer, const char* name) {
        pointer = reinterpret_cast<Pointer>(::dlsym(handle_, name));
    }
    void* handle_;
};

long given_back = 0;

void give_back(void* data, void*) {
    ++given_back;
    delete[] static_cast<char*>(data);
}

// Options that close descriptors, or do what time or the machine decides, are left out: USE_FD, SOCKS, devices.
constexpr int options[] = {ZMQ_SNDHWM,       ZMQ_RCVHWM,          ZMQ_SNDHWM,         ZMQ_RCVHWM,       ZMQ_ROUTING_ID,
                           ZMQ_ROUTING_ID,   ZMQ_SUBSCRIBE,       ZMQ_SUBSCRIBE,      ZMQ_SUBSCRIBE,    ZMQ_UNSUBSCRIBE,
                           ZMQ_LINGER,       ZMQ_RCVMORE,         ZMQ_EVENTS,         ZMQ_TYPE,         ZMQ_LAST_ENDPOINT,
                           ZMQ_SNDTIMEO,     ZMQ_RCVTIMEO,        ZMQ_IMMEDIATE,      ZMQ_REQ_RELAXED,  ZMQ_CONFLATE,
                           ZMQ_MAXMSGSIZE,   ZMQ_ROUTER_MANDATORY, ZMQ_ROUTER_HANDOVER, ZMQ_PROBE_ROUTER, ZMQ_XPUB_VERBOSE,
                           ZMQ_XPUB_VERBOSER, ZMQ_XPUB_NODROP,    ZMQ_XPUB_MANUAL,    ZMQ_XPUB_WELCOME_MSG, ZMQ_INVERT_MATCHING,
                           ZMQ_STREAM_NOTIFY, ZMQ_BACKLOG,        ZMQ_RECONNECT_IVL,  ZMQ_IPV6,         ZMQ_THREAD_SAFE,
                           ZMQ_HANDSHAKE_IVL, ZMQ_MECHANISM,      ZMQ_PLAIN_SERVER,   ZMQ_PLAIN_USERNAME, ZMQ_ZAP_DOMAIN,
                           ZMQ_TOS,          ZMQ_RATE,            ZMQ_AFFINITY,       ZMQ_CURVE_SERVER, -1, 0, 999};
constexpr const char* endpoints[] = {
    "inproc://a",       "inproc://a",  "inproc://a",  "inproc://b",          "inproc://b",      "inproc://c",
    "inproc://a",       "inproc://b",  "inproc://",   "inproc",              "",                "INPROC://a",
    "://a",             "foo://a",     "tcp://",      "tcp://127.0.0.1",     "tcp://127.0.0.1:", "tcp://127.0.0.1:x",
    "udp://127.0.0.1:1", "ipc://",     "tcp://nosuchinterface:*"};
constexpr const char* identities[] = {"A", "B", "C", "AB", "D"};
constexpr const char* topics[] = {"", "a", "ab", "b", "abc", "c"};
constexpr const char* properties[] = {"Socket-Type", "Identity", "Peer-Address", "User-Id", "X-None", ""};

bool is_subscription(const char* data, std::size_t size) {
    return size > 0 && (data[0] == 0 || data[0] == 1);
}

class Trace final {
  public:
    Trace(void* library, int patience) : lib_(library), patience_(patience) { context_ = lib_.ctx_new(); }

    std::vector<std::string> run(const std::vector<Call>& calls) {
        given_back = 0;
        for (int i = 0; i < messages; ++i)
            lib_.msg_init(&messages_[i]);
        for (const Call& call : calls) {
            line_.str("");
            errno = 0; // some calls leave it alone
            play(call);
            lines_.push_back(line_.str());
            settle(call.function);
        }
        finish();
        return lines_;
    }

  private:
    void pause(long microseconds) const {
        const timespec time{0, microseconds * 1000};
        ::nanosleep(&time, nullptr);
    }

    // Lets every socket see what the others did: libzmq does so in calls like this one only, and closes in a thread of
    // its own.
    void settle(Function last) {
        const bool is_slow = last == Function::close || last == Function::disconnect || last == Function::unbind ||
                             last == Function::shutdown || last == Function::connect || last == Function::bind;
        const int rounds = is_slow ? 3 : 1;
        for (int round = 0; round < rounds; ++round) {
            for (int pass = 0; pass < 2; ++pass)
                for (void* const socket : sockets_)
                    if (socket) {
                        int events = 0;
                        std::size_t size = sizeof events;
                        lib_.getsockopt(socket, ZMQ_EVENTS, &events, &size);
                    }
            if (is_slow && (last == Function::close || last == Function::disconnect || patience_ > 1))
                pause(300L * patience_ * patience_);
        }
    }

    void result(int value) {
        line_ << " -> " << value;
        if (value < 0)
            error();
    }
    void error() { line_ << " errno " << lib_.errno_(); }

    void bytes(const char* data, std::size_t size) {
        if (size == 5 && data[0] == 0) { // a generated identity
            const std::string id(data, size);
            line_ << " <id " << ids_.emplace(id, ids_.size()).first->second << '>';
            return;
        }
        line_ << " \"";
        for (std::size_t i = 0; i < size; ++i)
            if (data[i] >= ' ' && data[i] < 127)
                line_ << data[i];
            else
                line_ << '\\' << static_cast<unsigned>(static_cast<unsigned char>(data[i]));
        line_ << '"';
    }

    // What a difference of this call may stand on.
    const char* standing(void* socket) const {
        const int type = type_of(socket);
        const bool is_probed = probes_ && type >= ZMQ_REQ && type <= ZMQ_ROUTER;
        if (in_message_.count(socket) != 0)
            return is_probed ? " probed later part" : " later part";
        if (is_probed)
            return " probed";
        if (returned_.count(socket) != 0)
            return " at its own name";
        if (second_.count(socket) != 0)
            return " second comer";
        if (type == ZMQ_XPUB && has_late_subscription_)
            return " beside a late subscription";
        return new_mark_.count(socket) != 0 ? " new mark" : "";
    }

    void sent(void* socket, int flags, int size, bool subscribes) {
        result(size);
        if (type_of(socket) == ZMQ_XSUB && subscribes && in_message_.count(socket) != 0)
            has_late_subscription_ = true;
        if (size >= 0 && (flags & ZMQ_SNDMORE) != 0)
            in_message_.insert(socket);
        else
            in_message_.erase(socket);
    }

    // PAIR takes one peer: whoever comes to a name after another has no place there, nor has a second name, nor has who comes
    // to one that was connected before.
    void joined(void* socket, const std::string& endpoint) {
        const bool is_first_there = connects_[endpoint]++ == 0;
        std::set<std::string>& names = connected_to_[socket];
        const bool is_its_first = names.empty();
        names.insert(endpoint);
        const auto binder = binders_.find(endpoint);
        const bool is_binder_free = binder == binders_.end() || connected_to_.count(binder->second) == 0;
        if (type_of(socket) == ZMQ_PAIR && !(is_first_there && is_its_first && is_binder_free))
            second_.insert(socket);
    }

    // Whoever binds a name finds what was left there, be it its own.
    void bound(void* socket, const std::string& endpoint) {
        binders_[endpoint] = socket;
        const auto names = connected_to_.find(socket);
        if (names != connected_to_.end() && names->second.count(endpoint) != 0)
            returned_.insert(socket);
    }

    void forget(void* socket) {
        types_.erase(socket);
        returned_.erase(socket);
        in_message_.erase(socket);
        second_.erase(socket);
        connected_to_.erase(socket);
        for (auto each = binders_.begin(); each != binders_.end();)
            each = each->second == socket ? binders_.erase(each) : std::next(each);
        new_mark_.erase(socket);
    }

    void* seat(std::uint32_t number) const { return sockets_[number % seats]; }

    std::string body(Random& random, int type) {
        const std::uint32_t dice = random.below(10);
        if (type == ZMQ_ROUTER || type == ZMQ_STREAM || dice == 0) {
            if (!last_id_.empty() && random.one_in(2))
                return last_id_;
            return random.one_of(identities);
        }
        if (type == ZMQ_XSUB && dice < 6)
            return (random.one_in(3) ? std::string(1, '\0') : std::string(1, '\1')) + random.one_of(topics);
        if (type == ZMQ_PUB || type == ZMQ_XPUB)
            return std::string(random.one_of(topics)) + std::to_string(++count_);
        if (dice < 3)
            return {};
        std::string text = "m" + std::to_string(++count_);
        if (dice == 9)
            text.resize(random.below(100), 'x');
        return text;
    }

    // Inproc joins any two types (CMP-2), but only those that fit say more than nonsense; PAIRs meet monitors too. Of two
    // sorts, one binds the name and the other connects to it.
    static std::string family(int type, bool binds) {
        if (type == ZMQ_PUB || type == ZMQ_XPUB || type == ZMQ_SUB || type == ZMQ_XSUB)
            return (type == ZMQ_PUB || type == ZMQ_XPUB) == binds ? "-topics" : "-feeds";
        switch (type) {
        case ZMQ_PAIR: return "";
        case ZMQ_PUSH:
        case ZMQ_PULL: return (type == ZMQ_PUSH) == binds ? "-work" : "-results";
        case ZMQ_STREAM: return binds ? "-server" : "-client"; // it is for tcp
        default: return "-requests";
        }
    }

    int type_of(void* socket) const {
        const auto found = types_.find(socket);
        return found == types_.end() ? -1 : found->second;
    }

    void play(const Call& call) {
        Random random((static_cast<std::uint64_t>(call.a) << 32) | call.b);
        random.next();
        void* const socket = seat(call.c);
        const int number = static_cast<int>(call.c % seats);
        switch (call.function) {
        case Function::socket: {
            if (socket) {
                line_ << "skip";
                return;
            }
            constexpr int types[] = {0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 8, 9, 10, 11, 0, 7, 8, -1, 21};
            const int type = random.one_of(types);
            void* const made = lib_.socket(context_, type);
            line_ << "socket type " << type << " -> " << (made ? "handle" : "null");
            if (!made) {
                error();
                return;
            }
            sockets_[number] = made;
            types_[made] = type;
            const int zero = 0;
            lib_.setsockopt(made, ZMQ_LINGER, &zero, sizeof zero);
            if (random.one_in(2)) {
                const int mark = 1 + static_cast<int>(random.below(3));
                lib_.setsockopt(made, ZMQ_SNDHWM, &mark, sizeof mark);
                lib_.setsockopt(made, ZMQ_RCVHWM, &mark, sizeof mark);
                line_ << " marks " << mark;
            }
            if (random.one_in(3)) {
                const char* const id = random.one_of(identities);
                result(lib_.setsockopt(made, ZMQ_ROUTING_ID, id, std::strlen(id)));
            }
            if (type == ZMQ_SUB && !random.one_in(3))
                lib_.setsockopt(made, ZMQ_SUBSCRIBE, "", 0);
            return;
        }
        case Function::close:
            line_ << "close type " << type_of(socket);
            result(lib_.close(socket));
            forget(socket);
            sockets_[number] = nullptr;
            return;
        case Function::bind:
        case Function::connect:
        case Function::unbind:
        case Function::disconnect: {
            std::string endpoint = random.one_of(endpoints);
            if (!socket) {
                line_ << "skip";
                return;
            }
            if (endpoint.size() == std::strlen("inproc://a"))
                endpoint += family(type_of(socket), call.function == Function::bind || call.function == Function::unbind);
            using Join = int (*)(void*, const char*);
            const Join joins[] = {lib_.bind, lib_.connect, lib_.unbind, lib_.disconnect};
            constexpr const char* names[] = {"bind", "connect", "unbind", "disconnect"};
            const int which = static_cast<int>(call.function) - static_cast<int>(Function::bind);
            line_ << names[which] << " type " << type_of(socket) << ' ' << endpoint
                  << (monitors_.count(endpoint) != 0 ? " of a monitor" : "");
            const int done = joins[which](socket, endpoint.c_str());
            result(done);
            if (done == 0 && call.function == Function::connect)
                joined(socket, endpoint);
            else if (done == 0 && call.function == Function::bind)
                bound(socket, endpoint);
            return;
        }
        case Function::setsockopt: {
            if (!socket) {
                line_ << "skip";
                return;
            }
            const int option = random.one_of(options);
            char value[16] = {};
            constexpr int numbers[] = {0, 1, 2, 3, -1, 5, 100, -2, 255, 256, 1000};
            const int integer = random.one_of(numbers);
            std::memcpy(value, &integer, sizeof integer);
            if (integer < 0)
                std::memset(value + 4, 0xff, 4);
            std::size_t size = random.one_in(6) ? random.below(9) : option == ZMQ_MAXMSGSIZE || option == ZMQ_AFFINITY ? 8 : 4;
            if (option == ZMQ_SUBSCRIBE || option == ZMQ_UNSUBSCRIBE) {
                const char* const topic = random.one_of(topics);
                size = std::strlen(topic);
                std::memcpy(value, topic, size);
            } else if (option == ZMQ_ROUTING_ID) {
                const char* const id = random.one_of(identities);
                size = std::strlen(id);
                std::memcpy(value, id, size);
            } else if (option == ZMQ_SNDTIMEO || option == ZMQ_RCVTIMEO) {
                std::memset(value, 0, sizeof value);
            }
            line_ << "setsockopt type " << type_of(socket) << " option " << option;
            bytes(value, size);
            const int done = lib_.setsockopt(socket, option, value, size);
            result(done);
            probes_ = probes_ || (done == 0 && option == ZMQ_PROBE_ROUTER);
            if (option == ZMQ_SNDHWM || option == ZMQ_RCVHWM) // libzmq looks at its marks again also if it refuses one
                new_mark_.insert(socket);
            return;
        }
        case Function::getsockopt: {
            if (!socket) {
                line_ << "skip";
                return;
            }
            const int option = random.one_of(options);
            char value[300];
            std::memset(value, '-', sizeof value);
            const std::size_t asked = random.one_in(4) ? random.below(9) : random.one_in(2) ? 256 : 4;
            std::size_t size = asked;
            line_ << "getsockopt type " << type_of(socket) << standing(socket) << " option " << option << " size " << asked;
            const int got = lib_.getsockopt(socket, option, value, &size);
            result(got);
            line_ << " size " << size;
            if (got == 0)
                bytes(value, std::min(size, sizeof value));
            return;
        }
        case Function::send: {
            if (!socket) {
                line_ << "skip";
                return;
            }
            const std::string text = body(random, type_of(socket));
            const int flags = ZMQ_DONTWAIT | (random.one_in(3) ? ZMQ_SNDMORE : 0) | (random.one_in(20) ? 64 : 0);
            line_ << "send type " << type_of(socket) << standing(socket) << " flags " << flags;
            bytes(text.data(), text.size());
            sent(socket, flags, lib_.send(socket, text.data(), text.size(), flags), is_subscription(text.data(), text.size()));
            return;
        }
        case Function::recv: {
            if (!socket) {
                line_ << "skip";
                return;
            }
            char data[256];
            const std::size_t room = random.one_in(5) ? random.below(6) : sizeof data;
            line_ << "recv type " << type_of(socket) << standing(socket) << " room " << room;
            const int got = lib_.recv(socket, data, room, ZMQ_DONTWAIT);
            result(got);
            if (got >= 0) {
                const std::size_t size = std::min(room, static_cast<std::size_t>(got));
                if (got == 5 && size > 0 && size < 5 && data[0] == 0)
                    line_ << " <part of an id>";
                else
                    bytes(data, size);
                if (size == 5 && data[0] == 0)
                    last_id_.assign(data, size);
            }
            int more = -1;
            std::size_t size = sizeof more;
            lib_.getsockopt(socket, ZMQ_RCVMORE, &more, &size);
            line_ << " more " << more;
            return;
        }
        case Function::poll: {
            zmq_pollitem_t items[8];
            const int count = static_cast<int>(random.below(7));
            line_ << "poll";
            for (int i = 0; i < count; ++i) {
                items[i].socket = seat(random.below(seats));
                items[i].fd = -1;
                items[i].events = static_cast<short>(random.below(8));
                items[i].revents = 64;
            }
            const bool is_null = random.one_in(20);
            const int asked = random.one_in(20) ? -1 : count;
            line_ << (is_null ? " null" : "") << ' ' << asked;
            const int got = lib_.poll(is_null ? nullptr : items, asked, 0);
            for (int i = 0; i < count; ++i) {
                line_ << " <" << type_of(items[i].socket) << standing(items[i].socket) << ": " << items[i].events;
                if (got >= 0)
                    line_ << ' ' << items[i].revents;
                line_ << '>';
            }
            result(got);
            return;
        }
        case Function::message: play_message(call, random); return;
        case Function::msg_send: {
            if (!socket || !is_valid(call.b)) {
                line_ << "skip";
                return;
            }
            zmq_msg_t* const message = &messages_[call.b % messages];
            const int flags = ZMQ_DONTWAIT | (random.one_in(3) ? ZMQ_SNDMORE : 0);
            line_ << "msg_send type " << type_of(socket) << standing(socket) << " flags " << flags << " size "
                  << lib_.msg_size(message);
            const bool subscribes = is_subscription(static_cast<const char*>(lib_.msg_data(message)), lib_.msg_size(message));
            sent(socket, flags, lib_.msg_send(message, socket, flags), subscribes);
            describe(message);
            return;
        }
        case Function::msg_recv: {
            if (!socket) {
                line_ << "skip";
                return;
            }
            zmq_msg_t* const message = &messages_[call.b % messages];
            line_ << "msg_recv type " << type_of(socket) << standing(socket) << (is_valid(call.b) ? "" : " invalid");
            const int got = lib_.msg_recv(message, socket, ZMQ_DONTWAIT);
            result(got);
            if (is_valid(call.b) && got >= 0)
                describe(message);
            return;
        }
        case Function::ctx_set: {
            const int option = static_cast<int>(random.below(12)) - 1;
            constexpr int values[] = {-1, 1, 2, 1023};
            const int value = random.one_of(values);
            // Fewer sockets or threads would change what follows by when they are noticed.
            if (option <= 4) {
                line_ << "skip";
                return;
            }
            line_ << "ctx_set " << option << ' ' << value;
            result(lib_.ctx_set(context_, option, value));
            return;
        }
        case Function::ctx_get: {
            const int option = static_cast<int>(random.below(12)) - 1;
            line_ << "ctx_get " << option;
            result(lib_.ctx_get(context_, option));
            return;
        }
        case Function::shutdown:
            line_ << "shutdown";
            result(lib_.ctx_shutdown(context_));
            return;
        case Function::monitor: {
            constexpr const char* places[] = {"inproc://m1", "inproc://a", "tcp://127.0.0.1:1", "m", "ipc://m"};
            const char* const place = random.one_of(places);
            const int events = random.one_in(3) ? 0x1ffff : 0;
            if (!socket) {
                line_ << "skip";
                return;
            }
            line_ << "monitor type " << type_of(socket) << ' ' << place << ' ' << events;
            const int done = lib_.monitor(socket, place, events);
            result(done);
            if (done == 0)
                monitors_.insert(place);
            return;
        }
        case Function::null_handle: play_null(random); return;
        case Function::utility: play_utility(random); return;
        }
    }

    // A REP may have dropped what it was sent.
    void tell_given_back() {
        line_ << " given back " << given_back;
        for (const auto& [socket, type] : types_)
            if (type == ZMQ_REP) {
                line_ << " beside a REP";
                return;
            }
    }

    bool is_valid(std::uint32_t number) const { return valid_[number % messages]; }

    void describe(zmq_msg_t* message) {
        bytes(static_cast<const char*>(lib_.msg_data(message)), lib_.msg_size(message));
        line_ << " more " << lib_.msg_more(message);
    }

    void play_message(const Call& call, Random& random) {
        const int at = static_cast<int>(call.c % messages);
        const int other = static_cast<int>(call.c / messages % messages);
        zmq_msg_t* const message = &messages_[at];
        const std::uint32_t what = random.below(10);
        line_ << "message " << what;
        if (what <= 2 && valid_[at])
            lib_.msg_close(message);
        switch (what) {
        case 0: result(lib_.msg_init(message)); break;
        case 1: {
            constexpr std::size_t sizes[] = {0, 1, 5, 29, 30, 33, 34, 100, 5000};
            const std::size_t size = random.one_of(sizes);
            result(lib_.msg_init_size(message, size));
            std::memset(lib_.msg_data(message), 'i', size);
            break;
        }
        case 2: {
            constexpr std::size_t sizes[] = {0, 1, 40};
            const std::size_t size = random.one_of(sizes);
            char* const data = new char[size + 1];
            std::memset(data, 'd', size + 1);
            result(lib_.msg_init_data(message, data, size, give_back, nullptr));
            break;
        }
        case 3:
            result(lib_.msg_close(message));
            tell_given_back();
            valid_[at] = false;
            return;
        case 4:
        case 5:
            // With itself libzmq loses the content.
            if (at == other) {
                line_ << " skip";
                return;
            }
            line_ << (valid_[at] ? " valid" : " invalid") << (valid_[other] ? " valid" : " invalid");
            result(what == 4 ? lib_.msg_move(message, &messages_[other]) : lib_.msg_copy(message, &messages_[other]));
            tell_given_back();
            if (!valid_[at] || !valid_[other]) {
                // Either may have been closed before the other was looked at.
                for (const int each : {at, other}) {
                    lib_.msg_init(&messages_[each]);
                    valid_[each] = true;
                }
                return;
            }
            break;
        default:
            if (!valid_[at]) {
                line_ << " skip";
                return;
            }
            if (what == 6) {
                const int property = static_cast<int>(random.below(6));
                line_ << " get " << property;
                if (property == ZMQ_SRCFD) {
                    line_ << " skip";
                    return;
                }
                result(lib_.msg_get(message, property));
            } else if (what == 7) {
                result(lib_.msg_set(message, static_cast<int>(random.below(5)), 1));
            } else {
                const char* const property = random.one_of(properties);
                const char* const value = lib_.msg_gets(message, property);
                line_ << " gets " << property << ' ' << (value ? value : "null");
                if (!value)
                    error();
            }
            break;
        }
        valid_[at] = true;
        describe(message);
    }

    void play_null(Random& random) {
        char data[8] = {};
        std::size_t size = sizeof data;
        const std::uint32_t what = random.below(12);
        line_ << "null handle " << what;
        switch (what) {
        case 0: result(lib_.close(nullptr)); break;
        case 1: result(lib_.bind(nullptr, "inproc://a")); break;
        case 2: result(lib_.connect(nullptr, "inproc://a")); break;
        case 3: result(lib_.unbind(nullptr, "inproc://a")); break;
        case 4: result(lib_.disconnect(nullptr, "inproc://a")); break;
        case 5: result(lib_.setsockopt(nullptr, ZMQ_LINGER, data, 4)); break;
        case 6: result(lib_.getsockopt(nullptr, ZMQ_LINGER, data, &size)); break;
        case 7: result(lib_.send(nullptr, data, 1, 0)); break;
        case 8: result(lib_.recv(nullptr, data, 1, 0)); break;
        case 9: result(lib_.monitor(nullptr, "inproc://m", 1)); break;
        case 10: result(lib_.ctx_set(nullptr, 1, 1)); break;
        default: result(lib_.ctx_term(nullptr)); break;
        }
    }

    void play_utility(Random& random) {
        char text[64];
        std::uint8_t data[64];
        switch (random.below(4)) {
        case 0: {
            constexpr const char* names[] = {"ipc", "curve", "pgm", "tipc", "norm", "IPC", "", "gssapi"};
            const char* const name = random.one_of(names);
            line_ << "has " << name << " -> " << lib_.has(name);
            break;
        }
        case 1: {
            for (std::uint8_t& each : data)
                each = static_cast<std::uint8_t>(random.next());
            const std::size_t size = random.below(41);
            line_ << "z85_encode " << size;
            const char* const made = lib_.z85_encode(text, data, size);
            if (made)
                bytes(text, std::strlen(text));
            else
                error();
            break;
        }
        case 2: {
            const std::size_t size = random.below(20);
            for (std::size_t i = 0; i < size; ++i)
                text[i] = static_cast<char>(' ' + 1 + random.below(94));
            text[size] = 0;
            line_ << "z85_decode " << text;
            if (lib_.z85_decode(data, text))
                bytes(reinterpret_cast<const char*>(data), size / 5 * 4);
            else
                error();
            break;
        }
        default: {
            constexpr int numbers[] = {0, EAGAIN, EFSM, ETERM, EMTHREAD, ENOCOMPATPROTO, EHOSTUNREACH, EINVAL};
            const int number = random.one_of(numbers);
            line_ << "strerror " << number << ' ' << lib_.strerror(number);
            break;
        }
        }
    }

    void finish() {
        for (int i = 0; i < messages; ++i)
            if (valid_[i])
                lib_.msg_close(&messages_[i]);
        for (void* const socket : sockets_)
            if (socket) {
                const int zero = 0;
                lib_.setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
                lib_.close(socket);
            }
        const int ended = lib_.ctx_term(context_);
        lines_.push_back("term -> " + std::to_string(ended) + ", given back " + std::to_string(given_back));
    }

    const Library lib_;
    const int patience_;
    void* context_ = nullptr;
    void* sockets_[seats] = {};
    zmq_msg_t messages_[messages];
    bool valid_[messages] = {true, true, true};
    std::map<void*, int> types_;
    std::set<void*> in_message_; // a frame with SNDMORE was the last one that they took
    std::map<void*, std::set<std::string>> connected_to_;
    std::map<std::string, void*> binders_; // the last of each name
    std::set<void*> second_;     // PAIRs that came to a name after another, or to a second name, or to one that had another
    std::set<void*> new_mark_;   // a mark of theirs was set later
    std::set<void*> returned_;   // they have bound a name that they had connected to
    bool has_late_subscription_ = false; // a later part that an XSUB has sent
    std::set<std::string> monitors_; // names that monitors had
    bool probes_ = false;        // somebody has PROBE_ROUTER
    std::map<std::string, int> connects_;
    std::map<std::string, std::size_t> ids_;
    std::string last_id_;
    int count_ = 0;
    std::ostringstream line_;
    std::vector<std::string> lines_;
};

} // namespace

std::vector<std::string> trace(void* library, const std::vector<Call>& calls, int patience) {
    return Trace(library, patience).run(calls);
}

} // namespace model
