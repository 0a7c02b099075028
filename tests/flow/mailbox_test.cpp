#include "flow/mailbox.hpp"

#include "flow/pipe.hpp"
#include "support/frames.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <poll.h>
#include <set>
#include <thread>

using namespace tern;
using namespace tern::test;

namespace {

bool is_readable(int fd, int timeout_ms = 0) {
    pollfd polled{fd, POLLIN, 0};
    return ::poll(&polled, 1, timeout_ms) == 1;
}

struct Box {
    Box() {
        if (mailbox->open()) throw std::runtime_error("out of descriptors");
    }
    ~Box() { mailbox->drop_reference(); }
    Mailbox *operator->() { return mailbox; }
    Mailbox *mailbox = new Mailbox;
};

struct Ends {
    explicit Ends(Mailbox *mailbox) { pair->near_end().set_mailbox(mailbox); }
    ~Ends() {
        pair->near_end().release();
        pair->far_end().release();
    }
    Pipe &near() { return pair->near_end(); }
    PipePair *pair = PipePair::create(true);
};

std::set<Pipe *> take_all(Mailbox &mailbox) {
    std::set<Pipe *> pipes;
    for (Pipe *pipe = mailbox.take_news(); pipe;) {
        Pipe *next = pipe->next_news;
        (void)pipe->take_news();
        pipes.insert(pipe);
        pipe = next;
    }
    return pipes;
}

} // namespace

TEST_CASE("nobody who is awake is signalled") {
    Box box;
    Ends ends(box.mailbox);
    ends.near().notify(Pipe::readable);
    box->wake();
    CHECK(box->has_news());
    CHECK_FALSE(is_readable(box->fd()));
}

TEST_CASE("a sleeper is signalled once, and takes the signal back when it wakes") {
    Box box;
    CHECK_FALSE(box->is_asleep());
    box->begin_sleep_on_descriptor();
    CHECK(box->is_asleep());
    CHECK_FALSE(is_readable(box->fd()));
    for (int i = 0; i < 5; ++i) box->wake();
    CHECK(is_readable(box->fd()));
    CHECK(box->is_asleep());
    box->end_sleep();
    CHECK_FALSE(box->is_asleep());
    CHECK_FALSE(is_readable(box->fd()));
}

TEST_CASE("a sleep that nobody ended leaves no signal") {
    Box box;
    box->begin_sleep_on_descriptor();
    box->end_sleep();
    box->wake();
    CHECK_FALSE(is_readable(box->fd()));
    box->begin_sleep_on_descriptor();
    CHECK_FALSE(is_readable(box->fd()));
    box->end_sleep();
}

TEST_CASE("news wakes the sleeper and lists each pipe once") {
    Box box;
    Ends one(box.mailbox), two(box.mailbox), three(box.mailbox);
    box->begin_sleep_on_descriptor();
    one.near().notify(Pipe::readable);
    CHECK(is_readable(box->fd()));
    two.near().notify(Pipe::writable);
    one.near().notify(Pipe::writable);
    three.near().notify(Pipe::ended);
    two.near().notify(Pipe::writable);
    box->end_sleep();
    Pipe *pipe = box->take_news();
    REQUIRE(pipe == &three.near());
    REQUIRE(pipe->next_news == &two.near());
    REQUIRE(pipe->next_news->next_news == &one.near());
    CHECK(pipe->next_news->next_news->next_news == nullptr);
    CHECK(one.near().take_news() == (Pipe::readable | Pipe::writable));
    CHECK(two.near().take_news() == Pipe::writable);
    CHECK(three.near().take_news() == Pipe::ended);
    CHECK_FALSE(box->has_news());
}

TEST_CASE("a pipe whose news was taken can be posted again") {
    Box box;
    Ends ends(box.mailbox);
    for (int i = 0; i < 3; ++i) {
        ends.near().notify(Pipe::readable);
        CHECK(take_all(*box.mailbox).size() == 1);
        CHECK_FALSE(box->has_news());
    }
}

// The thread that wakes makes its change first; the sleeper looks once more before it waits. A lost
// wake-up ends in the limit of poll().
TEST_CASE("no wake-up is lost between a sleeper and a thread that wakes it") {
    constexpr int rounds = 20000;
    Box box;
    std::atomic<int> wanted{0}, seen{0};
    bool lost = false;
    std::thread waker([&] {
        for (int i = 1; i <= rounds; ++i) {
            wanted.store(i, std::memory_order_seq_cst);
            box->wake();
            while (seen.load(std::memory_order_acquire) < i) std::this_thread::yield();
        }
    });
    int stray = 0;
    for (int i = 1; i <= rounds; ++i) {
        while (wanted.load(std::memory_order_acquire) < i) {
            box->begin_sleep_on_descriptor();
            if (wanted.load(std::memory_order_seq_cst) < i && !lost)
                lost = !is_readable(box->fd(), 20000);
            box->end_sleep();
        }
        stray += is_readable(box->fd());
        seen.store(i, std::memory_order_release);
    }
    waker.join();
    CHECK_FALSE(lost);
    CHECK(stray == 0);
}

