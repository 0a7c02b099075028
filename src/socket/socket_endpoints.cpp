// Endpoints, options and monitors: the calls that a program makes rarely.
#include "link/local_messages.hpp"
#include "os/memory_wait.hpp"
#include "socket/context.hpp"
#include "socket/socket.hpp"

#include <sched.h>
#include <vector>
#include <zmq.h>

namespace tern {

namespace {

constexpr std::string_view inproc_scheme = "inproc://";

// A repeated connect of these types to the same text is a no-op (CON-12).
bool connects_once(int type) {
    return type == ZMQ_DEALER || type == ZMQ_REQ || type == ZMQ_SUB || type == ZMQ_PUB;
}

bool conflates(int type) {
    return type == ZMQ_PUSH || type == ZMQ_PULL || type == ZMQ_PUB || type == ZMQ_SUB ||
           type == ZMQ_DEALER;
}

// Packets suit few types, and udp each of them in one direction (functions.md section 3).
bool may_use(Endpoint::Transport transport, int type, bool binds) {
    switch (transport) {
    case Endpoint::Transport::udp:
        return type == (binds ? ZMQ_DISH : ZMQ_RADIO) || (binds && type == ZMQ_DGRAM);
    case Endpoint::Transport::pgm:
    case Endpoint::Transport::epgm:
    case Endpoint::Transport::norm:
        return type == ZMQ_PUB || type == ZMQ_SUB || type == ZMQ_XPUB || type == ZMQ_XSUB;
    default: return true;
    }
}

Result<Endpoint> parse_for(int type, const char *text, bool binds) {
    auto endpoint = parse_endpoint(text);
    if (endpoint && !may_use(endpoint->transport, type, binds)) return err::incompatible;
    return endpoint;
}

} // namespace

// What the options are now; connections made later keep seeing this (sockopts.md section 4).
std::shared_ptr<const LinkOptions> Socket::snapshot() {
    if (options_->link.conflate && !conflates(type_)) {
        auto changed = std::make_shared<LinkOptions>(options_->link);
        changed->conflate = false;
        return changed;
    }
    const auto options = options_.share();
    return {options, &options->link};
}

Error Socket::choose_loop() {
    Loop *loop = context_.choose_loop(options_->affinity);
    if (!loop) return err::no_io_thread;
    if (!loop_) {
        loop_ = loop;
        ++loop_->load;
    }
    return err::none;
}

InprocSide Socket::inproc_side() {
    InprocSide side;
    side.mailbox = mailbox_;
    side.socket_type = type_;
    side.routing_id = options_->link.routing_id;
    side.send_hwm = options_->link.send_hwm;
    side.receive_hwm = options_->link.receive_hwm;
    side.conflate = options_->link.conflate && conflates(type_);
    if (const std::string *hello = hello_message(options_->link)) side.hello_message = *hello;
    if (const std::string *farewell = disconnect_message(options_->link))
        side.disconnect_message = *farewell;
    return side;
}

Error Socket::bind(const char *text) {
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = begin_call()) return error;
    auto endpoint = parse_for(type_, text, true);
    if (!endpoint) return endpoint.error();
    if (endpoint->transport == Endpoint::Transport::inproc) {
        const Error error = bind_inproc(std::move(*endpoint));
        end_call(turn);
        return error;
    }
    if (has_medium(endpoint->transport)) {
        const Error error = open_carrier(*endpoint, true);
        end_call(turn);
        return error;
    }
    const StreamTransport *const transport = find_stream_transport(endpoint->transport);
    if (!transport) return err::protocol_not_supported;
    if (const Error error = choose_loop()) return error;
    const auto listener =
        std::make_shared<Listener>(shared_from_this(), next_endpoint_id_++, snapshot(), *transport);
    if (const Error error = listener->open(*endpoint)) return error;
    const WaitsForMemory waits;
    last_endpoint_ = listener->endpoint();
    bound_.push_back({listener->id(), last_endpoint_, listener->other_text(), listener});
    working_.emplace(listener->id(), listener);
    loop_->post([listener] { listener->start(); });
    return err::none;
}

Error Socket::bind_inproc(Endpoint endpoint) {
    const WaitsForMemory waits; // two sockets change
    if (const Error error = context_.inproc_names().bind(endpoint.address, inproc_side()))
        return error;
    last_endpoint_ = endpoint.text;
    bound_.push_back({next_endpoint_id_++, std::move(endpoint.text), {}, nullptr});
    // Those who were here before the name are met inside bind (CON-3).
    take_news();
    return err::none;
}

