#include "reactor/loop.hpp"

#include "os/wait_word.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fcntl.h>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <sys/syscall.h>
#include <unistd.h>

using namespace tern;

namespace {

constexpr auto patience = std::chrono::seconds(20);

struct StartedLoop {
    StartedLoop() {
        if (loop.start({})) throw std::runtime_error("no loop");
    }
    Loop *operator->() { return &loop; }
    // Runs this on the loop's thread. False when the loop did not do it in time.
    bool run(std::function<void()> body) {
        auto done = std::make_shared<std::promise<void>>();
        auto future = done->get_future();
        loop.post([body = std::move(body), done] {
            body();
            done->set_value();
        });
        return future.wait_for(patience) == std::future_status::ready;
    }
    Loop loop;
};

struct SocketPair {
    SocketPair() {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
            throw std::runtime_error("no socketpair");
        ours.reset(ends[0]);
        theirs.reset(ends[1]);
    }
    void send_ours() {
        if (::write(theirs.get(), "x", 1) != 1) throw std::runtime_error("write");
    }
    void read_all() {
        char sink[64];
        while (::read(ours.get(), sink, sizeof sink) > 0) {
        }
    }
    Fd ours, theirs;
};

class Handler final : public EventHandler {
  public:
    void on_ready(unsigned bits) override {
        seen |= bits;
        ++calls;
        if (then) then();
    }
    std::function<void()> then;
    unsigned seen = 0;
    int calls = 0;
};

// Set on one thread, awaited on another.
class Flag {
  public:
    void set() {
        std::lock_guard<std::mutex> guard(mutex_);
        set_ = true;
        changed_.notify_all();
    }
    bool wait() {
        std::unique_lock<std::mutex> guard(mutex_);
        return changed_.wait_for(guard, patience, [this] { return set_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

} // namespace

// ---- tasks

TEST_CASE("tasks run on the loop's thread, in the order in which they were posted") {
    StartedLoop loop;
    CHECK_FALSE(loop->is_own_thread());
    std::vector<int> order;
    bool own_thread = true;
    for (int i = 0; i < 1000; ++i)
        loop->post([&, i] {
            own_thread &= loop->is_own_thread();
            order.push_back(i);
        });
    REQUIRE(loop.run([] {}));
    REQUIRE(order.size() == 1000);
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK(own_thread);
}

TEST_CASE("tasks posted before the start run after it") {
    Loop loop;
    Flag ran;
    loop.post([&] { ran.set(); });
    REQUIRE_FALSE(loop.start({}));
    CHECK(ran.wait());
}

TEST_CASE("a task may post another, which runs after what was posted before") {
    StartedLoop loop;
    std::vector<int> order;
    Flag done;
    loop->post([&] {
        order.push_back(1);
        loop->post([&] {
            order.push_back(3);
            done.set();
        });
        order.push_back(2);
    });
    REQUIRE(done.wait());
    CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("stop runs what was posted before, and may be called twice") {
    int ran = 0;
    {
        StartedLoop loop;
        for (int i = 0; i < 100; ++i)
            loop->post([&] {
                ++ran;
                if (ran <= 50) loop->post([&] { ++ran; });
            });
        loop->stop();
        CHECK(ran >= 100);
        loop->stop();
    }
}

TEST_CASE("a loop that was never started can be stopped") {
    Loop loop;
    loop.stop();
}

// Each poster waits for its task before the next, so that the loop goes to sleep in between. A lost
// wake-up leaves a poster waiting.
TEST_CASE("no post is lost, from many threads, while the loop falls asleep") {
    // With one poster nobody else's wake-up makes up for a lost one.
    const int threads_count = GENERATE(1, 3);
    const int rounds = threads_count == 1 ? 100000 : 5000;
    StartedLoop loop;
    std::atomic<int> lost{0};
    int ran = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < rounds && lost == 0; ++i) {
                std::atomic<bool> done{false};
                // A little later each time, so that some post meets the moment of falling asleep.
                for (int k = i % 100; k > 0; --k) pause_core();
                loop->post([&] {
                    ++ran;
                    done = true;
                });
                const Nanoseconds limit = now_ns() + 20000 * ns_per_ms;
                for (int spins = 1; !done; ++spins) {
                    if (spins % 64 != 0) continue;
                    std::this_thread::yield();
                    if (now_ns() < limit) continue;
                    ++lost;
                    break;
                }
                // The task refers to our stack: it must have run before we go.
                while (!done) {
                    loop->post([] {});
                    std::this_thread::yield();
                }
            }
        });
    for (std::thread &thread : threads) thread.join();
    CHECK(lost == 0);
    CHECK(ran == threads_count * rounds);
}

TEST_CASE("posts from many threads each keep their order") {
    constexpr int threads_count = 3, rounds = 5000;
    StartedLoop loop;
    int last[threads_count] = {};
    bool in_order = true;
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t)
        threads.emplace_back([&, t] {
            for (int i = 1; i <= rounds; ++i)
                loop->post([&, t, i] {
                    in_order &= last[t] + 1 == i;
                    last[t] = i;
                });
        });
    for (std::thread &thread : threads) thread.join();
    REQUIRE(loop.run([] {}));
    CHECK(in_order);
    for (const int each : last) CHECK(each == rounds);
}

// ---- timers

TEST_CASE("timers run in the order of their time, never early, equal ones as they were added") {
    StartedLoop loop;
    std::vector<int> order;
    bool early = false;
    Flag done;
    loop->post([&] {
        const Nanoseconds now = now_ns();
        const auto add = [&](Nanoseconds at, int number) {
            loop->add_timer(at, [&, at, number] {
                early |= now_ns() < at;
                order.push_back(number);
                if (number == 5) done.set();
            });
        };
        add(now + 3 * ns_per_ms, 4);
        add(now + 1 * ns_per_ms, 2);
        add(now + 4 * ns_per_ms, 5);
        add(now + 1 * ns_per_ms, 3);
        add(now - 1, 1);
    });
    REQUIRE(done.wait());
    CHECK(order == std::vector<int>{1, 2, 3, 4, 5});
    CHECK_FALSE(early);
}

TEST_CASE("a timer wakes a loop that sleeps with nothing else to do") {
    StartedLoop loop;
    for (int i = 0; i < 3; ++i) {
        Flag done;
        loop->post([&] { loop->add_timer_ms(2, [&] { done.set(); }); });
        CHECK(done.wait());
    }
}

TEST_CASE("a cancelled timer does not run, also when another one that is due cancels it") {
    StartedLoop loop;
    bool ran = false;
    Flag done;
    loop->post([&] {
        const Nanoseconds at = now_ns() + ns_per_ms;
        auto early = loop->add_timer(at, [&] { ran = true; });
        loop->cancel_timer(early);
        CHECK_FALSE(early);
        loop->cancel_timer(early); // none: no harm
        auto late = std::make_shared<Loop::TimerId>();
        loop->add_timer(at, [&, late] { loop->cancel_timer(*late); });
        *late = loop->add_timer(at, [&] { ran = true; });
        loop->add_timer(at + 1, [&] { done.set(); });
    });
    REQUIRE(done.wait());
    CHECK_FALSE(ran);
}

TEST_CASE("a timer may cancel itself and add another") {
    StartedLoop loop;
    int runs = 0;
    Flag done;
    std::function<void()> tick;
    Loop::TimerId id;
    tick = [&] {
        loop->cancel_timer(id);
        if (++runs == 5)
            done.set();
        else
            id = loop->add_timer_ms(1, [&] { tick(); });
    };
    loop->post([&] { id = loop->add_timer_ms(1, [&] { tick(); }); });
    CHECK(done.wait());
    REQUIRE(loop.run([] {}));
    CHECK(runs == 5);
}

TEST_CASE("a timer that is due again at once does not keep tasks and descriptors waiting") {
    StartedLoop loop;
    SocketPair pair;
    Handler handler;
    Flag task_ran;
    Loop::WatchId watch = 0;
    int runs = 0;
    bool stop = false;
    constexpr int too_many = 200000;
    std::function<void()> tick = [&] {
        if (!stop && ++runs < too_many) loop->add_timer_ms(0, [&] { tick(); });
    };
    handler.then = [&] {
        pair.read_all();
        loop->post([&] {
            stop = true;
            task_ran.set();
        });
    };
    pair.send_ours();
    loop->post([&] {
        if (const auto id = loop->watch(pair.ours.get(), handler, ready::read)) watch = *id;
        tick();
    });
    CHECK(task_ran.wait());
    CHECK(runs < too_many);
    REQUIRE(loop.run([&] { loop->unwatch(watch, pair.ours.get()); }));
}

// ---- descriptors

TEST_CASE("a watched descriptor is reported to its handler, until it is unwatched") {
    StartedLoop loop;
    SocketPair pair;
    Handler handler;
    Loop::WatchId id = 0;
    Flag first, second;
    handler.then = [&] {
        pair.read_all();
        (handler.calls == 1 ? first : second).set();
    };
    REQUIRE(loop.run([&] {
        if (const auto watched = loop->watch(pair.ours.get(), handler, ready::read)) id = *watched;
    }));
    REQUIRE(id != 0);
    pair.send_ours();
    REQUIRE(first.wait());
    pair.send_ours();
    REQUIRE(second.wait());
    REQUIRE(loop.run([&] {
        CHECK(handler.seen == ready::read);
        loop->unwatch(id, pair.ours.get());
        CHECK(id == 0);
        loop->unwatch(id, pair.ours.get()); // none: no harm
    }));
    pair.send_ours();
    REQUIRE(loop.run([] {}));
    REQUIRE(loop.run([&] { CHECK(handler.calls == 2); }));
}

TEST_CASE("interest can be changed") {
    StartedLoop loop;
    SocketPair pair;
    Handler handler;
    Loop::WatchId id = 0;
    Flag written;
    handler.then = [&] {
        if (!(handler.seen & ready::write)) return;
        (void)loop->change(id, pair.ours.get(), 0);
        written.set();
    };
    REQUIRE(loop.run([&] {
        if (const auto watched = loop->watch(pair.ours.get(), handler, 0)) id = *watched;
    }));
    CHECK(handler.calls == 0);
    REQUIRE(loop.run([&] { CHECK_FALSE(loop->change(id, pair.ours.get(), ready::write)); }));
    CHECK(written.wait());
    REQUIRE(loop.run([&] { loop->unwatch(id, pair.ours.get()); }));
}

TEST_CASE("a descriptor that can not be watched is an error, and its place is used again") {
    StartedLoop loop;
    SocketPair pair;
    Handler handler;
    REQUIRE(loop.run([&] {
        auto refused = loop->watch(-1, handler, ready::read);
        CHECK(refused.error() == Error(EBADF));
        auto watched = loop->watch(pair.ours.get(), handler, ready::read);
        CHECK(watched);
        loop->unwatch(*watched, pair.ours.get());
    }));
}

// Both are ready in one batch. Whoever comes first unwatches the other, whose event is stale then.
TEST_CASE("an event whose watch has ended meanwhile reaches nobody") {
    const bool slot_taken_again = GENERATE(false, true);
    StartedLoop loop;
    SocketPair pairs[2], quiet;
    Handler handlers[2], newcomer;
    Loop::WatchId ids[2] = {}, newcomer_id = 0;
    Flag done;
    for (int i = 0; i < 2; ++i) {
        pairs[i].send_ours();
        handlers[i].then = [&, i] {
            loop->unwatch(ids[1 - i], pairs[1 - i].ours.get());
            if (slot_taken_again && newcomer_id == 0)
                newcomer_id = *loop->watch(quiet.ours.get(), newcomer, ready::read);
            pairs[i].read_all();
            loop->post([&] { done.set(); });
        };
    }
    loop->post([&] {
        for (int i = 0; i < 2; ++i)
            ids[i] = *loop->watch(pairs[i].ours.get(), handlers[i], ready::read);
    });
    REQUIRE(done.wait());
    REQUIRE(loop.run([&] {
        CHECK(handlers[0].calls + handlers[1].calls == 1);
        CHECK(newcomer.calls == 0);
        for (int i = 0; i < 2; ++i) loop->unwatch(ids[i], pairs[i].ours.get());
        loop->unwatch(newcomer_id, quiet.ours.get());
    }));
}

TEST_CASE("a handler may unwatch itself and be destroyed") {
    StartedLoop loop;
    SocketPair pair;
    auto handler = std::make_unique<Handler>();
    Loop::WatchId id = 0;
    Flag done;
    handler->then = [&] {
        Flag &flag = done; // what is captured goes with the handler
        loop->unwatch(id, pair.ours.get());
        loop->post([&flag] { flag.set(); });
    };
    REQUIRE(loop.run([&] { id = *loop->watch(pair.ours.get(), *handler, ready::read); }));
    pair.send_ours();
    REQUIRE(done.wait());
    REQUIRE(loop.run([&] { handler.reset(); }));
}

TEST_CASE("a handler may watch many more, which moves the list of watches") {
    StartedLoop loop;
    constexpr size_t count = 200;
    std::vector<SocketPair> pairs(count);
    std::vector<Handler> handlers(count);
    std::vector<Loop::WatchId> ids(count, 0);
    size_t served = 0;
    Flag done;
    handlers[0].then = [&] {
        pairs[0].read_all();
        if (++served > 1) return;
        for (size_t i = 1; i < count; ++i) {
            handlers[i].then = [&, i] {
                pairs[i].read_all();
                if (++served == count) done.set();
            };
            ids[i] = *loop->watch(pairs[i].ours.get(), handlers[i], ready::read);
            pairs[i].send_ours();
        }
    };
    REQUIRE(
        loop.run([&] { ids[0] = *loop->watch(pairs[0].ours.get(), handlers[0], ready::read); }));
    pairs[0].send_ours();
    CHECK(done.wait());
    REQUIRE(loop.run([&] {
        for (size_t i = 0; i < count; ++i) loop->unwatch(ids[i], pairs[i].ours.get());
    }));
}

TEST_CASE("ids of watches are never 0 and never repeat for the same place") {
    StartedLoop loop;
    SocketPair pair;
    Handler handler;
    REQUIRE(loop.run([&] {
        Loop::WatchId last = 0;
        for (int i = 0; i < 100; ++i) {
            auto id = loop->watch(pair.ours.get(), handler, ready::read);
            CHECK(id);
            CHECK(*id != 0);
            CHECK(*id != last);
            last = *id;
            loop->unwatch(*id, pair.ours.get());
        }
    }));
}

#if defined(__linux__)
TEST_CASE("a loop whose descriptors the program has closed runs what is posted") {
    const bool closes_waker = GENERATE(true, false);
    std::vector<bool> was_open(256);
    for (int fd = 0; fd < 256; ++fd) was_open[size_t(fd)] = ::fcntl(fd, F_GETFD) != -1;
    auto loop = std::make_unique<StartedLoop>();
    REQUIRE(loop->run([] {}));
    // The set comes first, then the waker.
    std::vector<int> own;
    for (int fd = 0; fd < 256; ++fd)
        if (!was_open[size_t(fd)] && ::fcntl(fd, F_GETFD) != -1) own.push_back(fd);
    REQUIRE(own.size() == 2);
    ::syscall(SYS_close, own[closes_waker ? 1 : 0]); // behind the thread sanitizer's back too
    CHECK(loop->run([] {}));
    CHECK(loop->run([] {}));
    loop.reset();
}
#endif
