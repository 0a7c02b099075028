#include "socket/proxy.hpp"

#include "socket/poll_items.hpp"

#include <zmq.h>

namespace tern {

namespace {

// So many messages go one way before the other way and the control socket are looked at.
constexpr int burst_max = 1000;

struct Traffic {
    uint64_t frames = 0;
    uint64_t bytes = 0;
};

struct Side {
    Socket &socket;
    Traffic received;
    Traffic sent;
};

class Proxy {
  public:
    Proxy(Socket &front, Socket &back, Socket *capture, Socket *control)
        : front_{front, {}, {}}, back_{back, {}, {}}, capture_(capture), control_(control) {}

    Error run() {
        while (!terminated_) {
            if (const Error error = wait()) return error;
            if (control_ready_)
                if (const Error error = take_command()) return error;
            if (paused_ || terminated_) continue;
            if (front_in_ && back_out_)
                if (const Error error = pass(front_, back_)) return error;
            if (back_in_ && front_out_ && !is_one_socket())
                if (const Error error = pass(back_, front_)) return error;
        }
        return err::none;
    }

  private:
    bool is_one_socket() const { return &front_.socket == &back_.socket; }

    // A direction moves only when its source has something and its target has room; until both hold
    // it waits for the one that does not, without burning CPU (PRX-5, PRX-17).
    Error wait() {
        front_in_ = back_in_ = front_out_ = back_out_ = control_ready_ = false;
        std::vector<PollItem> items;
        const auto add = [&items](Socket &socket, int wanted) {
            items.push_back({&socket, -1, wanted, 0});
            return items.size() - 1;
        };
        for (;;) {
            items.clear();
            size_t front = SIZE_MAX, back = SIZE_MAX, control = SIZE_MAX;
            if (!paused_) {
                front = add(front_.socket, (front_in_ ? 0 : ZMQ_POLLIN) |
                                               (back_in_ && !front_out_ ? ZMQ_POLLOUT : 0));
                if (!is_one_socket())
                    back = add(back_.socket, (back_in_ ? 0 : ZMQ_POLLIN) |
                                                 (front_in_ && !back_out_ ? ZMQ_POLLOUT : 0));
            }
            if (control_) control = add(*control_, ZMQ_POLLIN);
            const auto ready = poll_items(items, -1);
            if (!ready) return ready.error();
            if (front != SIZE_MAX) {
                front_in_ |= (items[front].ready & ZMQ_POLLIN) != 0;
                front_out_ |= (items[front].ready & ZMQ_POLLOUT) != 0;
            }
            if (back != SIZE_MAX) {
                back_in_ |= (items[back].ready & ZMQ_POLLIN) != 0;
                back_out_ |= (items[back].ready & ZMQ_POLLOUT) != 0;
            } else if (front != SIZE_MAX) {
                back_in_ = front_in_;
                back_out_ = front_out_;
            }
            if (control != SIZE_MAX && items[control].ready) control_ready_ = true;
            // One socket answers itself: a REP has room only after it has received.
            if (is_one_socket()) back_out_ = front_in_;
            if (control_ready_ || paused_) return err::none;
            if ((front_in_ && back_out_) || (back_in_ && front_out_)) return err::none;
            // The target is asked on its own, now that the source is known to have something.
            if (front_in_ && !back_out_ && is_writable(back_.socket)) back_out_ = true;
            if (back_in_ && !front_out_ && is_writable(front_.socket)) front_out_ = true;
            if ((front_in_ && back_out_) || (back_in_ && front_out_)) return err::none;
        }
    }

    static bool is_writable(Socket &socket) {
        Error error;
        return (socket.ready_events(ZMQ_POLLOUT, error) & ZMQ_POLLOUT) != 0;
    }

    Error pass(Side &from, Side &to) {
        for (int i = 0; i < burst_max; ++i) {
            bool more = true;
            while (more) {
                OwnMessage frame;
                const Error error = from.socket.recv(*frame, true);
                if (error == err::again && i > 0) return err::none;
                if (error) return error == err::again ? err::none : error;
                more = frame->has(Message::more);
                count(from.received, frame->size());
                if (capture_)
                    if (const Error failed = copy_to_capture(*frame)) return failed;
                const size_t size = frame->size();
                if (const Error failed = to.socket.send(*frame, false)) return failed;
                count(to.sent, size);
            }
        }
        return err::none;
    }

    Error copy_to_capture(Message &frame) {
        OwnMessage copy;
        copy->close();
        copy->share(frame);
        return capture_->send(*copy, false);
    }

    static void count(Traffic &traffic, size_t size) {
        ++traffic.frames;
        traffic.bytes += size;
    }

    Error take_command() {
        OwnMessage command;
        const Error error = control_->recv(*command, true);
        if (error == err::again) return err::none;
        if (error) return error;
        while (command->has(Message::more)) { // commands are single frames
            if (const Error failed = control_->recv(*command, true)) return failed;
        }
        const std::string_view text = command->bytes().text();
        if (text == "STATISTICS") return send_statistics();
        if (text == "PAUSE") paused_ = true;
        else if (text == "RESUME") paused_ = false;
        else if (text == "TERMINATE") terminated_ = true;
        if (control_->type() != ZMQ_REP) return err::none;
        OwnMessage empty;
        return control_->send(*empty, false);
    }

    Error send_statistics() {
        const uint64_t values[8] = {front_.received.frames, front_.received.bytes,
                                    front_.sent.frames,     front_.sent.bytes,
                                    back_.received.frames,  back_.received.bytes,
                                    back_.sent.frames,      back_.sent.bytes};
        for (int i = 0; i < 8; ++i) {
            OwnMessage frame;
            frame->close();
            if (frame->init_copy(Bytes(&values[i], sizeof values[i]))) {
                frame->init();
                return err::no_memory;
            }
            if (i < 7) frame->set(Message::more);
            if (const Error error = control_->send(*frame, false)) return error;
        }
        return err::none;
    }

    Side front_;
    Side back_;
    Socket *const capture_;
    Socket *const control_;
    bool paused_ = false;
    bool terminated_ = false;
    bool control_ready_ = false;
    bool front_in_ = false, front_out_ = false, back_in_ = false, back_out_ = false;
};

} // namespace

Error run_proxy(Socket &front, Socket &back, Socket *capture, Socket *control) {
    return Proxy(front, back, capture, control).run();
}

} // namespace tern
