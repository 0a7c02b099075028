#include "link/listener.hpp"

#include <algorithm>

namespace tern {

namespace {
// After accept has failed for want of descriptors or memory: no busy loop.
constexpr int pause_ms = 100;
constexpr int accepts_per_event = 64;
// Between looks for the end of a message that the program is sending on a connection that has to go.
constexpr int message_look_ms = 1;
} // namespace

Listener::Listener(LinkHostPointer host, uint64_t id, std::shared_ptr<const LinkOptions> options,
                   const StreamTransport &transport)
    : host_holder_(std::move(host)), host_(*host_holder_), id_(id), options_(std::move(options)),
      transport_(transport) {}

Error Listener::open(const Endpoint &endpoint) {
    auto wrapping = transport_.wrapping(endpoint.address, options_->transport, true);
    auto listening = wrapping ? transport_.listen(endpoint.address, options_->transport)
                              : Result<Listening>(wrapping.error());
    if (!listening) {
        // Monitors see the bare address here (MON-27).
        host_.event(LinkEvent::closed, -1, {{}, {}, true});
        host_.event(LinkEvent::bind_failed, listening.error().number(),
                    {endpoint.address, {}, true});
        return listening.error();
    }
    wrapping_ = std::move(*wrapping);
    listening_ = std::move(*listening);
    host_.event(LinkEvent::listening, listening_.fd.get(), {listening_.endpoint, {}, true});
    return err::none;
}

void Listener::start() {
    Turn turn(host_.turn());
    if (closed_) return;
    const auto watch = host_.loop().watch(listening_.fd.get(), *this, ready::read);
    if (watch) watch_ = *watch;
    else pause_accepting();
}

void Listener::on_ready(unsigned) {
    const std::shared_ptr<Listener> self = shared_from_this();
    over_.clear();
    accept_some();
    over_.clear();
}

void Listener::accept_some() {
    for (int i = 0; i < accepts_per_event; ++i) {
        std::unique_ptr<Opening> opening;
        {
            Turn turn(host_.turn());
            if (closed_) return;
            auto accepted = transport_.accept(listening_.fd.get(), options_->transport);
            if (!accepted) {
                const Error error = accepted.error();
                if (error == err::again || error == Error(EWOULDBLOCK)) return;
                if (error == err::interrupted || error == Error(ECONNABORTED)) continue;
                host_.event(LinkEvent::accept_failed, error.number(),
                            {listening_.endpoint, {}, true});
                if (error == accept_filtered) continue;
                pause_accepting();
                return;
            }
            EndpointTexts endpoints{listening_.endpoint, accepted->peer_endpoint, true};
            host_.event(LinkEvent::accepted, accepted->fd.get(), endpoints);
            opening = std::make_unique<Opening>(
                host_holder_, *this, options_, wrapping_, std::move(accepted->fd),
                std::move(accepted->peer_address), std::move(endpoints));
        }
        opening->index = openings_.size();
        openings_.push_back(std::move(opening));
        openings_.back()->start();
    }
}

// Under the turn.
void Listener::pause_accepting() {
    host_.loop().unwatch(watch_, listening_.fd.get());
    host_.loop().cancel_timer(pause_timer_);
    pause_timer_ = host_.loop().add_timer_ms(pause_ms, [self = shared_from_this()] {
        self->pause_timer_ = {};
        self->start();
    });
}

void Listener::drop(Opening &opening) {
    const size_t index = opening.index;
    room_.leave(opening);
    over_.push_back(std::move(openings_[index]));
    if (index + 1 < openings_.size()) {
        openings_[index] = std::move(openings_.back());
        openings_[index]->index = index;
    }
    openings_.pop_back();
    host_.loop().post([self = shared_from_this()] { self->over_.clear(); });
}

void Listener::opening_ready(Opening &opening, Established established) {
    auto link = std::make_shared<Link>(host_holder_, *this, options_, opening.endpoints());
    const std::string remote = opening.endpoints().remote;
    drop(opening);
    links_.push_back(link);
    Turn turn(host_.turn());
    if (closed_) {
        turn.unlock();
        links_.pop_back();
        return;
    }
    link->start(turn, std::move(established), remote);
}

void Listener::opening_failed(Opening &opening, bool) { drop(opening); }

void Listener::connection_ended(Link &link, bool) {
    const std::shared_ptr<Listener> self = shared_from_this();
    {
        Turn turn(host_.turn());
        host_.link_ended(link);
    }
    const auto it = std::find_if(links_.begin(), links_.end(),
                                 [&link](const auto &held) { return held.get() == &link; });
    if (it != links_.end()) {
        std::swap(*it, links_.back());
        links_.pop_back();
    }
    forget_if_done();
}

void Listener::close(int linger_ms) {
    if (closed_) return;
    closed_ = true;
    const int fd = listening_.fd.get();
    // The kernel forgets the descriptor here and now; the loop's own note of it goes later.
    host_.loop().poller().remove(fd);
    listening_.fd.reset();
    transport_.remove_files(listening_);
    host_.event(LinkEvent::closed, fd, {listening_.endpoint, {}, true});
    host_.loop().post([self = shared_from_this(), linger_ms] { self->finish_closing(linger_ms); });
}

void Listener::finish_closing(int linger_ms) {
    host_.loop().unwatch(watch_, -1);
    host_.loop().cancel_timer(pause_timer_);
    openings_.clear();
    over_.clear();
    flushes_ = linger_ms != 0;
    if (linger_ms > 0 && !links_.empty())
        linger_timer_ = host_.loop().add_timer_ms(linger_ms, [self = shared_from_this()] {
            self->linger_timer_ = {};
            self->flushes_ = false;
            if (self->is_closing_) self->drop_outputs();
            else self->end_links();
        });
    end_links();
}

// Those that are retired already are asked again, which means nothing.
void Listener::end_links() {
    bool has_unfinished = false;
    {
        Turn turn(host_.turn());
        for (const auto &link : links_) {
            const LinkHost::Retired retired = host_.retire_link(turn, *link, flushes_);
            if (retired == LinkHost::Retired::reading) {
                turn.unlock();
                host_.loop().post([self = shared_from_this()] { self->end_links(); });
                return;
            }
            has_unfinished = has_unfinished || retired == LinkHost::Retired::mid_message;
        }
    }
    if (has_unfinished) {
        host_.loop().cancel_timer(message_timer_);
        message_timer_ = host_.loop().add_timer_ms(message_look_ms, [self = shared_from_this()] {
            self->message_timer_ = {};
            self->end_links();
        });
        return;
    }
    is_closing_ = true;
    if (!flushes_) drop_outputs();
    forget_if_done();
}

void Listener::drop_outputs() {
    Turn turn(host_.turn());
    for (const auto &link : links_) link->drop_output();
}

void Listener::forget_if_done() {
    Turn turn(host_.turn());
    if (!is_closing_ || !links_.empty() || forgotten_) return;
    forgotten_ = true;
    host_.loop().cancel_timer(linger_timer_);
    host_.loop().cancel_timer(message_timer_);
    host_.endpoint_finished(id_);
}

} // namespace tern
