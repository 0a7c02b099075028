// Monitor: tells a collector, a PAIR connected to an inproc name, what happens to a socket's endpoints
// (MON-1..32). Whoever emits an event never waits: what the collector has not read is kept up to a
// limit, then the oldest is dropped and counted.
// Threads: any; one lock, taken under the monitored socket's turn or the collector's.
// Owner:   the monitored Socket, and its own mailbox until the collector's pipe is gone.
// Limit:   events_max waiting events.
#ifndef TERN_SOCKET_MONITOR_HPP
#define TERN_SOCKET_MONITOR_HPP

#include "flow/mailbox.hpp"
#include "flow/pipe.hpp"
#include "link/link_host.hpp"
#include "os/lock.hpp"
#include "socket/inproc.hpp"

#include <deque>
#include <memory>
#include <string>

namespace tern {

class Monitor final : public MailboxListener, public std::enable_shared_from_this<Monitor> {
  public:
    static constexpr size_t events_max = 65536;

    Monitor(InprocNames &names, int events) : names_(names), events_(events) {}
    // EADDRINUSE when the name is taken.
    Error start(const std::string &name);
    void emit(LinkEvent event, int64_t value, const EndpointTexts &endpoints);
    // The last event, unless the context is going down; then the end of the pipe.
    void stop(bool tell);

    void news_posted() override;

  private:
    struct Event {
        OwnMessage what;
        OwnMessage where;
    };
    void add(uint16_t event, uint32_t value, const std::string &address);
    void send_waiting();
    void take_news();
    void let_go(Pipe &pipe);

    InprocNames &names_;
    const int events_;
    Lock lock_;
    Mailbox *mailbox_ = nullptr;
    Pipe *collector_ = nullptr;
    bool collector_left_ = false;
    bool stopped_ = false;
    std::deque<Event> waiting_;
    int late_releases_ = 0; // pipes let go while they were in the mailbox
    uint64_t dropped_ = 0;
};

} // namespace tern

#endif
