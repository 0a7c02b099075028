#include "link/heartbeat.hpp"

#include "link/link.hpp"

namespace tern {

void Heartbeat::start() {
    ttl_deadline_ = never;
    const int interval = link_.options().heartbeat_interval_ms;
    if (interval > 0)
        ping_timer_ = link_.host().loop().add_timer_ms(interval, [this] { ping(); });
}

void Heartbeat::stop() {
    Loop &loop = link_.host().loop();
    loop.cancel_timer(ping_timer_);
    loop.cancel_timer(timeout_timer_);
    loop.cancel_timer(ttl_timer_);
    ttl_is_watched_ = false;
    ttl_deadline_ = never;
}

bool Heartbeat::is_listening() const {
    return ttl_deadline_ != never || link_.options().heartbeat_interval_ms > 0;
}

void Heartbeat::ping() {
    const LinkOptions &options = link_.options();
    Loop &loop = link_.host().loop();
    Turn turn(link_.host().turn());
    ping_timer_ = {};
    if (!link_.is_talking()) return;
    ping_timer_ = loop.add_timer_ms(options.heartbeat_interval_ms, [this] { ping(); });
    Message command;
    if (link_.make_ping(command)) return;
    link_.send_command(command);
    const int timeout = options.effective_heartbeat_timeout_ms();
    if (timeout > 0 && !timeout_timer_) {
        const uint64_t reads = link_.reads();
        timeout_timer_ = loop.add_timer_ms(timeout, [this, reads] { check_timeout(reads); });
    }
    link_.write_out(turn);
    link_.host().link_served(turn);
}

// Any traffic since the timer started calls it off; so does traffic that waits to be read because
// the application's queue is full.
void Heartbeat::check_timeout(uint64_t reads_then) {
    Turn turn(link_.host().turn());
    timeout_timer_ = {};
    if (link_.is_talking() && link_.reads() == reads_then && !link_.has_unread_input()) link_.time_out();
}

void Heartbeat::heard_ttl(uint16_t deciseconds) {
    ttl_deadline_ = deciseconds == 0 ? never : now_ns() + deciseconds * 100 * ns_per_ms;
    if (ttl_deadline_ == never || ttl_is_watched_) return;
    ttl_is_watched_ = true;
    link_.host().loop().post([self = link_.shared_from_this(), this] {
        Turn turn(link_.host().turn());
        if (ttl_is_watched_ && !ttl_timer_) arm_ttl();
    });
}

void Heartbeat::arm_ttl() {
    if (ttl_deadline_ == never || !link_.is_talking()) {
        ttl_is_watched_ = false;
        return;
    }
    ttl_timer_ = link_.host().loop().add_timer(ttl_deadline_, [this] { check_ttl(); });
}

void Heartbeat::check_ttl() {
    Turn turn(link_.host().turn());
    ttl_timer_ = {};
    if (ttl_deadline_ != never && now_ns() >= ttl_deadline_ && link_.is_talking() &&
        !link_.has_unread_input()) {
        ttl_is_watched_ = false;
        link_.time_out();
        return;
    }
    if (ttl_deadline_ != never && now_ns() >= ttl_deadline_) ttl_deadline_ = now_ns() + 100 * ns_per_ms;
    arm_ttl();
}

} // namespace tern
