#include "link/connector.hpp"

#include <algorithm>
#include <mutex>

namespace tern {

struct Connector::Lookup {
    std::mutex mutex;
    Loop *loop; // under mutex; null when nobody waits for the answer
};

Connector::Connector(LinkHostPointer host, uint64_t id, std::shared_ptr<const LinkOptions> options,
                     const StreamTransport &transport, Wrapping wrapping, Endpoint endpoint,
                     HelperThreads &resolver,
                     uint32_t random)
    : host_holder_(std::move(host)), host_(*host_holder_), id_(id), options_(std::move(options)),
      transport_(transport), wrapping_(std::move(wrapping)), endpoint_(std::move(endpoint)),
      resolver_(resolver),
      link_(std::make_shared<Link>(host_holder_, *this, options_,
                                   EndpointTexts{{}, endpoint_.text, false})),
      next_interval_ms_(options_->reconnect_interval_ms), random_(random) {}

void Connector::emit(LinkEvent event, int64_t value) {
    Turn turn(host_.turn());
    host_.event(event, value, {{}, endpoint_.text, false});
}

// After a close there is nothing to connect for, unless something waits to be sent.
bool Connector::is_wanted() {
    Turn turn(host_.turn());
    return !closed_ || link_->has_output();
}

void Connector::start() {
    if (state_ == State::idle) attempt();
}

void Connector::attempt() {
    over_.reset();
    if (!is_wanted()) {
        stop(true);
        return;
    }
    if (transport_.asks_name_service(endpoint_.address, options_->transport)) look_up();
    else connect(transport_.resolve(endpoint_.address, options_->transport));
}

void Connector::look_up() {
    state_ = State::resolving;
    lookup_ = std::make_shared<Lookup>();
    lookup_->loop = &host_.loop();
    const bool asked = resolver_.run([weak = std::weak_ptr<Connector>(shared_from_this()),
                                      lookup = lookup_, &transport = transport_,
                                      address = endpoint_.address, options = options_] {
        const auto target = transport.resolve(address, options->transport);
        std::lock_guard<std::mutex> guard(lookup->mutex);
        if (!lookup->loop) return;
        lookup->loop->post([weak, lookup, target] {
            const auto self = weak.lock();
            if (self && self->lookup_ == lookup && self->state_ == State::resolving)
                self->connect(target);
        });
    });
    if (!asked) attempt_failed(err::again);
}

void Connector::connect(const Result<SocketAddress> &target) {
    if (!target) {
        attempt_failed(target.error());
        return;
    }
    auto connecting = transport_.connect(endpoint_.address, *target, options_->transport);
    fd_ = std::move(connecting.fd);
    if (connecting.error) {
        attempt_failed(connecting.error);
        return;
    }
    if (!connecting.in_progress) {
        connected();
        return;
    }
    state_ = State::connecting;
    emit(LinkEvent::connect_delayed, EINPROGRESS);
    const auto watch = host_.loop().watch(fd_.get(), *this, ready::write);
    if (!watch) {
        attempt_failed(watch.error());
        return;
    }
    watch_ = *watch;
    limit_attempt(options_->transport.connect_timeout_ms);
}

// 0: no limit.
void Connector::limit_attempt(int timeout_ms) {
    if (timeout_ms <= 0) return;
    timer_ = host_.loop().add_timer_ms(timeout_ms, [self = shared_from_this()] {
        self->timer_ = {};
        self->attempt_failed(Error(ETIMEDOUT));
    });
}

void Connector::on_ready(unsigned) {
    const std::shared_ptr<Connector> self = shared_from_this();
    const Error error = finish_connect(fd_.get());
    if (error) attempt_failed(error);
    else connected();
}

void Connector::connected() {
    host_.loop().unwatch(watch_, fd_.get());
    if (auto client = transport_.proxy_client(endpoint_.address, options_->transport))
        ask_proxy(std::move(client));
    else open();
}

// A connect time-out goes on counting. Without one, a silent proxy has as long as a silent peer.
void Connector::ask_proxy(std::unique_ptr<Socks5Client> client) {
    state_ = State::asking_proxy;
    const int timeout_ms = options_->transport.connect_timeout_ms;
    if (!timer_) limit_attempt(timeout_ms > 0 ? timeout_ms : options_->handshake_interval_ms);
    proxy_ = std::make_unique<ProxyDialogue>(host_.loop(), *this, fd_.get(), std::move(client));
    proxy_->start();
}

void Connector::proxy_answered(Error error) {
    const std::shared_ptr<Connector> self = shared_from_this();
    const auto over = std::move(proxy_); // still on the stack of this call
    if (error) attempt_failed(error);
    else open();
}

void Connector::open() {
    host_.loop().cancel_timer(timer_);
    next_interval_ms_ = options_->reconnect_interval_ms; // back-off starts anew (RC-5)
    EndpointTexts endpoints{transport_.local_endpoint(fd_.get()), endpoint_.text, false};
    std::string peer = transport_.peer_address(fd_.get());
    {
        Turn turn(host_.turn());
        host_.event(LinkEvent::connected, fd_.get(), endpoints);
    }
    state_ = State::opening;
    opening_ = std::make_unique<Opening>(host_holder_, *this, options_, wrapping_, std::move(fd_),
                                         std::move(peer), std::move(endpoints));
    opening_->start();
}

// The opening that calls is ours, and goes on after the call.
void Connector::outlive_this_call() {
    host_.loop().post([self = shared_from_this()] {});
}

void Connector::opening_ready(Opening &opening, Established established) {
    outlive_this_call();
    const std::string local = opening.endpoints().local;
    over_ = std::move(opening_);
    state_ = State::up;
    Turn turn(host_.turn());
    link_->start(turn, std::move(established), local);
}

void Connector::opening_failed(Opening &, bool fatal) {
    outlive_this_call();
    over_ = std::move(opening_);
    if (fatal || (options_->reconnect_stop & reconnect_stop_handshake_failed)) stop(false);
    else wait_and_retry();
}

void Connector::attempt_failed(Error error) {
    const std::shared_ptr<Connector> self = shared_from_this();
    host_.loop().cancel_timer(timer_);
    const int fd = fd_.get();
    close_descriptor();
    if (fd >= 0) emit(LinkEvent::closed, fd);
    if ((options_->reconnect_stop & reconnect_stop_refused) && error == Error(ECONNREFUSED))
        stop(true);
    else wait_and_retry();
}

void Connector::close_descriptor() {
    proxy_.reset();
    host_.loop().unwatch(watch_, fd_.get());
    fd_.reset();
}

void Connector::connection_ended(Link &link, bool fatal) {
    const std::shared_ptr<Connector> self = shared_from_this();
    const bool retries = !fatal && options_->reconnect_interval_ms > 0;
    {
        Turn turn(host_.turn());
        // With IMMEDIATE, or for good, the pipe goes with its connection (RC-6, RC-8).
        if (options_->immediate && !closed_) {
            link.forget_output();
            host_.link_lost(link);
        } else if (fatal || !retries) {
            host_.link_ended(link);
        }
    }
    if (fatal) stop(false);
    else if (!retries) stop(true);
    else wait_and_retry();
}

void Connector::wait_and_retry() {
    if (!is_wanted()) {
        stop(true);
        return;
    }
    state_ = State::waiting;
    if (options_->reconnect_interval_ms <= 0) return; // the pipe stays until close (RC-6)
    const int base = options_->reconnect_interval_ms;
    const int most = options_->reconnect_interval_max_ms;
    int interval = next_interval_ms_;
    if (most > base) {
        next_interval_ms_ = next_interval_ms_ > most / 2 ? most : next_interval_ms_ * 2;
        interval = std::min(interval, most);
    } else {
        random_ = random_ * 1664525u + 1013904223u;
        interval += int((random_ >> 8) % uint32_t(base));
    }
    emit(LinkEvent::connect_retried, interval);
    host_.loop().cancel_timer(timer_);
    timer_ = host_.loop().add_timer_ms(interval, [self = shared_from_this()] {
        self->timer_ = {};
        self->attempt();
    });
}

// No further attempt. The endpoint's name stays taken (CON-13), unless it is to be removed.
void Connector::stop(bool remove_endpoint) {
    state_ = State::stopped;
    host_.loop().cancel_timer(timer_);
    if (lookup_) {
        std::lock_guard<std::mutex> guard(lookup_->mutex);
        lookup_->loop = nullptr;
    }
    close_descriptor();
    opening_.reset();
    Turn turn(host_.turn());
    host_.link_ended(*link_);
    if (!remove_endpoint && !closed_) return;
    if (forgotten_) return;
    forgotten_ = true;
    host_.loop().cancel_timer(linger_timer_);
    host_.endpoint_finished(id_);
}

void Connector::close(int linger_ms) {
    if (closed_) return;
    closed_ = true;
    host_.close_link(*link_, linger_ms != 0);
    host_.loop().post([self = shared_from_this(), linger_ms] { self->finish_closing(linger_ms); });
}

// A link that is up ends by itself when all is sent; without one, attempts go on while something
// waits to be sent.
void Connector::finish_closing(int linger_ms) {
    over_.reset();
    if (forgotten_) return;
    const bool gives_up = !is_wanted() || state_ == State::stopped ||
                          (options_->reconnect_stop & reconnect_stop_after_disconnect) != 0 ||
                          (state_ == State::waiting && options_->reconnect_interval_ms <= 0);
    if (state_ != State::up && gives_up) {
        stop(true);
        return;
    }
    if (linger_ms <= 0) return;
    linger_timer_ = host_.loop().add_timer_ms(linger_ms, [self = shared_from_this()] {
        self->linger_timer_ = {};
        {
            Turn turn(self->host_.turn());
            self->link_->drop_output();
        }
        if (self->state_ != State::up) self->stop(true);
    });
}

} // namespace tern
