#include "player.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "body.hpp"
#include "cutter.hpp"
#include "drafts.hpp"
#include "ledger.hpp"

namespace model {

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<long> lent_bodies{0};

void give_back(void* data, void*) {
    std::free(data);
    --lent_bodies;
}

std::size_t count_entries(const char* folder) {
    std::size_t count = 0;
    if (DIR* const dir = ::opendir(folder)) {
        while (::readdir(dir))
            ++count;
        ::closedir(dir);
    }
    return count;
}

// What the open descriptors are.
std::string describe_descriptors() {
    std::string result;
    for (int descriptor = 3; descriptor < 1024; ++descriptor) {
        char target[128];
        const ssize_t size =
            ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), target, sizeof target);
        if (size > 0)
            result += ' ' + std::to_string(descriptor) + '=' + std::string(target, static_cast<std::size_t>(size));
    }
    return result;
}

int type_of(Kind kind, int side, bool is_raw) {
    switch (kind) {
    case Kind::push_pull: return side == 0 ? ZMQ_PUSH : ZMQ_PULL;
    case Kind::pub_sub: return side == 0 ? (is_raw ? ZMQ_XPUB : ZMQ_PUB) : (is_raw ? ZMQ_XSUB : ZMQ_SUB);
    case Kind::req_rep: return side == 0 ? ZMQ_REQ : ZMQ_REP;
    case Kind::dealer_router: return side == 0 ? ZMQ_DEALER : ZMQ_ROUTER;
    case Kind::dealer_dealer: return ZMQ_DEALER;
    case Kind::pair: return ZMQ_PAIR;
    case Kind::client_server: return side == 0 ? ZMQ_CLIENT : ZMQ_SERVER;
    case Kind::radio_dish: return side == 0 ? ZMQ_RADIO : ZMQ_DISH;
    case Kind::scatter_gather: return side == 0 ? ZMQ_SCATTER : ZMQ_GATHER;
    case Kind::channel: return ZMQ_CHANNEL;
    case Kind::peer: return ZMQ_PEER;
    }
    return -1;
}

bool is_exclusive(int type) {
    return type == ZMQ_PAIR || type == ZMQ_CHANNEL;
}

bool is_single_part(int type) {
    return type >= ZMQ_SERVER;
}

bool has_topics(int type) {
    return type == ZMQ_PUB || type == ZMQ_XPUB || type == ZMQ_SUB || type == ZMQ_XSUB;
}

bool may_receive(int type) {
    return type != ZMQ_PUSH && type != ZMQ_PUB && type != ZMQ_RADIO && type != ZMQ_SCATTER;
}

bool may_send(int type) {
    return type != ZMQ_PULL && type != ZMQ_SUB && type != ZMQ_XSUB && type != ZMQ_DISH && type != ZMQ_GATHER;
}

Routing routing_of(int type) {
    switch (type) {
    case ZMQ_PUB:
    case ZMQ_XPUB:
    case ZMQ_RADIO: return Routing::fan_out;
    case ZMQ_ROUTER:
    case ZMQ_SERVER:
    case ZMQ_PEER:
    case ZMQ_REP: return Routing::addressed;
    default: return may_send(type) ? Routing::one_of_many : Routing::none;
    }
}

// What a slot holds at the moment. Only its owner touches it.
struct Seat {
    void* socket = nullptr;
    void* monitor = nullptr;
    int party = -1;
    int type = -1;
    bool is_immediate = false;
    bool is_mandatory = false;
    std::vector<int> bound;
    std::vector<int> connected;
    std::set<int> ever_joined;
    std::map<std::string, int> subscriptions;
    // Whom a ROUTER, SERVER or PEER can reach: the newest address of each.
    std::map<int, std::string> addresses;
    std::map<std::string, int> owners;
    MessageId request = 0;  // REQ: sent, not answered; REP: taken, not answered
    int requester = -1;     // REP
};

std::string text(const Seat& seat) {
    return "socket " + std::to_string(seat.party) + " (type " + std::to_string(seat.type) + ')';
}

class Barrier final {
  public:
    explicit Barrier(int count) : count_(count) {}

    void wait() {
        std::unique_lock<std::mutex> lock(mutex_);
        const int round = round_;
        if (++waiting_ == count_) {
            waiting_ = 0;
            ++round_;
            changed_.notify_all();
            return;
        }
        changed_.wait(lock, [&] { return round != round_; });
    }

  private:
    const int count_;
    int waiting_ = 0;
    int round_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
};

class Player final {
  public:
    Player(const Program& program, int patience_seconds, bool is_traced);
    Outcome play();

  private:
    enum class Got { message, nothing, stop };

    void run_thread(int thread);
    void run(const Operation& operation);
    void open(Seat& seat, int slot, const Operation& operation);
    void close(Seat& seat, int slot, std::uint32_t how);
    void bind(Seat& seat, int slot, std::uint32_t choice);
    bool bind_at(Seat& seat, int endpoint);
    void connect(Seat& seat, int slot, std::uint32_t choice);
    void unbind(Seat& seat, std::uint32_t choice);
    void disconnect(Seat& seat, std::uint32_t choice);
    bool keeps_own(const Seat& seat, const std::vector<int>& endpoints, int linger) const;
    bool send(Seat& seat, std::uint32_t a, std::uint32_t b);
    int send_part(Seat& seat, const std::string& topic, MessageId id, std::uint32_t part,
                  const std::vector<std::uint32_t>& sizes, std::uint32_t address, int flags, std::uint32_t how);
    Got receive(Seat& seat, int flags);
    struct LaterPart {
        MessageId message = 0; // 0: of none
        std::uint32_t number = 0;
    };
    LaterPart later_part(const char* data, std::size_t size) const;
    std::string origin_of(const char* data, std::size_t size) const;
    void subscribe(Seat& seat, std::uint32_t choice, bool is_on);
    void set_option(Seat& seat, std::uint32_t a, std::uint32_t b);
    void poll(const Operation& operation);
    void monitor(Seat& seat, int slot);
    void read_monitor(Seat& seat);
    void finish();
    void look_for_leaks();
    void repair();
    bool drain(bool until_owed);
    void probe();
    void term();

