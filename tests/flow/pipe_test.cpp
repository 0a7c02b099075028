#include "flow/pipe.hpp"

#include "support/frames.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <poll.h>
#include <thread>

using namespace tern;
using namespace tern::test;

namespace {

struct Pair {
    explicit Pair(bool crossing = false) : pair(PipePair::create(crossing)) {}
    ~Pair() {
        near().release();
        far().release();
    }
    Pipe &near() { return pair->near_end(); }
    Pipe &far() { return pair->far_end(); }
    PipePair *pair;
};

Mailbox *open_mailbox() {
    auto *mailbox = new Mailbox;
    if (mailbox->open()) throw std::runtime_error("out of descriptors");
    return mailbox;
}

// As much of a socket as one pipe needs: sleeps until there is news of it.
class Sleeper {
  public:
    explicit Sleeper(Mailbox *mailbox) : mailbox_(mailbox) {}
    ~Sleeper() { mailbox_->drop_reference(); }

    // Sleeps unless there is news, then takes it. Says that a wake-up was lost.
    bool sleep() {
        mailbox_->begin_sleep_on_descriptor();
        bool woken = true;
        if (!mailbox_->has_news()) {
            pollfd polled{mailbox_->fd(), POLLIN, 0};
            woken = ::poll(&polled, 1, 20000) == 1;
        }
        mailbox_->end_sleep();
        take();
        return woken;
    }
    uint8_t take() {
        uint8_t bits = 0;
        for (Pipe *pipe = mailbox_->take_news(); pipe;) {
            Pipe *next = pipe->next_news;
            bits |= pipe->take_news();
            pipe = next;
        }
        return bits;
    }
    // What a socket does to let a pipe go: no more posts, the last one awaited and taken.
    void let_go(Pipe &pipe) {
        const bool in_mailbox = pipe.deafen();
        pipe.close();
        for (bool found = !in_mailbox; !found;) {
            for (Pipe *listed = mailbox_->take_news(); listed;) {
                Pipe *next = listed->next_news;
                (void)listed->take_news();
                found |= listed == &pipe;
                listed = next;
            }
            if (!found) std::this_thread::yield();
        }
        pipe.release();
    }

  private:
    Mailbox *mailbox_;
};

// A link at the far end: takes frames while told to, hands out what the test put in.
class FakeLink final : public PipeFarEnd {
  public:
    bool take_frame(Message &frame) override {
        if (!taking) return false;
        taken.push_back(text_of(frame));
        frame.close();
        frame.init();
        return true;
    }
    bool take_copy(const Message &message) override {
        if (!growing) return false;
        taken.push_back(std::string(message.bytes().text()));
        return true;
    }
    void rollback() override { ++rollbacks; }
    bool is_taking() const override { return taking; }
    size_t returned_messages() const override { return returned; }
    size_t batched_messages() const override { return 0; }
    Next next_message(Message &frame) override {
        ++asked;
        if (inbound.empty()) return Next::none;
        const Frames next = inbound.front();
        inbound.pop_front();
        if (next.size() == 1) {
            frame.init();
            if (frame.init_copy(Bytes(next[0]))) throw std::runtime_error("no memory");
            return Next::direct;
        }
        write_message(*own_end, next);
        return Next::queued;
    }
    void message_queued() override { ++queued; }
    void room_made() override { ++room; }
    void leave_unheard() override {}

    Pipe *own_end = nullptr;
    bool taking = true;
    bool growing = false;
    size_t returned = 0;
    Frames taken;
    std::deque<Frames> inbound;
    int rollbacks = 0, queued = 0, room = 0, asked = 0;
};

struct LinkedPair : Pair {
    LinkedPair() {
        link.own_end = &far();
        near().set_far_end(&link);
    }
    FakeLink link;
};

} // namespace

TEST_CASE("messages go both ways, whole and in order") {
    const bool crossing = GENERATE(false, true);
    Pair pair(crossing);
    CHECK(read_message(pair.near()).empty());
    REQUIRE(write_message(pair.near(), {"a", "", "c"}));
    REQUIRE(write_message(pair.near(), {"d"}));
    REQUIRE(write_message(pair.far(), {"back"}));
    CHECK(read_message(pair.far()) == Frames{"a", "", "c"});
    CHECK(read_message(pair.far()) == Frames{"d"});
    CHECK(read_message(pair.far()).empty());
    CHECK(read_message(pair.near()) == Frames{"back"});
}

