// ProxyDialogue: what is said to a proxy on a connection that has just been made to it, before the
// peer at its other side is heard. It reads no byte of the peer's.
// Threads: I/O thread only.
// Owner:   a Connector, which owns the descriptor too, and watches the time.
#ifndef TERN_LINK_PROXY_DIALOGUE_HPP
#define TERN_LINK_PROXY_DIALOGUE_HPP

#include "reactor/loop.hpp"
#include "transport/socks5.hpp"

#include <memory>
#include <vector>

namespace tern {

class ProxyEvents {
  public:
    virtual ~ProxyEvents() = default;
    // No error: the peer is at the other end now. The dialogue may be dropped inside the call.
    virtual void proxy_answered(Error error) = 0;
};

class ProxyDialogue final : public EventHandler {
  public:
    ProxyDialogue(Loop &loop, ProxyEvents &events, int fd, std::unique_ptr<Socks5Client> client);
    ~ProxyDialogue() override;

    // May call back at once.
    void start();
    void on_ready(unsigned bits) override;

  private:
    enum class Progress { waits, over };

    void go_on();
    Progress write_request(Error &error);
    Progress read_answer(Error &error);

    Loop &loop_;
    ProxyEvents &events_;
    const int fd_;
    const std::unique_ptr<Socks5Client> client_;
    std::vector<uint8_t> out_;
    Loop::WatchId watch_ = 0;
    unsigned interest_ = 0;
};

} // namespace tern

#endif