    std::string address(int endpoint, bool is_bind) const;
    bool is_network(int endpoint) const { return program_.endpoints[endpoint].transport != Transport::inproc; }
    // CONFLATE and messages of several parts do not go together (CF-4).
    bool is_conflating(int group) const {
        return program_.groups[group] == Kind::push_pull && program_.endpoints.size() % 3 == 0;
    }
    std::size_t slot_of(const Seat& seat) const { return static_cast<std::size_t>(&seat - seats_.data()); }
    bool is_over() const { return is_violated_; }
    // With -trace: what was done, and when.
    template <typename... Parts>
    void note(const Seat& seat, const Parts&... parts) const {
        if (!is_traced_)
            return;
        std::ostringstream line;
        line << std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin_).count() << " slot "
             << slot_of(seat) << ' ' << text(seat);
        ((line << ' ' << parts), ...);
        line << '\n';
        std::cerr << line.str();
    }
    void violate(const std::string& what, const std::string& how) {
        ledger_.violate(what, how);
        is_violated_ = true;
    }
    int owner(int slot) const { return (slot + rotation_) % program_.threads; }
    std::vector<int> endpoints_of(int group, int bind_side) const;

    const Program& program_;
    const std::chrono::seconds patience_;
    const bool is_traced_;
    const Clock::time_point begin_ = Clock::now();
    Ledger ledger_;
    std::vector<Seat> seats_;
    std::vector<int> cutter_routes_; // by endpoint, -1: none
    std::unique_ptr<Cutter> cutter_;
    void* context_ = nullptr;
    std::size_t descriptors_before_ = 0;
    int rotation_ = 0;
    std::atomic<bool> is_violated_{false};
    std::atomic<std::uint64_t> operations_{0};
    Barrier barrier_;
    std::string ip_;
    std::set<int> lingering_at_; // endpoints
    std::mutex lingering_mutex_;
};

Player::Player(const Program& program, int patience_seconds, bool is_traced)
    : program_(program), patience_(patience_seconds), is_traced_(is_traced), ledger_(program),
      seats_(program.slots.size()), barrier_(program.threads) {
    const int pid = static_cast<int>(::getpid());
    ip_ = "127." + std::to_string(1 + pid % 250) + '.' + std::to_string(pid / 250 % 250) + '.' +
          std::to_string(1 + pid / 62500 % 250);
    std::vector<Cutter::Route> routes;
    for (std::size_t i = 0; i < program.endpoints.size(); ++i) {
        if (!program.endpoints[i].is_proxied) {
            cutter_routes_.push_back(-1);
            continue;
        }
        Cutter::Route route{};
        route.listen.sin_family = route.target.sin_family = AF_INET;
        ::inet_pton(AF_INET, ip_.c_str(), &route.listen.sin_addr);
        route.target.sin_addr = route.listen.sin_addr;
        route.listen.sin_port = htons(static_cast<std::uint16_t>(21000 + i));
        route.target.sin_port = htons(static_cast<std::uint16_t>(20000 + i));
        cutter_routes_.push_back(static_cast<int>(routes.size()));
        routes.push_back(route);
    }
    descriptors_before_ = count_entries("/proc/self/fd");
    cutter_ = std::make_unique<Cutter>(routes);
    context_ = zmq_ctx_new();
}

std::string Player::address(int endpoint, bool is_bind) const {
    const Endpoint& each = program_.endpoints[endpoint];
    const std::string number = std::to_string(endpoint);
    switch (each.transport) {
    case Transport::inproc: return "inproc://model-" + number;
    case Transport::ipc:
        return (endpoint % 2 == 0 ? "ipc://@tern-model-" : "ipc:///tmp/tern-model-") + std::to_string(::getpid()) + '-' +
               number;
    case Transport::tcp:
        return "tcp://" + ip_ + ':' + std::to_string((each.is_proxied && !is_bind ? 21000 : 20000) + endpoint);
    case Transport::ws: return "ws://" + ip_ + ':' + std::to_string(22000 + endpoint) + "/model";
    }
    return {};
}

std::vector<int> Player::endpoints_of(int group, int bind_side) const {
    std::vector<int> result;
    for (std::size_t i = 0; i < program_.endpoints.size(); ++i)
        if (program_.endpoints[i].group == group && program_.endpoints[i].bind_side == bind_side)
            result.push_back(static_cast<int>(i));
    return result;
}

void set_int(void* socket, int option, int value) {
    zmq_setsockopt(socket, option, &value, sizeof value);
}

void Player::open(Seat& seat, int slot, const Operation& operation) {
    if (seat.socket)
        return;
    const Slot& place = program_.slots[slot];
    const Kind kind = program_.groups[place.group];
    Random random((static_cast<std::uint64_t>(operation.a) << 32) | operation.b);
    const int type = type_of(kind, place.side, random.one_in(3));
    seat = Seat();
    seat.socket = zmq_socket(context_, type);
    if (!seat.socket)
        return violate("state", "zmq_socket: " + std::string(zmq_strerror(errno)));
    seat.type = type;
    constexpr int marks[] = {1000, 1000, 1, 2, 3, 5, 10, 50, 100, 0};
    Party party;
    party.slot = slot;
    party.group = place.group;
    party.type = type;
    party.routing = routing_of(type);
    party.may_drop = type == ZMQ_ROUTER || type == ZMQ_REP;
    party.send_high_water = party.send_low = random.one_of(marks);
    party.receive_high_water = party.receive_low = random.one_of(marks);
    set_int(seat.socket, ZMQ_SNDHWM, static_cast<int>(party.send_high_water));
    set_int(seat.socket, ZMQ_RCVHWM, static_cast<int>(party.receive_high_water));
    set_int(seat.socket, ZMQ_SNDTIMEO, static_cast<int>(random.below(4)));
    set_int(seat.socket, ZMQ_RCVTIMEO, static_cast<int>(random.below(4)));
    set_int(seat.socket, ZMQ_RECONNECT_IVL, 1 + static_cast<int>(random.below(20)));
    if (random.one_in(8)) {
        seat.is_immediate = party.is_immediate = true;
        set_int(seat.socket, ZMQ_IMMEDIATE, 1);
    }
    if (is_conflating(place.group)) {
        party.is_lossy = true; // either end of a pipe may drop
        if (random.one_in(2))
            set_int(seat.socket, ZMQ_CONFLATE, 1);
    }
    if (type == ZMQ_ROUTER && random.one_in(3)) {
        seat.is_mandatory = true;
        set_int(seat.socket, ZMQ_ROUTER_MANDATORY, 1);
    }
    if (random.one_in(6))
        set_int(seat.socket, ZMQ_SNDBUF, 4096);
    if (random.one_in(6))
        set_int(seat.socket, ZMQ_RCVBUF, 4096);
    if (random.one_in(10)) {
        set_int(seat.socket, ZMQ_HEARTBEAT_IVL, 20);
        set_int(seat.socket, ZMQ_HEARTBEAT_TIMEOUT, 600000); // a busy machine is no fault
    }
    seat.party = ledger_.open(party);
    note(seat, "open", "marks", party.send_high_water, party.receive_high_water, "immediate", seat.is_immediate);
    if (type == ZMQ_SUB || type == ZMQ_DISH || type == ZMQ_XSUB)
        subscribe(seat, operation.a >> 8, true);
}