TEST_CASE("a copy goes into a link's batch that grows, between two messages only") {
    LinkedPair pair;
    OwnMessage frame = make_frame("copied");
    CHECK_FALSE(pair.near().write_copy(*frame));
    pair.link.growing = true;
    CHECK(pair.near().write_copy(*frame));
    CHECK(frame->bytes().text() == "copied");
    OwnMessage first = make_frame("first", true), last = make_frame("last");
    REQUIRE(pair.near().write(*first));
    CHECK_FALSE(pair.near().write_copy(*frame));
    REQUIRE(pair.near().write(*last));
    CHECK(pair.near().write_copy(*frame));
    CHECK(pair.link.taken == Frames{"copied", "first", "last", "copied"});
    Pair inproc;
    CHECK_FALSE(inproc.near().write_copy(*frame));
}

TEST_CASE("GEN-6: once the first frame was read, the others are readable") {
    Pair pair;
    write_message(pair.near(), {"a", "b"});
    Message frame;
    REQUIRE(pair.far().check_read());
    CHECK_FALSE(pair.far().is_mid_read());
    REQUIRE(pair.far().read(frame));
    frame.close();
    CHECK(pair.far().is_mid_read());
    CHECK(pair.far().check_read());
    REQUIRE(pair.far().read(frame));
    frame.close();
    CHECK_FALSE(pair.far().is_mid_read());
    CHECK_FALSE(pair.far().check_read());
}

TEST_CASE("the other end is told once about a message, and once about room") {
    Pair pair;
    pair.near().outbound().set_writer_part(2);
    CHECK_FALSE(pair.far().check_read());
    write_message(pair.near(), {"1"});
    CHECK(pair.far().take_news() == Pipe::readable);
    write_message(pair.near(), {"2"});
    CHECK(pair.far().take_news() == 0);
    CHECK_FALSE(pair.near().check_write());
    CHECK(pair.near().take_news() == 0);
    (void)read_message(pair.far());
    CHECK(pair.near().take_news() == Pipe::writable);
    CHECK(pair.near().check_write());
}

TEST_CASE("HWM-11: a begun message may be finished on a full pipe") {
    Pair pair;
    pair.near().outbound().set_writer_part(1);
    REQUIRE(pair.near().check_write());
    OwnMessage frame = make_frame("a", true);
    REQUIRE(pair.near().write(*frame));
    CHECK(pair.near().is_mid_write());
    frame = make_frame("b", true);
    REQUIRE(pair.near().write(*frame));
    frame = make_frame("c");
    REQUIRE(pair.near().write(*frame));
    CHECK_FALSE(pair.near().is_mid_write());
    CHECK_FALSE(pair.near().check_write());
    CHECK(read_message(pair.far()) == Frames{"a", "b", "c"});
}

TEST_CASE("closing ends both directions; what was sent stays readable, what was begun does not") {
    Pair pair;
    write_message(pair.near(), {"whole"});
    OwnMessage frame = make_frame("part", true);
    REQUIRE(pair.near().write(*frame));
    pair.near().close();
    CHECK((pair.far().take_news() & Pipe::ended) != 0);
    CHECK_FALSE(pair.far().is_drained());
    CHECK_FALSE(pair.far().check_write());
    CHECK(read_message(pair.far()) == Frames{"whole"});
    CHECK(pair.far().is_drained());
}

TEST_CASE("HM-2: a farewell is read once, behind all that the other end has written") {
    Pair pair(true);
    pair.far().set_farewell("gone");
    write_message(pair.near(), {"last"});
    CHECK_FALSE(pair.far().is_drained());
    pair.near().close();
    CHECK_FALSE(pair.far().is_drained());
    CHECK(read_message(pair.far()) == Frames{"last"});
    CHECK_FALSE(pair.far().is_drained()); // which has found the end, and appended
    CHECK(read_message(pair.far()) == Frames{"gone"});
    CHECK_FALSE(pair.far().append_farewell());
    CHECK(pair.far().is_drained());
}

