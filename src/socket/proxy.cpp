#include "socket/proxy.hpp"

#include "socket/message_bulk.hpp"
#include "socket/poll_items.hpp"

#include <algorithm>
#include <zmq.h>

namespace tern {

namespace {

// So many messages go one way before the other way and the control socket are looked at.
constexpr size_t burst_max = 1000;
// So many of them at once: one acquisition of each socket's turn, one write to each peer.
constexpr size_t bulk_max = 64;

struct Traffic {
    uint64_t frames = 0;
    uint64_t bytes = 0;
    void add(uint64_t more_frames, uint64_t more_bytes) {
        frames += more_frames;
        bytes += more_bytes;
    }
};

struct Side {
    Socket &socket;
    Traffic received{};
    Traffic sent{};
    bool has_input = false; // as far as is known
};

class Proxy {
  public:
    Proxy(Socket &front, Socket &back, Socket *capture, Socket *control)
        : front_{front}, back_{back}, capture_(capture), control_(control) {}

    Error run() {
        while (!terminated_) {
            if (const Error error = wait()) return error;
            if (control_ready_)
                if (const Error error = take_command()) return error;
            if (paused_ || terminated_) continue;
            if (front_.has_input)
                if (const Error error = pass(front_, back_)) return error;
            if (back_.has_input && !is_one_socket())
                if (const Error error = pass(back_, front_)) return error;
        }
        return err::none;
    }

  private:
    bool is_one_socket() const { return &front_.socket == &back_.socket; }

    // A side whose input could not be passed on is not asked for input again, but its target for
    // room: the proxy sleeps until either comes, or a command (PRX-5, PRX-17).
    Error wait() {
        items_.clear();
        const auto add = [this](Socket &socket, int wanted) {
            items_.push_back({&socket, -1, wanted, 0});
        };
        const auto wanted = [](const Side &side, const Side &other) {
            return (side.has_input ? 0 : ZMQ_POLLIN) | (other.has_input ? ZMQ_POLLOUT : 0);
        };
        if (control_) add(*control_, ZMQ_POLLIN);
        if (!paused_) {
            add(front_.socket, is_one_socket() ? ZMQ_POLLIN : wanted(front_, back_));
            if (!is_one_socket()) add(back_.socket, wanted(back_, front_));
        }
        const auto ready = poll_items(items_, -1);
        if (!ready) return ready.error();
        const PollItem *item = items_.data();
        control_ready_ = control_ && item++->ready;
        if (paused_) return err::none;
        front_.has_input |= (item++->ready & ZMQ_POLLIN) != 0;
        if (!is_one_socket()) back_.has_input |= (item->ready & ZMQ_POLLIN) != 0;
        return err::none;
    }

    // How many messages may be taken at once: what the target is sure to take, so that the others
    // stay in the source and its senders feel it (PRX-7). Of what blocks the capture one is in our
    // hands.
    Result<size_t> bulk_size(Side &to) {
        if (is_one_socket()) return 1; // a REP has room only after it has received
        Error error;
        size_t size = to.socket.room(bulk_max, error);
        if (error) return error;
        if (!capture_ || size == 0) return size;
        const size_t room = capture_->room(bulk_max, error);
        if (error) return error;
        return std::min(size, std::max<size_t>(room, 1));
    }

    Error pass(Side &from, Side &to) {
        const Error error = pass_burst(from, to);
        to.socket.flush();
        return error;
    }

    Error pass_burst(Side &from, Side &to) {
        for (size_t passed = 0; passed < burst_max;) {
            const auto size = bulk_size(to);
            if (!size) return size.error();
            if (*size == 0) return err::none; // it may still have input, and waits for room
            const auto taken = from.socket.take(bulk_, *size);
            if (!taken) return taken.error();
            if (bulk_.is_empty()) break;
            passed += *taken;
            Traffic traffic;
            bulk_.for_each([&traffic](const Message &frame) { traffic.add(1, frame.size()); });
            from.received.add(traffic.frames, traffic.bytes);
            if (capture_)
                if (const Error error = copy_to_capture()) return error;
            if (const Error error = to.socket.give(bulk_)) return error;
            to.sent.add(traffic.frames, traffic.bytes);
        }
        from.has_input = false;
        return err::none;
    }

    // Before the messages go on: who has one may rely on its copy being there (PRX-3).
    Error copy_to_capture() {
        MessageBulk copies;
        bulk_.for_each([&copies](Message &frame) { copies.add().share(frame); });
        const Error error = capture_->give(copies);
        capture_->flush();
        return error;
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
    MessageBulk bulk_; // empty between two calls of pass()
    std::vector<PollItem> items_;
};

} // namespace

Error run_proxy(Socket &front, Socket &back, Socket *capture, Socket *control) {
    return Proxy(front, back, capture, control).run();
}

} // namespace tern