// Whether everything that it sent goes out after it has left.
bool Player::keeps_own(const Seat& seat, const std::vector<int>& endpoints, int linger) const {
    if (is_exclusive(seat.type) || seat.is_immediate)
        return false;
    return std::all_of(endpoints.begin(), endpoints.end(), [&](int endpoint) {
        return !is_network(endpoint) || (linger < 0 && !program_.endpoints[endpoint].is_proxied);
    });
}

void Player::close(Seat& seat, int, std::uint32_t how) {
    if (!seat.socket)
        return;
    const int linger = is_exclusive(seat.type) ? 0 : how % 3 == 0 ? -1 : how % 3 == 1 ? 0 : 20;
    set_int(seat.socket, ZMQ_LINGER, linger);
    const std::vector<int> endpoints(seat.ever_joined.begin(), seat.ever_joined.end());
    const bool keeps = keeps_own(seat, endpoints, linger);
    if (linger < 0) {
        const std::lock_guard<std::mutex> lock(lingering_mutex_);
        lingering_at_.insert(endpoints.begin(), endpoints.end());
    }
    note(seat, "close linger", linger, "keeps", keeps);
    ledger_.will_close(seat.party, keeps);
    if (zmq_close(seat.socket) != 0)
        violate("state", "zmq_close of " + text(seat) + ": " + zmq_strerror(errno));
    ledger_.did_close(seat.party, keeps);
    if (seat.monitor)
        zmq_close(seat.monitor);
    seat = Seat();
}

bool Player::bind_at(Seat& seat, int endpoint) {
    const int group = program_.endpoints[endpoint].group;
    const std::uint64_t events = ledger_.events(group);
    const bool was_bound = ledger_.is_bound(endpoint);
    const bool was_surely_bound = ledger_.is_surely_bound(endpoint);
    ledger_.will_join(seat.party, endpoint, true);
    const int result = zmq_bind(seat.socket, address(endpoint, true).c_str());
    const int error = errno;
    note(seat, "bind", endpoint, result);
    const bool was_quiet = events + 1 == ledger_.events(group);
    ledger_.did_join(seat.party, endpoint, true, result == 0);
    if (result == 0) {
        seat.bound.push_back(endpoint);
        seat.ever_joined.insert(endpoint);
        if (was_surely_bound && was_quiet)
            violate("state", "two sockets are bound to " + address(endpoint, true));
    } else if (!was_bound && was_quiet) {
        violate("state", "zmq_bind of " + text(seat) + " to " + address(endpoint, true) + ": " + zmq_strerror(error));
    }
    return result == 0;
}

void Player::bind(Seat& seat, int slot, std::uint32_t choice) {
    const Slot& place = program_.slots[slot];
    const std::vector<int> endpoints = endpoints_of(place.group, place.side);
    if (!seat.socket || endpoints.empty())
        return;
    const int endpoint = endpoints[choice % endpoints.size()];
    const bool is_file = program_.endpoints[endpoint].transport == Transport::ipc && endpoint % 2 == 1;
    if (is_exclusive(seat.type) && !seat.ever_joined.empty())
        return;
    if (ledger_.is_bound(endpoint) && (is_file || choice % 8 != 0))
        return;
    if (is_file && program_.threads > 1 && choice % 2 == 0)
        return;
    if (!bind_at(seat, endpoint))
        return;
    if (is_exclusive(seat.type)) {
        const std::vector<int> all = ledger_.parties_joined(endpoint);
        if (all.size() > 2)
            for (const int each : all)
                ledger_.spoil(each);
    }
}

void Player::connect(Seat& seat, int slot, std::uint32_t choice) {
    const Slot& place = program_.slots[slot];
    const std::vector<int> endpoints = endpoints_of(place.group, 1 - place.side);
    if (!seat.socket || endpoints.empty() || seat.connected.size() >= 3)
        return;
    const int endpoint = endpoints[choice % endpoints.size()];
    if (is_exclusive(seat.type) && !seat.ever_joined.empty())
        return;
    // A second connection to the same place is rarer, and for some types there is none.
    const bool is_second = std::count(seat.connected.begin(), seat.connected.end(), endpoint) != 0;
    if (is_second && (choice / 64 % 8 != 0 || is_network(endpoint)))
        return;
    ledger_.will_join(seat.party, endpoint, false);
    int result = 0;
    if (seat.type == ZMQ_PEER && !seat.is_immediate) {
        const std::uint32_t id = drafts().connect_peer(seat.socket, address(endpoint, false).c_str());
        result = id != 0 ? 0 : -1;
        if (id != 0)
            seat.addresses[-1 - endpoint] = std::string(reinterpret_cast<const char*>(&id), sizeof id);
    } else {
        result = zmq_connect(seat.socket, address(endpoint, false).c_str());
    }
    note(seat, "connect", endpoint, result);
    ledger_.did_join(seat.party, endpoint, false, result == 0);
    if (result != 0)
        return violate("state", "zmq_connect of " + text(seat) + " to " + address(endpoint, false) + ": " +
                                    zmq_strerror(errno));
    seat.connected.push_back(endpoint);
    seat.ever_joined.insert(endpoint);
    if (is_exclusive(seat.type)) {
        const std::vector<int> all = ledger_.parties_joined(endpoint);
        if (all.size() > 2)
            for (const int each : all)
                ledger_.spoil(each);
    }
}