TEST_CASE("all frames still on their way are closed with the pair") {
    CountedBodies bodies;
    {
        Pair pair;
        for (Pipe *end : {&pair.near(), &pair.far()}) {
            REQUIRE(end->write(*bodies.frame()));
            REQUIRE(end->write(*bodies.frame(true)));
            REQUIRE(end->write(*bodies.frame()));
            REQUIRE(end->write(*bodies.frame(true)));
        }
        CHECK(bodies.given_back() == 0);
    }
    CHECK(bodies.given_back() == 8);
}

TEST_CASE("the pair lives until both ends have let go") {
    PipePair *pair = PipePair::create(false);
    Pipe &far = pair->far_end();
    write_message(pair->near_end(), {"kept"});
    pair->near_end().close();
    pair->near_end().release();
    CHECK(read_message(far) == Frames{"kept"});
    CHECK(far.is_drained());
    far.close(); // tells an end that nobody holds any more
    far.release();
}

TEST_CASE("give_to posts a held end with everything that happened before") {
    Pair pair(true);
    auto *mailbox = open_mailbox();
    Sleeper socket(mailbox);
    pair.far().hold_news();
    write_message(pair.near(), {"early"});
    write_message(pair.near(), {"early too"});
    CHECK_FALSE(mailbox->has_news());
    pair.far().give_to(mailbox);
    CHECK(mailbox->has_news());
    CHECK(socket.take() == (Pipe::attach | Pipe::readable));
    CHECK(read_message(pair.far()) == Frames{"early"});
    CHECK(read_message(pair.far()) == Frames{"early too"});
    CHECK(read_message(pair.far()).empty());
    write_message(pair.near(), {"late"});
    CHECK(socket.take() == Pipe::readable);
    pair.near().close();
    CHECK(socket.take() == Pipe::ended);
}

TEST_CASE("a held end whose peer has left already says so when it is given") {
    Pair pair(true);
    auto *mailbox = open_mailbox();
    Sleeper socket(mailbox);
    pair.far().hold_news();
    write_message(pair.near(), {"last words"});
    pair.near().close();
    pair.far().give_to(mailbox);
    CHECK(socket.take() == (Pipe::attach | Pipe::readable | Pipe::ended));
    CHECK(read_message(pair.far()) == Frames{"last words"});
    CHECK(pair.far().is_drained());
}

TEST_CASE("an end that was let go is posted no more, also after its news was taken") {
    Pair pair(true);
    auto *mailbox = open_mailbox();
    Sleeper socket(mailbox);
    pair.near().set_mailbox(mailbox);

    SECTION("nothing pending") { CHECK_FALSE(pair.near().deafen()); }
    SECTION("news pending") {
        pair.near().notify(Pipe::writable);
        CHECK(pair.near().deafen());
        CHECK((socket.take() & Pipe::writable) != 0);
    }
    pair.near().notify(Pipe::readable);
    CHECK_FALSE(mailbox->has_news());
}

TEST_CASE("an end that has let go with news pending is not listed again when the other end goes") {
    PipePair *pair = PipePair::create(true);
    auto *near_box = open_mailbox();
    auto *far_box = open_mailbox();
    Sleeper near_socket(near_box), far_socket(far_box);
    pair->near_end().set_mailbox(near_box);
    pair->far_end().set_mailbox(far_box);
    write_message(pair->far_end(), {"never read"});
    near_socket.let_go(pair->near_end());
    far_socket.let_go(pair->far_end());
    // What is listed now is freed memory.
    CHECK_FALSE(near_box->has_news());
}

// ---- with a link at the far end

TEST_CASE("frames go straight into the link while it takes them") {
    LinkedPair pair;
    REQUIRE(pair.near().check_write());
    write_message(pair.near(), {"a", "b"});
    CHECK(pair.link.taken == Frames{"a", "b"});
    CHECK(pair.link.queued == 0);
    CHECK(read_message(pair.far()).empty());
}

TEST_CASE("a link that stops taking in the middle gets the rest of the message through the queue") {
    LinkedPair pair;
    OwnMessage frame = make_frame("a", true);
    REQUIRE(pair.near().write(*frame));
    pair.link.taking = false;
    frame = make_frame("b", true);
    REQUIRE(pair.near().write(*frame));
    pair.link.taking = true; // must not let "c" overtake "b"
    frame = make_frame("c");
    REQUIRE(pair.near().write(*frame));
    CHECK(pair.link.taken == Frames{"a"});
    CHECK(pair.link.queued == 1);
    CHECK(read_message(pair.far()) == Frames{"b", "c"});
    write_message(pair.near(), {"d"});
    CHECK(pair.link.taken == Frames{"a", "d"});
}

