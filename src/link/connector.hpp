// Connector: keeps one connection to a remote endpoint, again and again, with growing pauses.
//
//   resolving -> connecting -> asking_proxy -> opening -> up
//       ^  \__________\_____________\_____________\______/  lost: wait, then again; fatal: stopped
//       '------------- waiting <----'
//
// A proxy is asked only where there is one between.
//
// Threads: made and closed under the turn on any thread; everything else on the I/O thread.
// Owner:   shared by the Socket and by tasks on their way to the I/O thread.
#ifndef TERN_LINK_CONNECTOR_HPP
#define TERN_LINK_CONNECTOR_HPP

#include "link/opening.hpp"
#include "link/proxy_dialogue.hpp"
#include "os/helper_threads.hpp"
#include "transport/stream_transport.hpp"

#include <memory>

namespace tern {

class Connector final : public EventHandler,
                        public LinkOwner,
                        public OpeningEvents,
                        public ProxyEvents,
                        public std::enable_shared_from_this<Connector> {
  public:
    Connector(LinkHostPointer host, uint64_t id, std::shared_ptr<const LinkOptions> options,
              const StreamTransport &transport, Wrapping wrapping, Endpoint endpoint,
              HelperThreads &resolver,
              uint32_t random);

    uint64_t id() const { return id_; }
    Link &link() { return *link_; }
    const std::shared_ptr<Link> &shared_link() { return link_; }
    // I/O thread: the first attempt.
    void start();
    // Under the turn: no more than what waits is sent, for `linger_ms` at most (-1: for ever).
    void close(int linger_ms);

    void on_ready(unsigned bits) override;
    void connection_ended(Link &link, bool fatal) override;
    void opening_ready(Opening &opening, Established established) override;
    void opening_failed(Opening &opening, bool fatal) override;
    // There is one at a time, of somebody whom the program has chosen.
    bool opening_needs_place(Opening &) override { return true; }
    void proxy_answered(Error error) override;

  private:
    // Where a look-up leaves its answer; the connector takes its loop out when it stops, because the
    // name service may answer long after everything else is gone.
    struct Lookup;
    enum class State { idle, resolving, connecting, asking_proxy, opening, up, waiting, stopped };

    void attempt();
    void look_up();
    void connect(const Result<SocketAddress> &target);
    void connected();
    void ask_proxy(std::unique_ptr<Socks5Client> client);
    void open();
    void outlive_this_call();
    void limit_attempt(int timeout_ms);
    void attempt_failed(Error error);
    void wait_and_retry();
    void stop(bool remove_endpoint);
    void finish_closing(int linger_ms);
    bool is_wanted();
    void close_descriptor();
    void emit(LinkEvent event, int64_t value);

    const LinkHostPointer host_holder_;
    LinkHost &host_;
    const uint64_t id_;
    const std::shared_ptr<const LinkOptions> options_;
    const StreamTransport &transport_;
    const Wrapping wrapping_;
    const Endpoint endpoint_;
    HelperThreads &resolver_;
    const std::shared_ptr<Link> link_;
    bool closed_ = false; // under the turn

    // I/O thread.
    State state_ = State::idle;
    Fd fd_;
    Loop::WatchId watch_ = 0;
    Loop::TimerId timer_; // retry, or the end of an attempt
    Loop::TimerId linger_timer_;
    std::shared_ptr<Lookup> lookup_;
    std::unique_ptr<ProxyDialogue> proxy_; // before fd_ is closed, it goes
    std::unique_ptr<Opening> opening_;
    std::unique_ptr<Opening> over_;
    int next_interval_ms_;
    uint32_t random_;
    bool forgotten_ = false;
};

} // namespace tern

#endif