void Player::unbind(Seat& seat, std::uint32_t choice) {
    if (!seat.socket || seat.bound.empty())
        return;
    const std::size_t at = choice % seat.bound.size();
    const int endpoint = seat.bound[at];
    set_int(seat.socket, ZMQ_LINGER, -1);
    const bool keeps = keeps_own(seat, {endpoint}, -1);
    ledger_.will_leave(seat.party, endpoint, true, keeps);
    const int result = zmq_unbind(seat.socket, address(endpoint, true).c_str());
    const int error = errno;
    note(seat, "unbind", endpoint, result);
    ledger_.did_leave(seat.party, endpoint, true, result == 0, keeps);
    if (result != 0)
        return violate("state", "zmq_unbind of " + text(seat) + ": " + zmq_strerror(error));
    {
        const std::lock_guard<std::mutex> lock(lingering_mutex_);
        lingering_at_.insert(endpoint);
    }
    seat.bound.erase(seat.bound.begin() + static_cast<std::ptrdiff_t>(at));
}

void Player::disconnect(Seat& seat, std::uint32_t choice) {
    if (!seat.socket || seat.connected.empty())
        return;
    const int endpoint = seat.connected[choice % seat.connected.size()];
    const int linger = is_exclusive(seat.type) || choice / 8 % 2 == 0 ? 0 : -1;
    set_int(seat.socket, ZMQ_LINGER, linger);
    const bool keeps = keeps_own(seat, {endpoint}, linger);
    ledger_.will_leave(seat.party, endpoint, false, keeps);
    const int result = zmq_disconnect(seat.socket, address(endpoint, false).c_str());
    const int error = errno;
    note(seat, "disconnect", endpoint, "linger", linger, result);
    ledger_.did_leave(seat.party, endpoint, false, result == 0, keeps);
    // Over inproc a link ends with its peer, and there is nothing left to disconnect.
    if (result != 0 && (error != ENOENT || is_network(endpoint)))
        return violate("state", "zmq_disconnect of " + text(seat) + ": " + zmq_strerror(error));
    if (linger < 0) {
        const std::lock_guard<std::mutex> lock(lingering_mutex_);
        lingering_at_.insert(endpoint);
    }
    seat.connected.erase(std::remove(seat.connected.begin(), seat.connected.end(), endpoint), seat.connected.end());
    seat.addresses.erase(-1 - endpoint);
}

std::uint32_t random_size(Random& random) {
    const std::uint32_t dice = random.below(1000);
    if (dice < 700)
        return random.below(64);
    if (dice < 920)
        return random.below(3000);
    return dice < 990 ? random.below(20000) : random.below(400000);
}

int Player::send_part(Seat& seat, const std::string& topic, MessageId id, std::uint32_t part,
                      const std::vector<std::uint32_t>& sizes, std::uint32_t address, int flags, std::uint32_t how) {
    const std::uint32_t size = sizes[part];
    const auto parts = static_cast<std::uint32_t>(sizes.size());
    if (part + 1 < parts)
        flags |= ZMQ_SNDMORE;
    const bool has_group = seat.type == ZMQ_RADIO;
    const std::string no_topic;
    const std::string& head = has_group ? no_topic : topic;
    if (how % 3 == 0 && !has_group && address == 0) {
        static thread_local std::vector<char> buffer;
        buffer.resize(std::max<std::size_t>(size, 1));
        write_body(buffer.data(), size, head, id, part, parts);
        return zmq_send(seat.socket, buffer.data(), size, flags);
    }
    zmq_msg_t message;
    if (how % 3 == 1) {
        void* const body = std::malloc(std::max<std::size_t>(size, 1));
        ++lent_bodies;
        zmq_msg_init_data(&message, body, size, give_back, nullptr);
    } else {
        zmq_msg_init_size(&message, size);
    }
    write_body(static_cast<char*>(zmq_msg_data(&message)), size, head, id, part, parts);
    if (has_group)
        drafts().set_group(&message, topic.c_str());
    if (address != 0)
        drafts().set_routing_id(&message, address);
    const int result = zmq_msg_send(&message, seat.socket, flags);
    const int error = errno;
    if (result < 0 && zmq_msg_size(&message) != size)
        violate("state", "a failed zmq_msg_send changed the message of " + text(seat));
    zmq_msg_close(&message);
    errno = error;
    return result;
}