// Where bind and connect mean the same, the endpoint counts as connected, as in libzmq.
Error Socket::open_carrier(const Endpoint &endpoint, bool binds) {
    const bool is_udp = endpoint.transport == Endpoint::Transport::udp;
    if (connects_once(type_))
        for (const Connected &connected : connected_)
            if (connected.text == endpoint.text) return err::none;
    if (const Error error = choose_loop()) return error;
    const auto options = snapshot();
    auto medium = open_medium(endpoint, options, binds);
    if (!medium) return medium.error();
    const auto carrier =
        std::make_shared<Carrier>(shared_from_this(), next_endpoint_id_++, std::move(*medium));
    Pipe *const pipe = carrier->make_pipe(*mailbox_, *options);
    if (!pipe) return err::no_memory;
    const WaitsForMemory waits;
    last_endpoint_ = is_udp ? endpoint.address : endpoint.text;
    if (is_udp && binds) bound_.push_back({carrier->id(), endpoint.text, {}, nullptr, carrier});
    else connected_.push_back({carrier->id(), endpoint.text, nullptr, pipe, carrier});
    working_.emplace(carrier->id(), carrier);
    adopt(*pipe);
    attach(*pipe);
    loop_->post([carrier] { carrier->start(); });
    return err::none;
}

void Socket::close_carrier(Carrier &carrier, int linger_ms) {
    Pipe &pipe = carrier.socket_end();
    carrier.close(linger_ms);
    detach(pipe);
}

// False when the name is not ours.
bool Socket::unbind_inproc(const std::string &text) {
    return context_.inproc_names().unbind(text.substr(inproc_scheme.size()), mailbox_);
}

Error Socket::connect(const char *text, uint32_t *peer) {
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = begin_call()) return error;
    if (peer && options_->link.immediate) return err::fault; // the pipe would come later
    auto parsed = parse_for(type_, text, false);
    if (!parsed) return parsed.error();
    const Endpoint &endpoint = *parsed;
    if (const Error error = pattern_->check_connect()) return error;
    if (endpoint.transport == Endpoint::Transport::inproc) {
        const Error error = connect_inproc(std::move(*parsed), peer);
        end_call(turn);
        return error;
    }
    if (has_medium(endpoint.transport)) {
        const Error error = open_carrier(endpoint, false);
        end_call(turn);
        return error;
    }
    const StreamTransport *const transport = find_stream_transport(endpoint.transport);
    if (!transport) return err::protocol_not_supported;
    if (connects_once(type_))
        for (const Connected &connected : connected_)
            if (connected.text == endpoint.text) return err::none;
    if (const Error error = choose_loop()) return error;
    if (const Error error = transport->check_connect(endpoint.address, options_->link.transport))
        return error;
    auto wrapping = transport->wrapping(endpoint.address, options_->link.transport, false);
    if (!wrapping) return wrapping.error();
    std::string connected_text = transport->connected_text(endpoint);
    const auto connector = std::make_shared<Connector>(
        shared_from_this(), next_endpoint_id_++, snapshot(), *transport, std::move(*wrapping),
        Endpoint{endpoint.transport, endpoint.address, connected_text}, context_.resolver(),
        context_.random_numbers().next());
    PipePair *const pair = options_->link.immediate ? nullptr : PipePair::create(false);
    if (!pair && !options_->link.immediate) return err::no_memory;
    const WaitsForMemory waits;
    last_endpoint_ = std::move(connected_text);
    connected_.push_back({connector->id(), endpoint.text, connector, nullptr});
    working_.emplace(connector->id(), connector);
    if (pair) {
        connector->link().set_pipe(*pair);
        Pipe &pipe = pair->near_end();
        pipe.set_connected_side(true);
        pipe.set_identified(false);
        if (options_->link.conflate && conflates(type_))
            pipe.inbound().conflate(), pipe.outbound().conflate();
        adopt(pipe);
        attach(pipe);
        if (peer) *peer = pattern_->peer_number(pipe);
    }
    loop_->post([connector] { connector->start(); });
    end_call(turn);
    return err::none;
}

Error Socket::connect_peer(const char *text, uint32_t &peer) {
    return type_ == ZMQ_PEER ? connect(text, &peer) : err::not_supported;
}