TEST_CASE("a link that stops taking at the last frame gets it through the queue") {
    LinkedPair pair;
    OwnMessage frame = make_frame("a", true);
    REQUIRE(pair.near().write(*frame));
    pair.link.taking = false;
    frame = make_frame("b");
    REQUIRE(pair.near().write(*frame));
    CHECK(read_message(pair.far()) == Frames{"b"});
    pair.link.taking = true;
    write_message(pair.near(), {"c"});
    CHECK(pair.link.taken == Frames{"a", "c"});
}

TEST_CASE("the limit counts the queue and what came back, but not what the link takes") {
    LinkedPair pair;
    pair.near().outbound().set_writer_part(2);
    for (int i = 0; i < 10; ++i) {
        REQUIRE(pair.near().check_write());
        write_message(pair.near(), {"direct"});
    }
    pair.link.taking = false;
    pair.link.returned = 1;
    REQUIRE(pair.near().check_write());
    write_message(pair.near(), {"queued"});
    CHECK_FALSE(pair.near().check_write());
    pair.link.returned = 0;
    CHECK(pair.near().check_write());
}

TEST_CASE("rollback reaches both the queue and the link") {
    LinkedPair pair;
    pair.near().rollback();
    CHECK(pair.link.rollbacks == 0); // nothing was begun
    OwnMessage frame = make_frame("a", true);
    REQUIRE(pair.near().write(*frame));
    pair.link.taking = false;
    frame = make_frame("b", true);
    REQUIRE(pair.near().write(*frame));
    pair.near().rollback();
    CHECK(pair.link.rollbacks == 1);
    CHECK_FALSE(pair.near().is_mid_write());
    pair.link.taking = true;
    write_message(pair.near(), {"c"});
    CHECK(pair.link.taken == Frames{"a", "c"});
    CHECK(read_message(pair.far()).empty());
}

TEST_CASE("what waits in the queue of a link can be thrown away") {
    LinkedPair pair;
    pair.link.taking = false;
    write_message(pair.near(), {"old"});
    OwnMessage frame = make_frame("begun", true);
    REQUIRE(pair.near().write(*frame));
    pair.near().discard_outbound();
    CHECK(read_message(pair.far()).empty());
    write_message(pair.near(), {"new"});
    CHECK(read_message(pair.far()) == Frames{"new"});
}

TEST_CASE("messages come straight from the link, or through the queue, in order") {
    LinkedPair pair;
    pair.link.inbound = {{"1"}, {"2a", "2b"}, {"3"}};
    REQUIRE(pair.near().check_read());
    REQUIRE(pair.near().check_read()); // asking twice takes one message
    CHECK(pair.link.asked == 1);
    CHECK(read_message(pair.near()) == Frames{"1"});
    CHECK(read_message(pair.near()) == Frames{"2a", "2b"});
    CHECK(read_message(pair.near()) == Frames{"3"});
    CHECK(read_message(pair.near()).empty());
    CHECK_FALSE(pair.near().check_read());
}

TEST_CASE("what the link has queued comes before what it can hand out") {
    LinkedPair pair;
    write_message(pair.far(), {"queued"});
    pair.link.inbound = {{"direct"}};
    CHECK(read_message(pair.near()) == Frames{"queued"});
    CHECK(read_message(pair.near()) == Frames{"direct"});
}

TEST_CASE("the link is told about room when it waits for it") {
    LinkedPair pair;
    pair.far().outbound().set_writer_part(1);
    write_message(pair.far(), {"1"});
    CHECK_FALSE(pair.far().outbound().can_write());
    (void)read_message(pair.near());
    CHECK(pair.link.room == 1);
}

TEST_CASE("a message fetched ahead of its reading is closed with the pipe") {
    LinkedPair pair;
    pair.link.inbound = {{std::string(1000, 'x')}};
    CHECK(pair.near().check_read()); // the sanitizer sees the rest
}

// ---- two threads

