#include "link/proxy_dialogue.hpp"

#include "transport/stream_io.hpp"

#include <algorithm>
#include <cstddef>

namespace tern {

ProxyDialogue::ProxyDialogue(Loop &loop, ProxyEvents &events, int fd,
                             std::unique_ptr<Socks5Client> client)
    : loop_(loop), events_(events), fd_(fd), client_(std::move(client)) {}

ProxyDialogue::~ProxyDialogue() { loop_.unwatch(watch_, fd_); }

void ProxyDialogue::start() {
    interest_ = ready::read;
    const auto watch = loop_.watch(fd_, *this, interest_);
    if (!watch) {
        events_.proxy_answered(watch.error());
        return;
    }
    watch_ = *watch;
    client_->start(out_);
    go_on();
}

void ProxyDialogue::on_ready(unsigned) { go_on(); }

// Writes and reads until the kernel has no more; nothing of it is used after the call back.
void ProxyDialogue::go_on() {
    Error error;
    if (write_request(error) == Progress::over || read_answer(error) == Progress::over) {
        loop_.unwatch(watch_, fd_);
        events_.proxy_answered(error);
        return;
    }
    const unsigned interest = ready::read | (out_.empty() ? 0u : ready::write);
    if (interest == interest_) return;
    interest_ = interest;
    (void)loop_.change(watch_, fd_, interest);
}

ProxyDialogue::Progress ProxyDialogue::write_request(Error &error) {
    while (!out_.empty()) {
        const IoResult result = write_some(fd_, out_.data(), out_.size());
        if (result.status == IoResult::Status::would_block) break;
        if (result.status != IoResult::Status::ok) {
            error = result.error;
            return Progress::over;
        }
        out_.erase(out_.begin(), out_.begin() + std::ptrdiff_t(result.count));
    }
    return Progress::waits;
}

ProxyDialogue::Progress ProxyDialogue::read_answer(Error &error) {
    uint8_t buffer[512];
    for (;;) {
        const size_t wanted = std::min(client_->wanted(), sizeof buffer);
        const IoResult result = read_some(fd_, buffer, wanted);
        if (result.status == IoResult::Status::would_block) return Progress::waits;
        if (result.status != IoResult::Status::ok) {
            error = result.status == IoResult::Status::closed ? err::broken_pipe : result.error;
            return Progress::over;
        }
        switch (client_->take(Bytes(buffer, result.count), out_)) {
        case Socks5Client::Outcome::more:
            if (write_request(error) == Progress::over) return Progress::over;
            break;
        case Socks5Client::Outcome::done: return Progress::over;
        case Socks5Client::Outcome::failed: error = client_->failure(); return Progress::over;
        }
    }
}

} // namespace tern