// True when a message was accepted.
bool Player::send(Seat& seat, std::uint32_t a, std::uint32_t b) {
    if (!seat.socket || !may_send(seat.type))
        return false;
    Random random((static_cast<std::uint64_t>(a) << 32) | b);
    constexpr const char* topics[] = {"a", "ab", "abc", "b", "ba", "c"};
    constexpr const char* groups[] = {"x", "y", "z"};
    std::string topic;
    if (has_topics(seat.type))
        topic = random.one_of(topics);
    else if (seat.type == ZMQ_RADIO)
        topic = random.one_of(groups);
    const int flags = random.one_in(12) ? 0 : ZMQ_DONTWAIT;
    std::vector<std::uint32_t> sizes(
        is_single_part(seat.type) || is_conflating(program_.slots[slot_of(seat)].group) || !random.one_in(4) ? 1 : 1 + random.below(5));
    for (std::uint32_t& size : sizes)
        size = random_size(random);
    sizes[0] += static_cast<std::uint32_t>(body_header_size + (topic.empty() ? 0 : topic.size() + 1));

    // EFSM is known beforehand.
    const bool is_out_of_turn =
        (seat.type == ZMQ_REQ && seat.request != 0) || (seat.type == ZMQ_REP && seat.request == 0);
    if (is_out_of_turn) {
        if (zmq_send(seat.socket, "", 0, flags) != -1 || errno != EFSM)
            violate("state", "EFSM was expected of zmq_send of " + text(seat));
        return false;
    }

    int target = -1;
    std::string to;
    std::uint32_t routing_id = 0;
    if (seat.type == ZMQ_REP) {
        target = seat.requester;
    } else if (routing_of(seat.type) == Routing::addressed) {
        if (seat.addresses.empty())
            return false;
        auto chosen = seat.addresses.begin();
        std::advance(chosen, random.below(static_cast<std::uint32_t>(seat.addresses.size())));
        target = chosen->first < 0 ? -1 : chosen->first;
        to = chosen->second;
        if (seat.type != ZMQ_ROUTER)
            std::memcpy(&routing_id, to.data(), sizeof routing_id);
    }
    const MessageId id =
        ledger_.will_send(seat.party, target, topic, sizes, seat.type == ZMQ_REP ? seat.request : 0);
    bool is_accepted = true;
    int error = 0;
    if (seat.type == ZMQ_ROUTER) {
        const int result = zmq_send(seat.socket, to.data(), to.size(), flags | ZMQ_SNDMORE);
        error = errno;
        is_accepted = result >= 0;
        if (!is_accepted && !(seat.is_mandatory && (error == EAGAIN || error == EHOSTUNREACH)))
            violate("state", "zmq_send of an address by " + text(seat) + ": " + zmq_strerror(error));
    }
    for (std::uint32_t part = 0; is_accepted && part < sizes.size(); ++part) {
        int result = send_part(seat, topic, id, part, sizes, routing_id, flags, random.below(3));
        error = errno;
        if (result >= 0)
            continue;
        if (part == 0 && seat.type != ZMQ_ROUTER) {
            is_accepted = false;
            const bool is_gone = error == EHOSTUNREACH && routing_id != 0;
            if (error != EAGAIN && !is_gone)
                violate("state", "zmq_send of " + text(seat) + ": " + zmq_strerror(error));
            break;
        }
        // LB-8: the peer has gone in between; what is left of the message is swallowed.
        if (error != EAGAIN)
            violate("state", "zmq_send of a later part by " + text(seat) + ": " + zmq_strerror(error));
        if (ledger_.is_clear(seat.party))
            violate("state", "a later part was refused by " + text(seat));
        ledger_.excuse_message(id);
        if (is_exclusive(seat.type))
            ledger_.spoil(seat.party);
    }
    note(seat, "send", id, is_accepted ? "accepted" : "refused", "to", target, "parts", sizes.size());
    ledger_.did_send(id, is_accepted);
    if (is_accepted && (seat.type == ZMQ_REQ || seat.type == ZMQ_REP))
        seat.request = seat.type == ZMQ_REQ ? id : 0;
    return is_accepted;
}

// Of which message these bytes are a later part.
Player::LaterPart Player::later_part(const char* data, std::size_t size) const {
    for (MessageId id = 1;; ++id) {
        const std::vector<std::uint32_t> sizes = ledger_.sizes_of(id);
        if (sizes.empty())
            return {};
        for (std::uint32_t part = 1; part < sizes.size(); ++part)
            if (sizes[part] == size && std::memcmp(data, filling(id, part), size) == 0)
                return {id, part};
    }
}

std::string Player::origin_of(const char* data, std::size_t size) const {
    const LaterPart found = later_part(data, size);
    if (found.message == 0)
        return std::to_string(size) + " bytes of no message";
    return "part " + std::to_string(found.number) + " of " + std::to_string(ledger_.sizes_of(found.message).size()) +
           " of message " + std::to_string(found.message) + " from socket " + std::to_string(ledger_.sender_of(found.message));
}

Player::Got Player::receive(Seat& seat, int flags) {
    const bool is_out_of_turn =
        (seat.type == ZMQ_REQ && seat.request == 0) || (seat.type == ZMQ_REP && seat.request != 0);
    zmq_msg_t part;
    zmq_msg_init(&part);
    struct Closer {
        zmq_msg_t* part;
        ~Closer() { zmq_msg_close(part); }
    } closer{&part};
    if (zmq_msg_recv(&part, seat.socket, flags) < 0) {
        if (errno != (is_out_of_turn ? EFSM : EAGAIN))
            violate("state", "zmq_msg_recv of " + text(seat) + ": " + zmq_strerror(errno));
        return Got::nothing;
    }
    if (is_out_of_turn) {
        violate("state", "EFSM was expected of zmq_msg_recv of " + text(seat));
        return Got::stop;
    }
    const auto next_part = [&] {
        if (zmq_msg_recv(&part, seat.socket, ZMQ_DONTWAIT) >= 0)
            return true;
        violate("torn", "the next part is missing at " + text(seat) + ": " + zmq_strerror(errno));
        return false;
    };
    std::string from;
    if (seat.type == ZMQ_ROUTER) {
        from.assign(static_cast<const char*>(zmq_msg_data(&part)), zmq_msg_size(&part));
        if (!zmq_msg_more(&part)) {
            violate("torn", "an address alone at " + text(seat));
            return Got::stop;
        }
        if (!next_part())
            return Got::stop;
    } else if (seat.type == ZMQ_SERVER || seat.type == ZMQ_PEER) {
        const std::uint32_t id = drafts().routing_id(&part);
        from.assign(reinterpret_cast<const char*>(&id), sizeof id);
    }
    const auto* data = static_cast<const char*>(zmq_msg_data(&part));
    if (seat.type == ZMQ_XPUB && zmq_msg_size(&part) > 0 && (data[0] == 0 || data[0] == 1)) {
        if (zmq_msg_more(&part))
            violate("torn", "a subscription of several parts at " + text(seat));
        return Got::message;
    }
    const int head = find_head(data, zmq_msg_size(&part), has_topics(seat.type));
    if (head < 0) {
        const MessageId rest = later_part(data, zmq_msg_size(&part)).message;
        if (seat.type == ZMQ_PAIR && rest != 0 && ledger_.party(ledger_.sender_of(rest)).was_disturbed) {
            // PAIR-9: its sender had lost the peer that has the beginning, and went on with the next one.
            while (zmq_msg_more(&part))
                if (!next_part())
                    return Got::stop;
            ledger_.excuse_message(rest);
            return Got::message;
        }
        violate("torn", "what is not the first part of a message came first at " + text(seat) + ": " +
                            origin_of(data, zmq_msg_size(&part)));
        return Got::stop;
    }
    MessageId id = 0;
    std::memcpy(&id, data + head + 4, 4);
    const std::vector<std::uint32_t> sizes = ledger_.sizes_of(id);
    std::string topic(data, head == 0 ? 0 : static_cast<std::size_t>(head) - 1);
    if (sizes.empty()) {
        violate("content", "no such message at " + text(seat));
        return Got::stop;
    }
    std::vector<char> expected;
    for (std::uint32_t i = 0; i < sizes.size(); ++i) {
        if (i > 0 && !next_part())
            return Got::stop;
        const bool more = zmq_msg_more(&part) != 0;
        if (more != (i + 1 < sizes.size())) {
            violate("torn", "part " + std::to_string(i) + " of " + std::to_string(sizes.size()) + " of message " +
                                std::to_string(id) + (more ? " is followed by more" : " is the last") + " at " + text(seat));
            return Got::stop;
        }
        expected.resize(std::max<std::size_t>(sizes[i], 1));
        write_body(expected.data(), sizes[i], topic, id, i, static_cast<std::uint32_t>(sizes.size()));
        if (zmq_msg_size(&part) != sizes[i] || std::memcmp(zmq_msg_data(&part), expected.data(), sizes[i]) != 0) {
            violate("content", "part " + std::to_string(i) + " of message " + std::to_string(id) + " was changed, at " +
                                   text(seat) + ": " + std::to_string(zmq_msg_size(&part)) + " bytes");
            return Got::stop;
        }
    }
    const int sender = ledger_.sender_of(id);
    if (!from.empty()) {
        const auto found = seat.owners.emplace(from, sender);
        if (found.first->second != sender) {
            // A connection that was made again keeps its address.
            if (ledger_.party(found.first->second).is_alive && !ledger_.party(seat.party).was_disturbed)
                violate("stray", "two peers have one address at " + text(seat));
            seat.addresses.erase(found.first->second);
            found.first->second = sender;
        }
        seat.addresses[sender] = from;
    }
    if (seat.type == ZMQ_SUB) {
        const bool is_wanted = std::any_of(seat.subscriptions.begin(), seat.subscriptions.end(), [&](const auto& each) {
            return topic.compare(0, each.first.size(), each.first) == 0;
        });
        if (!is_wanted)
            violate("stray", "a message of topic " + topic + " at " + text(seat));
    }
    if (seat.type == ZMQ_DISH && seat.subscriptions.count(drafts().group(&part)) == 0)
        violate("stray", "a message of group " + std::string(drafts().group(&part)) + " at " + text(seat));
    note(seat, "recv", id, "from", sender);
    ledger_.received(seat.party, id);
    if (seat.type == ZMQ_REQ) {
        // A connected REP answers the peer it had to the one it has.
        if (ledger_.replied_to(id) != seat.request && !ledger_.party(sender).was_disturbed)
            violate("stray", "a reply to message " + std::to_string(ledger_.replied_to(id)) + " instead of " +
                                 std::to_string(seat.request) + " at " + text(seat));
        seat.request = 0;
    } else if (seat.type == ZMQ_REP) {
        seat.request = id;
        seat.requester = sender;
    }
    return Got::message;
}

