// Monitor: tells collectors, who have connected to an inproc name, what happens to a socket's endpoints
// (MON-1..34). Whoever emits an event never waits: what no collector has taken is kept up to a limit,
// then the oldest is dropped and counted. Who gets what is up to a pattern: PAIR, PUSH or PUB.
//
//   version 1: [16-bit event][32-bit value], [address]
//   version 2: [64-bit event], [64-bit number of values], a frame each, [local], [remote]
//   all numbers in native order
//
// Threads: any; one lock, taken under the monitored socket's turn or the collector's.
// Owner:   the monitored Socket, and its own mailbox until the collectors' pipes are gone.
// Limit:   events_max waiting events.
#ifndef TERN_SOCKET_MONITOR_HPP
#define TERN_SOCKET_MONITOR_HPP

#include "flow/mailbox.hpp"
#include "flow/pipe.hpp"
#include "link/link_host.hpp"
#include "os/lock.hpp"
#include "pattern/pattern.hpp"
#include "socket/inproc.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace tern {

class Monitor final : public MailboxListener,
                      public PatternHost,
                      public std::enable_shared_from_this<Monitor> {
  public:
    static constexpr size_t events_max = 65536;

    // Of a version that does not exist nothing is told. `type`: ZMQ_PAIR, ZMQ_PUSH or ZMQ_PUB.
    Monitor(InprocNames &names, uint64_t events, int version, int type);
    // EADDRINUSE when the name is taken.
    Error start(const std::string &name);
    void emit(LinkEvent event, int64_t value, const EndpointTexts &endpoints);
    bool reports_pipes() const;
    void emit_pipe(uint64_t outbound, uint64_t inbound, const EndpointTexts &endpoints);
    // The last event, unless the context is going down; then the end of the pipes.
    void stop(bool tell);

    void news_posted() override;

    void pipe_drained(Pipe &) override {} // an end is seen in the news
    void pipe_refused(Pipe &pipe) override { refused_ = &pipe; }
    void pipe_unheard(Pipe &) override {}
    void pipe_unwanted(Pipe &) override {}

  private:
    struct Event {
        std::vector<OwnMessage> frames;
        size_t sent = 0;
    };
    void add(uint64_t event, const std::vector<uint64_t> &values, const EndpointTexts &endpoints);
    void send_waiting();
    void take_news();
    void meet(Pipe &pipe);
    void lose(Pipe &pipe);
    void let_go(Pipe &pipe);

    InprocNames &names_;
    const uint64_t events_;
    const int version_;
    std::string name_; // set by start()
    Lock lock_;
    std::unique_ptr<Pattern> pattern_;
    Mailbox *mailbox_ = nullptr;
    std::vector<Pipe *> collectors_;
    Pipe *refused_ = nullptr;
    bool collectors_left_ = false;
    bool stopped_ = false;
    std::deque<Event> waiting_;
    int late_releases_ = 0; // pipes let go while they were in the mailbox
    uint64_t dropped_ = 0;
};

} // namespace tern

#endif