Error Socket::disconnect_peer(uint32_t peer) {
    const WaitsForMemory waits;
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = begin_call()) return error;
    if (type_ != ZMQ_SERVER && type_ != ZMQ_PEER) return err::not_supported;
    Pipe *const pipe = pattern_->numbered_peer(peer);
    if (!pipe) return err::host_unreachable;
    if (pipe->far_end())
        end_connection(static_cast<Link &>(*pipe->far_end()), options_->linger_ms);
    else detach(*pipe);
    end_call(turn);
    return err::none;
}

Result<int> Socket::peer_state(Bytes routing_id) {
    const WaitsForMemory waits;
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = begin_call()) return error;
    const auto has_room = pattern_->peer_has_room(routing_id);
    end_call(turn);
    if (!has_room) return has_room.error();
    return *has_room ? ZMQ_POLLOUT : 0;
}

Error Socket::join(const char *group) {
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    const Error error = pattern_->join(Bytes(std::string_view(group)));
    end_call(turn);
    return error;
}

Error Socket::leave(const char *group) {
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    const Error error = pattern_->leave(Bytes(std::string_view(group)));
    end_call(turn);
    return error;
}

Error Socket::connect_inproc(Endpoint endpoint, uint32_t *peer) {
    const WaitsForMemory waits; // two sockets change
    PipePair *pair = context_.inproc_names().connect(endpoint.address, inproc_side());
    if (!pair) return err::no_memory;
    Pipe &pipe = pair->near_end();
    last_endpoint_ = endpoint.text;
    pipe.endpoint_id = next_endpoint_id_++;
    connected_.push_back({pipe.endpoint_id, std::move(endpoint.text), nullptr, &pipe});
    adopt(pipe);
    attach(pipe);
    if (peer) *peer = pattern_->peer_number(pipe);
    // A binder that is there already has said its name (`named` is among the news).
    take_news();
    return err::none;
}

Error Socket::end_endpoint(const char *text) {
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = begin_call()) return error;
    const WaitsForMemory waits;
    const auto parsed = parse_endpoint(text);
    if (!parsed) return parsed.error();
    if (!may_use(parsed->transport, type_, true) && !may_use(parsed->transport, type_, false))
        return err::incompatible;
    const bool was_name =
        parsed->transport == Endpoint::Transport::inproc && unbind_inproc(parsed->text);
    bool found = was_name;
    std::vector<std::string> names{parsed->text};
    if (const StreamTransport *const transport = find_stream_transport(parsed->transport)) {
        const std::string other = transport->other_text(parsed->address, options_->link.transport);
        if (!other.empty()) names.push_back(other);
    }
    for (const std::string &name : names) {
        for (auto it = bound_.begin(); it != bound_.end();) {
            if (it->text != name && it->other_text != name) {
                ++it;
                continue;
            }
            found = true;
            const Bound ended = std::move(*it);
            it = bound_.erase(it);
            if (ended.listener) ended.listener->close(options_->linger_ms);
            else if (ended.carrier) close_carrier(*ended.carrier, options_->linger_ms);
        }
        if (was_name) break; // one that the socket is connected to as well takes two calls
        for (auto it = connected_.begin(); it != connected_.end();) {
            if (it->text != name) {
                ++it;
                continue;
            }
            found = true;
            const Connected ended = std::move(*it);
            it = connected_.erase(it);
            if (ended.connector) ended.connector->close(options_->linger_ms);
            else if (ended.carrier) close_carrier(*ended.carrier, options_->linger_ms);
            else detach(*ended.inproc);
        }
        if (found) break;
    }
    end_call(turn);
    return found ? err::none : err::no_entry;
}

Error Socket::monitor(const char *text, uint64_t events, int version, int type) {
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = check_alive()) return error;
    if (version == 1 && events > ZMQ_EVENT_ALL_V1) return err::invalid;
    const auto stop_old = [this] {
        if (!monitor_) return;
        monitor_->stop(true);
        monitor_.reset();
        context_.release_slot();
    };
    if (!text) {
        stop_old();
        return err::none;
    }
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return endpoint.error();
    if (endpoint->transport != Endpoint::Transport::inproc) return err::protocol_not_supported;
    stop_old();
    if (type != ZMQ_PAIR && type != ZMQ_PUSH && type != ZMQ_PUB) return err::invalid;
    const auto monitor = std::make_shared<Monitor>(context_.inproc_names(), events, version, type);
    if (!context_.reserve_slot()) return err::too_many_files;
    if (const Error error = monitor->start(endpoint->address)) {
        context_.release_slot();
        return error;
    }
    monitor_ = monitor;
    return err::none;
}