void Player::subscribe(Seat& seat, std::uint32_t choice, bool is_on) {
    constexpr const char* topics[] = {"", "a", "ab", "b", "c", "a"};
    constexpr const char* groups[] = {"x", "y", "z"};
    if (!seat.socket)
        return;
    const std::string topic = seat.type == ZMQ_DISH ? groups[choice % 3] : topics[choice % 6];
    const bool is_there = seat.subscriptions.count(topic) != 0;
    int result = 0;
    if (seat.type == ZMQ_SUB) {
        if (!is_on && !is_there)
            return;
        if (!is_on)
            ledger_.subscribe(seat.party, topic, false);
        result = zmq_setsockopt(seat.socket, is_on ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, topic.data(), topic.size());
    } else if (seat.type == ZMQ_XSUB) {
        if (is_on == is_there)
            return;
        if (!is_on)
            ledger_.subscribe(seat.party, topic, false);
        const std::string command = (is_on ? '\1' : '\0') + topic;
        result = zmq_send(seat.socket, command.data(), command.size(), 0) < 0 ? -1 : 0;
    } else if (seat.type == ZMQ_DISH) {
        if (!is_on && is_there)
            ledger_.subscribe(seat.party, topic, false);
        result = is_on ? drafts().join(seat.socket, topic.c_str()) : drafts().leave(seat.socket, topic.c_str());
        if (is_on == is_there) {
            if (result != -1 || errno != EINVAL)
                violate("state", "EINVAL was expected of zmq_join or zmq_leave of " + text(seat));
            return;
        }
    } else {
        return;
    }
    if (result != 0)
        return violate("state", "subscribing of " + text(seat) + ": " + zmq_strerror(errno));
    if (is_on) {
        note(seat, "subscribe", topic);
        ledger_.subscribe(seat.party, topic, true);
        ++seat.subscriptions[topic];
    } else if (--seat.subscriptions[topic] == 0) {
        seat.subscriptions.erase(topic);
    }
}

void Player::set_option(Seat& seat, std::uint32_t a, std::uint32_t b) {
    if (!seat.socket)
        return;
    const int value = static_cast<int>(1 + b % 200);
    switch (a % 6) {
    case 0:
        ledger_.raise_high_water(seat.party, value, -1);
        set_int(seat.socket, ZMQ_SNDHWM, value);
        break;
    case 1:
        ledger_.raise_high_water(seat.party, -1, value);
        set_int(seat.socket, ZMQ_RCVHWM, value);
        break;
    case 2: set_int(seat.socket, ZMQ_SNDTIMEO, value % 4); break;
    case 3: set_int(seat.socket, ZMQ_RCVTIMEO, value % 4); break;
    case 4: set_int(seat.socket, ZMQ_RECONNECT_IVL, value % 20 + 1); break;
    default: set_int(seat.socket, ZMQ_MULTICAST_HOPS, value % 10 + 1); break;
    }
}

