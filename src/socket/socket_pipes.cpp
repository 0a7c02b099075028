// Pipes and links come and go: what the socket does when its peers report.
#include "os/memory_wait.hpp"
#include "socket/context.hpp"
#include "socket/socket.hpp"
#include "socket/zap.hpp"

#include <algorithm>
#include <sched.h>
#include <zmq.h>

namespace tern {

namespace {

// Entries stand in the order of their numbers.
template <class Entry>
void forget(std::vector<Entry> &entries, uint64_t id) {
    const auto it =
        std::lower_bound(entries.begin(), entries.end(), id,
                         [](const Entry &entry, uint64_t number) { return entry.id < number; });
    if (it != entries.end() && it->id == id) entries.erase(it);
}

} // namespace

// ---- a link reports

void Socket::link_up(Link &link, const std::string &peer_routing_id) {
    if (link.is_closing()) return;
    note_change();
    if (!link.socket_end()) {
        PipePair *pair = PipePair::create(false);
        if (!pair) {
            link.fail(false);
            return;
        }
        link.set_pipe(*pair);
        Pipe &pipe = pair->near_end();
        pipe.set_connected_side(!link.is_bound_side());
        pipe.set_peer_routing_id(peer_routing_id);
        pipe.set_identified(true);
        if (link.options().conflate) pipe.inbound().conflate(), pipe.outbound().conflate();
        adopt(pipe);
        attach(pipe);
    } else {
        Pipe &pipe = *link.socket_end();
        if (!pipe.is_identified()) name_peer(pipe, peer_routing_id);
        if (link.has_been_up) pattern_->reconnected(pipe);
    }
    link.has_been_up = true;
    mailbox_->wake();
}

void Socket::link_readable(Link &link) {
    Pipe *pipe = link.socket_end();
    if (!pipe) return;
    note_change();
    pattern_->readable(*pipe);
    mailbox_->wake();
}

void Socket::link_writable(Link &link) {
    if (Pipe *pipe = link.socket_end()) {
        note_change();
        if (!pipe->writing_stopped) pattern_->writable(*pipe);
        mailbox_->wake();
    }
}

void Socket::link_has_output(Link &link) {
    if (link.in_output_list) return;
    link.in_output_list = true;
    outputs_.push_back(&link);
}

void Socket::link_has_input(Link &link) {
    list_for_input(link);
    serve_inputs_later();
}

void Socket::link_ended(Link &link) {
    forget_link(link);
    Pipe *pipe = link.socket_end();
    link.let_pipe_go();
    if (!pipe) return;
    stop_writing(*pipe);
    read_to_the_end(*pipe);
}

// What has arrived stays readable; the pattern says when it is all read.
void Socket::read_to_the_end(Pipe &pipe) {
    note_change();
    if (pipe.is_drained()) detach(pipe);
    else pattern_->readable(pipe);
    settle();
    mailbox_->wake();
}

void Socket::link_lost(Link &link) {
    note_change();
    forget_link(link);
    Pipe *pipe = link.socket_end();
    link.let_pipe_go();
    if (!pipe) return;
    stop_writing(*pipe);
    detach(*pipe);
    mailbox_->wake();
}

void Socket::close_link(Link &link, bool flush) {
    Pipe *pipe = link.socket_end();
    if (pipe) {
        pattern_->detach(*pipe);
        pipes_[pipe->socket_index] = pipes_.back();
        pipes_[pipe->socket_index]->socket_index = pipe->socket_index;
        pipes_.pop_back();
        pipe->rollback();
    }
    link.close(flush);
    if (pipe) let_go(*pipe);
}

LinkHost::Retired Socket::retire_link(Turn &turn, Link &link, bool flush) {
    if (link.socket_end() && !closed_) {
        Pipe &pipe = *link.socket_end();
        if (flush && pipe.is_mid_write()) return Retired::mid_message;
        stop_writing(pipe);
        pipe.rollback();
        if (!link.take_arrived(turn)) return Retired::reading;
    }
    // The turn was given up for that.
    Pipe *const pipe = link.socket_end();
    if (!pipe || closed_) {
        close_link(link, flush);
        return Retired::yes;
    }
    link.retire(flush);
    read_to_the_end(*pipe);
    return Retired::yes;
}

// On the I/O thread, without the turn: nothing of the socket is touched.
Result<std::unique_ptr<ZapCall>> Socket::ask_zap(const std::vector<std::string> &request,
                                                 ZapListener &listener) {
    return call_zap_handler(context_.inproc_names(), *loop_, request, listener);
}

bool Socket::compute_aside(std::function<void()> job, bool asks_network) {
    HelperThreads &helpers = asks_network ? context_.ticket_seekers() : context_.ticket_readers();
    return helpers.run(std::move(job));
}

void Socket::event(LinkEvent event, int64_t value, const EndpointTexts &endpoints) {
    if (monitor_) monitor_->emit(event, value, endpoints);
}

void Socket::endpoint_finished(uint64_t endpoint_id) {
    forget(bound_, endpoint_id);
    forget(connected_, endpoint_id);
    working_.erase(endpoint_id);
    finish_if_done();
}

// ---- the pattern reports

void Socket::pipe_drained(Pipe &pipe) {
    if (pipe.drained) return;
    pipe.drained = true;
    drained_.push_back(&pipe);
}

void Socket::pipe_refused(Pipe &pipe) {
    // A remote peer would only come again, and again: it stays connected and is not heard (PAIR-2).
    if (pipe.far_end()) pipe_unheard(pipe);
    else pipe_drained(pipe);
}

// What it sends is not let in beyond one message.
void Socket::pipe_unheard(Pipe &pipe) {
    if (!pipe.far_end()) return;
    pipe.unheard = true;
    set_hwm(pipe);
    pipe.far_end()->leave_unheard();
}

// Under the turn, when no call into the pattern is under way.
void Socket::settle() {
    while (!unwanted_.empty()) {
        Pipe *pipe = unwanted_.back();
        unwanted_.pop_back();
        if (pipe->far_end()) end_connection(static_cast<Link &>(*pipe->far_end()), -1);
        else detach(*pipe);
    }
    while (!drained_.empty()) {
        Pipe *pipe = drained_.back();
        drained_.pop_back();
        detach(*pipe);
    }
}

// One made by a connect is not made again.
void Socket::end_connection(Link &link, int linger_ms) {
    for (auto it = connected_.begin(); it != connected_.end(); ++it) {
        const std::shared_ptr<Connector> connector = it->connector;
        if (!connector || &connector->link() != &link) continue;
        connected_.erase(it);
        connector->close(linger_ms);
        return;
    }
    close_link(link, linger_ms != 0);
}

// ---- pipes

void Socket::adopt(Pipe &pipe) {
    note_change();
    mailbox_->wake(); // another thread of a thread-safe socket may wait for a peer
    pipe.socket_index = uint32_t(pipes_.size());
    pipes_.push_back(&pipe);
    if (pipe.far_end()) set_hwm(pipe);
}

void Socket::set_hwm(Pipe &pipe) {
    pipe.outbound().set_writer_part(options_->link.send_hwm);
    pipe.inbound().set_reader_part(pipe.unheard ? 1 : options_->link.receive_hwm);
}

void Socket::attach(Pipe &pipe) { pattern_->attach(pipe); }

// The peer of a connected pipe is known now; a name that the pattern has given it stays.
void Socket::name_peer(Pipe &pipe, const std::string &routing_id) {
    if (pipe.peer_routing_id().empty()) pipe.set_peer_routing_id(routing_id);
    note_change();
    pipe.set_identified(true);
    pattern_->identified(pipe);
}

void Socket::stop_writing(Pipe &pipe) {
    if (pipe.writing_stopped) return;
    note_change();
    pipe.writing_stopped = true;
    pattern_->stop_writing(pipe);
}

void Socket::detach(Pipe &pipe) {
    pattern_->detach(pipe);
    drained_.erase(std::remove(drained_.begin(), drained_.end(), &pipe), drained_.end());
    pipes_[pipe.socket_index] = pipes_.back();
    pipes_[pipe.socket_index]->socket_index = pipe.socket_index;
    pipes_.pop_back();
    if (pipe.endpoint_id != 0) {
        forget(connected_, pipe.endpoint_id);
        forget(bound_, pipe.endpoint_id);
    }
    let_go(pipe);
}

void Socket::let_go(Pipe &pipe) {
    note_change();
    mailbox_->wake(); // or for room to this one
    unwanted_.erase(std::remove(unwanted_.begin(), unwanted_.end(), &pipe), unwanted_.end());
    drained_.erase(std::remove(drained_.begin(), drained_.end(), &pipe), drained_.end());
    const bool in_mailbox = pipe.deafen();
    pipe.close();
    if (in_mailbox) ++late_releases_;
    else pipe.release();
}

void Socket::take_news() {
    const WaitsForMemory waits;
    note_change();
    // Newest first there; peers are to be met in the order in which they came.
    Pipe *list = nullptr;
    for (Pipe *pipe = mailbox_->take_news(); pipe;) {
        Pipe *next = pipe->next_news;
        pipe->next_news = list;
        list = pipe;
        pipe = next;
    }
    while (list) {
        Pipe &pipe = *list;
        list = pipe.next_news;
        const uint8_t news = pipe.take_news();
        if (news & Pipe::deaf) { // let go while it was still in the mailbox
            --late_releases_;
            pipe.release();
            continue;
        }
        if (news & Pipe::attach) {
            adopt(pipe);
            attach(pipe);
        }
        if ((news & Pipe::named) && !pipe.is_identified())
            name_peer(pipe, pipe.other_end().announced_routing_id());
        if ((news & Pipe::writable) && !pipe.writing_stopped) pattern_->writable(pipe);
        if (news & Pipe::ended) {
            stop_writing(pipe);
            (void)pipe.append_farewell();
            if (pipe.is_drained()) pipe_drained(pipe);
        }
        if (news & (Pipe::readable | Pipe::attach | Pipe::ended)) pattern_->readable(pipe);
    }
}

void Socket::apply_hwm() {
    note_change();
    for (Pipe *pipe : pipes_) {
        set_hwm(*pipe);
        if (!pipe->writing_stopped) pattern_->writable(*pipe);
        // The other side's limit follows ours: it looks again.
        if (!pipe->far_end()) pipe->other_end().notify(Pipe::writable);
    }
    mailbox_->wake();
}

// ---- end

void Socket::terminate() {
    const WaitsForMemory waits;
    if (is_inherited()) return; // the turn may be held by a thread that the child does not have
    Turn turn(turn_);
    if (terminated_.exchange(true)) return;
    note_change();
    // The collector is told that nothing more will come, as with a close (MON-6).
    if (monitor_) monitor_->stop(true);
    mailbox_->wake();
}

void Socket::close() {
    const WaitsForMemory waits;
    const std::shared_ptr<Socket> self = shared_from_this();
    Turn turn(turn_);
    closed_ = true;
    for (const Bound &bound : bound_)
        if (!bound.listener && !bound.carrier) unbind_inproc(bound.text);
    fd_is_out_ = false;
    part_with_crowd();
    // Threads that still wait in a call of a thread-safe socket are sent away, with ENOTSOCK.
    for (WaitingRoom *room = mailbox_->room(); room && room->has_sleepers();) {
        mailbox_->wake();
        turn.unlock();
        ::sched_yield();
        turn.lock();
    }
    if (mailbox_->has_news()) take_news();
    const int linger_ms = options_->linger_ms;
    for (const Bound &bound : bound_) {
        if (bound.listener) bound.listener->close(linger_ms);
        if (bound.carrier) bound.carrier->close(linger_ms);
    }
    for (const Connected &connected : connected_) {
        if (connected.connector) connected.connector->close(linger_ms);
        if (connected.carrier) connected.carrier->close(linger_ms);
    }
    bound_.clear();
    connected_.clear();
    // Links that were accepted follow their listener on the I/O thread; what is left here is inproc or
    // a carrier's, or has ended and was not read.
    for (size_t i = pipes_.size(); i-- > 0;) {
        if (i >= pipes_.size()) continue;
        Pipe *pipe = pipes_[i];
        if (pipe->far_end()) pipe->rollback();
        else detach(*pipe);
    }
    hand_back();
    while (late_releases_ > 0) {
        take_news();
        if (late_releases_ > 0) ::sched_yield();
    }
    end_call(turn);
    finish_if_done();
}

// Under the turn. The object itself goes when the last task that holds it has run.
void Socket::finish_if_done() {
    if (!closed_ || finished_ || !working_.empty()) return;
    finished_ = true;
    while (!pipes_.empty()) detach(*pipes_.back());
    if (set_.is_open()) {
        loop_->post([self = shared_from_this()] {
            Turn turn(self->turn_);
            self->loop_->unwatch(self->set_watch_, self->set_.fd());
            self->leave_context();
        });
        return;
    }
    leave_context();
}

void Socket::leave_context() {
    if (monitor_) {
        monitor_->stop(true);
        monitor_.reset();
        context_.release_slot();
    }
    if (loop_) --loop_->load;
    context_.socket_finished(this);
}

} // namespace tern