Error Socket::report_pipes() {
    const WaitsForMemory waits;
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = begin_call()) return error;
    if (!monitor_ || !monitor_->reports_pipes()) return err::invalid;
    if (pipes_.empty()) return err::again;
    for (Pipe *pipe : pipes_) {
        uint64_t outbound = pipe->outbound().waiting();
        EndpointTexts endpoints;
        if (pipe->far_end()) {
            const Link &link = static_cast<Link &>(*pipe->far_end());
            outbound += link.returned_messages();
            endpoints = link.endpoints();
        } else {
            for (const Connected &connected : connected_)
                if (connected.inproc == pipe) endpoints.remote = connected.text;
        }
        const uint64_t inbound = pipe->inbound().waiting() + (pipe->has_next() ? 1 : 0);
        monitor_->emit_pipe(outbound, inbound, endpoints);
    }
    return err::none;
}

// ---- options

Error Socket::set_option(int option, const void *value, size_t size) {
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    if (const Error error = check_alive()) return error;
    if (const Error error = options_.set(type_, option, value, size)) return error;
    const OptionRow *row = find_option(option);
    if (row && row->home == OptionRow::Home::pattern) {
        note_change();
        const Error error = pattern_->set_option(option, value, size);
        mailbox_->wake(); // a send that waits may not have to any more
        const bool announces = !outputs_.empty();
        end_call(turn);
        turn.unlock();
        // The kernel lets a loopback peer's thread wake on this core, as if we went to sleep; it is to
        // learn of a subscription before the program goes on.
        if (announces) ::sched_yield();
        return error;
    }
    // The only stored option that some patterns act upon; to the others it means nothing.
    if (option == ZMQ_INVERT_MATCHING) (void)pattern_->set_option(option, value, size);
    if (option == ZMQ_SNDHWM || option == ZMQ_RCVHWM) apply_hwm();
    return err::none;
}

Error Socket::get_option(int option, void *value, size_t *size) {
    if (option == ZMQ_EVENTS) {
        if (is_inherited()) return err::interrupted;
        Error error;
        const int events = ready_events(ZMQ_POLLIN | ZMQ_POLLOUT, error);
        if (error) return error;
        return value && size && *size >= sizeof(int) ? store_int(events, value, size) : err::invalid;
    }
    // A forked child is alone with what it inherited, and the turn may be held for ever there.
    Turn turn(turn_, std::defer_lock);
    if (!is_inherited()) turn.lock();
    if (const Error error = check_alive()) return error;
    if (!value || !size) return err::invalid;
    const OptionRow *row = find_option(option);
    if (row && row->home == OptionRow::Home::live && option != ZMQ_TYPE &&
        option != ZMQ_THREAD_SAFE && option != ZMQ_MECHANISM) {
        if (const Error error = check_readable(*row, type_)) return error;
        return get_live_option(option, value, size);
    }
    if (option == ZMQ_ROUTING_ID && type_ == ZMQ_STREAM) {
        const std::string id = pattern_->newest_routing_id();
        if (!id.empty()) return store_value(id.data(), id.size(), value, size);
    }
    return tern::get_option(*options_, type_, option, value, size);
}

Error Socket::get_live_option(int option, void *value, size_t *size) {
    switch (option) {
    case ZMQ_RCVMORE: return store_int(receiving_more_ ? 1 : 0, value, size);
    case ZMQ_FD:
        if (*size < sizeof(int)) return err::invalid;
        if (!fd_is_out_) {
            if (const Error error = mailbox_->open()) return error;
            // From now on the application waits for this descriptor, and the I/O thread reads. What it has not
            // looked at before is announced, too.
            const bool has_unseen = changes_ != changes_looked_at_;
            fd_is_out_ = true;
            borrows_ = false;
            note_change();
            part_with_crowd();
            hand_back();
            if (set_.is_open()) set_.remove(mailbox_->fd());
            mailbox_->begin_sleep_on_descriptor();
            if (has_unseen || mailbox_->has_news()) mailbox_->wake();
        }
        return store_int(mailbox_->fd(), value, size);
    case ZMQ_LAST_ENDPOINT: return store_text(last_endpoint_, value, size);
    case ZMQ_TOPICS_COUNT:
        return pattern_->topics_count() < 0 ? err::invalid
                                            : store_int(pattern_->topics_count(), value, size);
    default: return err::invalid;
    }
}

} // namespace tern