void Player::poll(const Operation& operation) {
    zmq_pollitem_t items[32];
    Seat* seats[32];
    int count = 0;
    const int thread = owner(operation.slot);
    for (std::size_t slot = 0; slot < seats_.size() && count < 32; ++slot)
        if (owner(static_cast<int>(slot)) == thread && seats_[slot].socket) {
            const bool wants_out = (operation.b >> (slot % 32) & 1) != 0;
            items[count] = {seats_[slot].socket, 0, static_cast<short>(ZMQ_POLLIN | (wants_out ? ZMQ_POLLOUT : 0)), 0};
            seats[count++] = &seats_[slot];
        }
    if (count == 0)
        return;
    const int result = zmq_poll(items, count, static_cast<long>(operation.a % 16 == 0 ? 2 : 0));
    int ready = 0;
    for (int i = 0; i < count; ++i)
        ready += items[i].revents != 0;
    if (result < 0 && errno == EINTR)
        return;
    if (result != ready)
        return violate("state", "zmq_poll returned " + std::to_string(result) + " for " + std::to_string(ready));
    for (int i = 0; i < count && !is_over(); ++i) {
        Seat& seat = *seats[i];
        if ((items[i].revents & ~items[i].events) != 0)
            violate("state", "zmq_poll reports what was not asked for");
        if ((items[i].revents & ZMQ_POLLIN) != 0) {
            const Got got = receive(seat, ZMQ_DONTWAIT);
            if (got == Got::nothing && seat.type != ZMQ_REQ && !seat.is_immediate)
                violate("state", "POLLIN, and nothing to receive at " + text(seat));
        }
        if ((items[i].revents & ZMQ_POLLOUT) != 0 && routing_of(seat.type) == Routing::one_of_many) {
            const std::uint64_t events = ledger_.events(program_.slots[operation.slot].group);
            const bool sent = send(seat, operation.a + static_cast<std::uint32_t>(i), operation.b);
            if (!sent && ledger_.is_clear(seat.party) && seat.request == 0 && !is_over() && program_.threads == 1 &&
                events == ledger_.events(program_.slots[operation.slot].group))
                violate("state", "POLLOUT, and no room at " + text(seat));
        }
    }
}

void Player::monitor(Seat& seat, int slot) {
    if (!seat.socket)
        return;
    if (seat.monitor)
        return read_monitor(seat);
    const std::string name = "inproc://monitor-" + std::to_string(slot) + '-' + std::to_string(seat.party);
    if (zmq_socket_monitor(seat.socket, name.c_str(), ZMQ_EVENT_ALL) != 0)
        return violate("state", "zmq_socket_monitor of " + text(seat) + ": " + zmq_strerror(errno));
    seat.monitor = zmq_socket(context_, ZMQ_PAIR);
    set_int(seat.monitor, ZMQ_LINGER, 0);
    if (zmq_connect(seat.monitor, name.c_str()) != 0)
        violate("state", "connecting to a monitor: " + std::string(zmq_strerror(errno)));
}

void Player::read_monitor(Seat& seat) {
    for (int i = 0; i < 100; ++i) {
        char event[64];
        const int size = zmq_recv(seat.monitor, event, sizeof event, ZMQ_DONTWAIT);
        if (size < 0)
            return;
        int more = 0;
        std::size_t more_size = sizeof more;
        zmq_getsockopt(seat.monitor, ZMQ_RCVMORE, &more, &more_size);
        if (size != 6 || more != 1 || zmq_recv(seat.monitor, event, sizeof event, ZMQ_DONTWAIT) < 0)
            return violate("torn", "a monitor event of " + text(seat));
    }
}

void Player::run(const Operation& operation) {
    Seat& seat = seats_[static_cast<std::size_t>(operation.slot) % seats_.size()];
    const int slot = operation.slot;
    switch (operation.action) {
    case Action::open: open(seat, slot, operation); break;
    case Action::close: close(seat, slot, operation.a); break;
    case Action::bind: bind(seat, slot, operation.a); break;
    case Action::unbind: unbind(seat, operation.a); break;
    case Action::connect: connect(seat, slot, operation.a); break;
    case Action::disconnect: disconnect(seat, operation.a); break;
    case Action::send: send(seat, operation.a, operation.b); break;
    case Action::burst:
        for (std::uint32_t i = 0; i < operation.a % 50 && !is_over(); ++i)
            if (!send(seat, operation.a + i, operation.b))
                break;
        break;
    case Action::recv:
        if (seat.socket && may_receive(seat.type))
            receive(seat, operation.a % 12 == 0 ? 0 : ZMQ_DONTWAIT);
        break;
    case Action::recv_all:
        if (seat.socket && may_receive(seat.type))
            for (int i = 0; i < 100 && !is_over() && receive(seat, ZMQ_DONTWAIT) == Got::message; ++i) {
            }
        break;
    case Action::subscribe: subscribe(seat, operation.a, true); break;
    case Action::unsubscribe: subscribe(seat, operation.a, false); break;
    case Action::set_option: set_option(seat, operation.a, operation.b); break;
    case Action::poll: poll(operation); break;
    case Action::monitor: monitor(seat, slot); break;
    case Action::cut:
        if (cutter_routes_[slot] >= 0) {
            note(seat, "cut", slot);
            ledger_.will_cut(slot);
            cutter_->cut(cutter_routes_[slot]);
            ledger_.did_cut(slot);
        }
        break;
    case Action::delay:
        if (cutter_routes_[slot] >= 0)
            cutter_->set_delay(cutter_routes_[slot], static_cast<int>(operation.a % 20));
        break;
    case Action::split:
        if (cutter_routes_[slot] >= 0)
            cutter_->set_piece(cutter_routes_[slot], static_cast<int>(1 + operation.a % 3000));
        break;
    case Action::barrier: break;
    }
}

void Player::run_thread(int thread) {
    for (const Operation& operation : program_.operations) {
        if (operation.action == Action::barrier) {
            barrier_.wait();
            if (thread == 0)
                rotation_ = static_cast<int>(operation.a % static_cast<std::uint32_t>(program_.threads));
            barrier_.wait();
        } else if (owner(operation.slot) == thread && !is_over()) {
            ++operations_;
            run(operation);
            if (!ledger_.violation().empty())
                is_violated_ = true;
        }
    }
}