TEST_CASE("two sockets in two threads lose no message and no wake-up") {
    const int limit = GENERATE(1, 2, 5);
    constexpr int total = 10000;
    PipePair *pair = PipePair::create(true);
    pair->near_end().outbound().set_writer_part(limit);
    auto *near_box = open_mailbox();
    auto *far_box = open_mailbox();
    pair->near_end().set_mailbox(near_box);
    pair->far_end().set_mailbox(far_box);
    bool writer_lost = false, reader_lost = false, in_order = true;
    std::thread writer([&] {
        Sleeper socket(near_box);
        Pipe &pipe = pair->near_end();
        for (int i = 0; i < total && !writer_lost; ++i) {
            while (!pipe.check_write() && !writer_lost) writer_lost = !socket.sleep();
            write_message(pipe, {std::to_string(i)});
        }
        socket.let_go(pipe);
    });
    {
        Sleeper socket(far_box);
        Pipe &pipe = pair->far_end();
        int expected = 0;
        while (!reader_lost) {
            const Frames message = read_message(pipe);
            if (!message.empty())
                in_order &= message == Frames{std::to_string(expected++)};
            else if (pipe.is_drained())
                break;
            else
                reader_lost = !socket.sleep();
        }
        in_order &= expected == total;
        socket.let_go(pipe);
    }
    writer.join();
    CHECK_FALSE(writer_lost);
    CHECK_FALSE(reader_lost);
    CHECK(in_order);
}

// The sanitizers see what goes wrong here.
TEST_CASE("both ends may be closed and let go at the same moment in two threads") {
    CountedBodies bodies;
    constexpr int rounds = 500;
    int late_posts = 0;
    for (int round = 0; round < rounds; ++round) {
        PipePair *pair = PipePair::create(true);
        auto *near_box = open_mailbox();
        auto *far_box = open_mailbox();
        pair->near_end().set_mailbox(near_box);
        pair->far_end().set_mailbox(far_box);
        near_box->add_reference();
        far_box->add_reference();
        std::atomic<int> ready{0};
        const auto live = [&](Pipe &pipe, Mailbox *mailbox) {
            Sleeper socket(mailbox);
            ++ready;
            while (ready < 2) std::this_thread::yield();
            for (int i = 0; i <= round % 3; ++i) {
                (void)pipe.write(*bodies.frame());
                Message frame;
                if (pipe.read(frame)) frame.close();
            }
            (void)pipe.write(*bodies.frame(true));
            socket.let_go(pipe);
        };
        std::thread other([&] { live(pair->near_end(), near_box); });
        live(pair->far_end(), far_box);
        other.join();
        // A pipe listed now is gone already: whoever took the list would walk through freed memory.
        late_posts += near_box->has_news() + far_box->has_news();
        near_box->drop_reference();
        far_box->drop_reference();
    }
    CHECK(late_posts == 0);
    int written = 0;
    for (int round = 0; round < rounds; ++round) written += 2 * (round % 3 + 2);
    CHECK(bodies.given_back() == written);
}

TEST_CASE("a held end may be given to its binder while the connecter writes and leaves") {
    constexpr int rounds = 500;
    int lost = 0, wrong = 0;
    for (int round = 0; round < rounds; ++round) {
        PipePair *pair = PipePair::create(true);
        auto *near_box = open_mailbox();
        auto *far_box = open_mailbox();
        pair->near_end().set_mailbox(near_box);
        pair->far_end().hold_news();
        std::atomic<int> ready{0};
        std::thread connecter([&] {
            Sleeper socket(near_box);
            ++ready;
            while (ready < 2) std::this_thread::yield();
            for (int i = 0; i < 3; ++i) write_message(pair->near_end(), {std::to_string(i)});
            socket.let_go(pair->near_end());
        });
        Sleeper socket(far_box);
        Pipe &pipe = pair->far_end();
        ++ready;
        while (ready < 2) std::this_thread::yield();
        pipe.give_to(far_box);
        wrong += !(socket.take() & Pipe::attach);
        int expected = 0;
        while (!pipe.is_drained()) {
            const Frames message = read_message(pipe);
            if (!message.empty())
                wrong += message != Frames{std::to_string(expected++)};
            else if (!socket.sleep())
                break;
        }
        lost += expected != 3;
        connecter.join();
        socket.let_go(pipe);
    }
    CHECK(lost == 0);
    CHECK(wrong == 0);
}
