#include "socket/zap.hpp"

#include <zmq.h>

namespace tern {

namespace {

// As names of endpoints are kept: without the scheme.
constexpr const char *handler_name = "zeromq.zap.01";

// The asking end of one pipe. Its mailbox has a listener instead of a waker: the thread of the
// handler that posts news posts a task to the loop, and there the news is taken. All fields belong to
// the loop's thread.
//
// The mailbox holds the conversation and the conversation the mailbox, until hang_up() has let go of
// the pipe. A pipe that is in the mailbox at that time, or about to be, is let go of by the task that
// its poster posts; posts and tasks come in pairs, so there is one.
class Conversation final : public MailboxListener,
                           public std::enable_shared_from_this<Conversation> {
  public:
    Conversation(Loop &loop, ZapListener &listener) : loop_(loop), listener_(&listener) {}

    Error begin(InprocNames &names, const std::vector<std::string> &request);
    void hang_up();

    // Any thread; the poster may hold the handler's turn, or the lock of the names.
    void news_posted() override {
        loop_.post([self = shared_from_this()] { self->take_news(); });
    }

  private:
    bool write(const std::vector<std::string> &request);
    void take_news();
    void read_reply();
    void release_pipe();

    Loop &loop_;
    ZapListener *listener_; // null: nobody wants to know any more
    Mailbox *mailbox_ = nullptr;
    Pipe *pipe_ = nullptr;
};

Error Conversation::begin(InprocNames &names, const std::vector<std::string> &request) {
    mailbox_ = new Mailbox;
    mailbox_->set_listener(shared_from_this());
    InprocSide side;
    side.mailbox = mailbox_;
    const auto pair = names.connect_to_bound(handler_name, side, {ZMQ_REP, ZMQ_ROUTER, ZMQ_SERVER});
    if (!pair) {
        mailbox_->drop_reference();
        return pair.error();
    }
    pipe_ = &(*pair)->near_end();
    if (write(request)) return err::none;
    hang_up();
    return err::no_memory;
}

bool Conversation::write(const std::vector<std::string> &request) {
    for (size_t i = 0; i < request.size(); ++i) {
        OwnMessage frame;
        if (frame->init_copy(Bytes(request[i]))) {
            frame->init();
            return false;
        }
        if (i + 1 < request.size()) frame->set(Message::more);
        if (!pipe_->write(*frame)) return false;
    }
    return true;
}

void Conversation::take_news() {
    Pipe *const posted = mailbox_->take_news();
    if (!posted) return;
    const uint8_t news = posted->take_news();
    if (news & Pipe::deaf) {
        release_pipe();
        return;
    }
    if (posted->check_read()) read_reply();
    else if (news & Pipe::ended) listener_->zap_lost();
}

// Whatever its shape: what it means is the listener's affair.
void Conversation::read_reply() {
    std::vector<std::string> frames;
    bool more = true;
    while (more) {
        OwnMessage frame;
        if (!pipe_->read(*frame)) break;
        more = frame->has(Message::more);
        frames.emplace_back(frame->bytes().text());
    }
    listener_->zap_replied(frames);
}

void Conversation::hang_up() {
    listener_ = nullptr;
    const bool in_mailbox = pipe_->deafen();
    pipe_->close();
    if (!in_mailbox) release_pipe();
}

void Conversation::release_pipe() {
    const std::shared_ptr<Conversation> self = shared_from_this(); // until the mailbox is gone
    pipe_->release();
    pipe_ = nullptr;
    mailbox_->drop_reference();
}

class Call final : public ZapCall {
  public:
    explicit Call(std::shared_ptr<Conversation> conversation)
        : conversation_(std::move(conversation)) {}
    ~Call() override { conversation_->hang_up(); }

  private:
    const std::shared_ptr<Conversation> conversation_;
};

} // namespace

Result<std::unique_ptr<ZapCall>> call_zap_handler(InprocNames &names, Loop &loop,
                                                  const std::vector<std::string> &request,
                                                  ZapListener &listener) {
    const auto conversation = std::make_shared<Conversation>(loop, listener);
    if (const Error error = conversation->begin(names, request)) return error;
    return std::unique_ptr<ZapCall>(std::make_unique<Call>(conversation));
}

} // namespace tern