// Whoever waits for a peer gets one.
void Player::repair() {
    for (std::size_t i = 0; i < program_.endpoints.size() && !is_over(); ++i) {
        const int endpoint = static_cast<int>(i);
        if (cutter_routes_[i] >= 0) {
            cutter_->set_delay(cutter_routes_[i], 0);
            cutter_->set_piece(cutter_routes_[i], 0);
        }
        const Endpoint& each = program_.endpoints[i];
        const std::vector<int> joined = ledger_.parties_joined(endpoint);
        if (ledger_.is_bound(endpoint) || joined.empty())
            continue;
        // Only the first peer of such a socket is sure to be taken.
        if (is_exclusive(type_of(program_.groups[each.group], 0, false))) {
            for (const int party : joined)
                ledger_.spoil(party);
            continue;
        }
        for (std::size_t slot = 0; slot < seats_.size(); ++slot) {
            if (program_.slots[slot].group != each.group || program_.slots[slot].side != each.bind_side)
                continue;
            Seat& seat = seats_[slot];
            if (!seat.socket)
                open(seat, static_cast<int>(slot), {Action::open, static_cast<int>(slot), 7, 7});
            bind_at(seat, endpoint);
            break;
        }
    }
}

// Receives whatever comes. False when what is owed has not come for a long time.
bool Player::drain(bool until_owed) {
    auto last = Clock::now();
    while (!is_over()) {
        bool got_any = false;
        for (Seat& seat : seats_) {
            if (!seat.socket || !may_receive(seat.type))
                continue;
            if (seat.type == ZMQ_REP && seat.request != 0)
                send(seat, 5, 5);
            if (seat.type == ZMQ_REQ && seat.request == 0)
                continue;
            if (seat.type == ZMQ_ROUTER && seat.addresses.size() > 1000)
                seat.addresses.clear();
            for (int i = 0; i < 1000 && !is_over() && receive(seat, ZMQ_DONTWAIT) == Got::message; ++i) {
                got_any = true;
                if (seat.type == ZMQ_REP || seat.type == ZMQ_REQ)
                    break;
            }
            if (!ledger_.violation().empty())
                is_violated_ = true;
        }
        if (got_any) {
            last = Clock::now();
            continue;
        }
        if (!until_owed || ledger_.owed() == 0)
            return true;
        if (Clock::now() - last > patience_)
            return false;
        std::vector<zmq_pollitem_t> items;
        for (Seat& seat : seats_)
            if (seat.socket && may_receive(seat.type))
                items.push_back({seat.socket, 0, ZMQ_POLLIN, 0});
        zmq_poll(items.data(), static_cast<int>(items.size()), 10);
    }
    return true;
}

// After everything was received there is room again, and what is sent then arrives.
void Player::probe() {
    for (Seat& seat : seats_) {
        if (!seat.socket || is_over() || !ledger_.is_clear(seat.party) || seat.type == ZMQ_REQ)
            continue;
        const auto begin = Clock::now();
        while (!is_over() && !send(seat, 3, 3)) {
            if (Clock::now() - begin > patience_)
                return violate("stuck", "no room for a message although everything was received: " + text(seat));
            if (!drain(false))
                return;
            zmq_pollitem_t item{seat.socket, 0, ZMQ_POLLOUT, 0};
            zmq_poll(&item, 1, 10);
        }
    }
}

void Player::term() {
    for (std::size_t slot = 0; slot < seats_.size(); ++slot)
        close(seats_[slot], static_cast<int>(slot), 1);
    // What still lingers there finds a peer that takes everything; it has a context of its own.
    for (const int route : cutter_routes_)
        if (route >= 0) {
            cutter_->set_delay(route, 0);
            cutter_->set_piece(route, 0);
        }
    void* const sinks = zmq_ctx_new();
    std::vector<void*> sockets;
    for (const int endpoint : lingering_at_) {
        const Endpoint& each = program_.endpoints[endpoint];
        const Kind kind = program_.groups[each.group];
        if (each.transport == Transport::inproc || is_exclusive(type_of(kind, 0, false)))
            continue;
        void* const sink = zmq_socket(sinks, type_of(kind, each.bind_side, false));
        set_int(sink, ZMQ_RCVHWM, 0);
        set_int(sink, ZMQ_LINGER, 0);
        zmq_bind(sink, address(endpoint, true).c_str());
        sockets.push_back(sink);
    }
    while (zmq_ctx_term(context_) != 0)
        if (errno != EINTR)
            return violate("state", "zmq_ctx_term: " + std::string(zmq_strerror(errno)));
    for (void* const sink : sockets)
        zmq_close(sink);
    zmq_ctx_term(sinks);
    cutter_.reset();
    for (std::size_t i = 0; i < program_.endpoints.size(); ++i)
        if (program_.endpoints[i].transport == Transport::ipc && i % 2 == 1)
            ::unlink(address(static_cast<int>(i), true).c_str() + std::strlen("ipc://"));
}

void Player::finish() {
    if (!is_over())
        repair();
    for (int round = 0; round < 2 && !is_over(); ++round) {
        if (!drain(true))
            violate("loss", std::to_string(ledger_.owed()) + " messages have not arrived, the first is " +
                                ledger_.describe_owed());
        if (round == 0)
            probe();
    }
    term();
}

// The library may keep something for each thread, so those that used it are over.
void Player::look_for_leaks() {
    if (is_over())
        return;
    if (const long lent = lent_bodies)
        violate("leak", std::to_string(lent) + " bodies of messages were never given back");
    const auto begin = Clock::now();
    std::size_t descriptors = 0;
    while ((descriptors = count_entries("/proc/self/fd")) > descriptors_before_ && Clock::now() - begin < patience_)
        std::this_thread::yield();
    if (descriptors != descriptors_before_)
        violate("leak", "descriptors: " + std::to_string(descriptors_before_) + " before, " +
                            std::to_string(descriptors) + " after:" + describe_descriptors());
}

Outcome Player::play() {
    if (!cutter_->is_open())
        violate("test", "the ports of the relay are taken");
    lent_bodies = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < program_.threads; ++thread)
        threads.emplace_back([this, thread] { run_thread(thread); });
    for (std::thread& thread : threads)
        thread.join();
    std::thread([this] { finish(); }).join();
    look_for_leaks();
    return {ledger_.violation(), operations_, ledger_.accepted(), ledger_.delivered(), ledger_.delivered_owed()};
}

} // namespace

Outcome play(const Program& program, int patience_seconds, bool is_traced) {
    filling(0, 0);
    return Player(program, patience_seconds, is_traced).play();
}

} // namespace model