TEST_CASE("a sleep on the word ends with a wake-up, needs no descriptor and leaves no signal") {
    Box box;
    box->begin_sleep_on_word();
    CHECK(box->is_asleep());
    CHECK(box->sleep_on_word(ns_per_ms)); // the time is over
    box->wake();
    CHECK(box->sleep_on_word(never)); // was ended before it began
    CHECK_FALSE(is_readable(box->fd()));
    box->end_sleep();
    CHECK_FALSE(box->is_asleep());
}

TEST_CASE("a sleep that goes on another way takes the signal of the first one back") {
    Box box;
    box->begin_sleep_on_descriptor();
    box->wake();
    CHECK(is_readable(box->fd()));
    box->begin_sleep_on_word();
    CHECK_FALSE(is_readable(box->fd()));
    box->begin_sleep_on_descriptor();
    box->wake();
    CHECK(is_readable(box->fd()));
    box->begin_sleep_on_descriptor();
    CHECK_FALSE(is_readable(box->fd()));
    box->end_sleep();
}

// The sleeper goes from way to way, and makes the descriptor in between, as a socket does that is
// polled with others, connects to a remote peer, or is one among many.
TEST_CASE("no wake-up is lost while the ways to sleep change") {
    constexpr int rounds = 20000;
    struct Watch final : SleepWatch {
        void sleep_ended(uint32_t) override { told.fetch_add(1); }
        std::atomic<int> told{0};
    } watch;
    auto *mailbox = new Mailbox;
    std::atomic<int> wanted{0}, seen{0};
    bool lost = false, wrong = false;
    std::thread waker([&] {
        for (int i = 1; i <= rounds; ++i) {
            wanted.store(i, std::memory_order_seq_cst);
            mailbox->wake();
            while (seen.load(std::memory_order_acquire) < i) std::this_thread::yield();
        }
    });
    const auto is_due = [&](int i) { return wanted.load(std::memory_order_seq_cst) >= i; };
    int told = 0;
    for (int i = 1; i <= rounds; ++i) {
        for (int way = i; !is_due(i); ++way) {
            if (way % 3 == 0 && i > rounds / 2) {
                if (mailbox->open()) throw std::runtime_error("out of descriptors");
                mailbox->begin_sleep_on_descriptor();
                if (!is_due(i) && !lost) lost = !is_readable(mailbox->fd(), 20000);
                mailbox->end_sleep();
                wrong |= is_readable(mailbox->fd());
            } else if (way % 3 == 1) {
                mailbox->park(watch, 7);
                for (int pause = 0; pause < 50 && watch.told.load() == told; ++pause)
                    std::this_thread::yield();
                const bool was_told = mailbox->unpark();
                const int now = watch.told.load();
                wrong |= now - told != int(was_told);
                told = now;
            } else {
                mailbox->begin_sleep_on_word();
                const Deadline deadline = Deadline::in_ms(20000);
                if (!is_due(i) && !lost) {
                    (void)mailbox->sleep_on_word(deadline.left_ns());
                    lost = deadline.has_passed();
                }
                mailbox->end_sleep();
            }
        }
        seen.store(i, std::memory_order_release);
    }
    waker.join();
    CHECK_FALSE(lost);
    CHECK_FALSE(wrong);
    mailbox->drop_reference();
}

TEST_CASE("news from many threads arrives whole") {
    constexpr int threads_count = 3, rounds = 5000;
    Box box;
    std::vector<std::unique_ptr<Ends>> ends;
    for (int i = 0; i < threads_count; ++i) ends.push_back(std::make_unique<Ends>(box.mailbox));
    // Each thread posts its own pipe again as soon as the last news of it was taken.
    std::vector<std::atomic<int>> taken(threads_count);
    for (auto &count : taken) count = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < rounds; ++i) {
                ends[size_t(t)]->near().notify(Pipe::readable);
                while (taken[size_t(t)].load(std::memory_order_acquire) <= i)
                    std::this_thread::yield();
            }
        });
    int left = threads_count * rounds;
    bool lost = false;
    while (left > 0) {
        box->begin_sleep_on_descriptor();
        if (!box->has_news() && !lost) lost = !is_readable(box->fd(), 20000);
        box->end_sleep();
        for (Pipe *pipe : take_all(*box.mailbox)) {
            for (int t = 0; t < threads_count; ++t)
                if (pipe == &ends[size_t(t)]->near())
                    taken[size_t(t)].fetch_add(1, std::memory_order_release);
            --left;
        }
    }
    for (std::thread &thread : threads) thread.join();
    CHECK_FALSE(lost);
    CHECK_FALSE(box->has_news());
}

TEST_CASE("a mailbox lives until its socket and all its pipe ends have let go") {
    auto *mailbox = new Mailbox;
    REQUIRE_FALSE(mailbox->open());
    PipePair *pair = PipePair::create(true);
    pair->near_end().set_mailbox(mailbox);
    mailbox->drop_reference(); // the socket
    pair->near_end().close();
    pair->near_end().release();
    // The other end still has somebody to tell.
    pair->near_end().notify(Pipe::readable);
    pair->far_end().close();
    pair->far_end().release();
}
