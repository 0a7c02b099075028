// Context: what the sockets of a program share: I/O threads, inproc names, helper threads, limits.
// Threads: any; one lock, never held while a socket's turn is taken except in this order: the
//          context's lock first, then no turn at all.
// Owner:   its handle, until terminate() has seen the last socket go.
#ifndef TERN_SOCKET_CONTEXT_HPP
#define TERN_SOCKET_CONTEXT_HPP

#include "os/fork_guard.hpp"
#include "os/helper_threads.hpp"
#include "os/random.hpp"
#include "reactor/loop.hpp"
#include "socket/context_options.hpp"
#include "socket/inproc.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace tern {

class Socket;
struct Options;

class Context {
  public:
    static Result<std::shared_ptr<Context>> create();
    ~Context();

    Error set_option(int option, const void *value, size_t size);
    Error get_option(int option, void *value, size_t *size);

    // A new socket's handle. The first one starts the I/O threads.
    Result<void *> make_socket(int type);
    // Every blocking call in every thread ends with ETERM.
    void shut_down();
    // Waits until all sockets are closed and have sent what lingers. EINTR when a handler ran.
    Error terminate();

    bool is_terminating() const { return terminating_.load(std::memory_order_acquire); }
    bool is_inherited() const { return fork_guard_.is_inherited(); }
    InprocNames &inproc_names() { return inproc_names_; }
    RandomNumbers &random_numbers() { return random_numbers_; }
    HelperThreads &resolver() { return resolver_; }
    // For tokens of security handshakes. Those that only need this machine do not wait behind those
    // that ask a ticket server.
    HelperThreads &ticket_seekers() { return ticket_seekers_; }
    HelperThreads &ticket_readers() { return ticket_readers_; }
    // The least loaded I/O thread among those the mask allows (0: all). Null when there is none.
    Loop *choose_loop(uint64_t affinity);
    // Monitors count as sockets (LIM-1). False when the limit is reached.
    bool reserve_slot();
    void release_slot();
    // A closed socket has finished its work.
    void socket_finished(Socket *socket);

  private:
    Context() = default;
    Error start_threads();
    std::shared_ptr<const Options> defaults_of(int socket_type);

    static constexpr int socket_types = 21;
    const ForkGuard fork_guard_;
    std::atomic<bool> terminating_{false};
    InprocNames inproc_names_;
    RandomNumbers random_numbers_;
    HelperThreads resolver_{"ZMQbg/Resolver"};
    HelperThreads ticket_seekers_{"ZMQbg/Seeker"};
    HelperThreads ticket_readers_{"ZMQbg/Reader"};
    std::atomic<uint32_t> finished_{0}; // counts how often no socket was left; terminate() sleeps on it

    std::mutex mutex_;
    ContextOptions options_;                              // under mutex_
    bool started_ = false;                                // under mutex_
    int max_sockets_ = 0;                                 // under mutex_, latched at the start
    int slots_ = 0;                                       // under mutex_
    // What new sockets of a type begin with; under mutex_, made when the first one is.
    std::array<std::shared_ptr<const Options>, socket_types> defaults_;
    std::vector<std::shared_ptr<Socket>> sockets_; // under mutex_; each knows its place
    std::vector<std::unique_ptr<Loop>> loops_;            // fixed after the start
};

} // namespace tern

#endif
