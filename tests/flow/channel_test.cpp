#include "flow/channel.hpp"

#include "os/clock.hpp"
#include "support/frames.hpp"

#include <catch2/catch.hpp>

#include <sched.h>
#include <thread>

using namespace tern;
using namespace tern::test;

namespace {

// Writes one single-frame message; true when the reader has to be told.
bool write_one(Channel &channel, const std::string &text = "m") {
    OwnMessage frame = make_frame(text);
    if (!channel.write(*frame)) throw std::runtime_error("no memory");
    return channel.publish();
}

void write_frame(Channel &channel, const std::string &text, bool more) {
    OwnMessage frame = make_frame(text, more);
    if (!channel.write(*frame)) throw std::runtime_error("no memory");
}

// Reads one frame; true when the writer has to be told.
bool read_one(Channel &channel, std::string *text = nullptr) {
    if (!channel.can_read()) throw std::runtime_error("nothing to read");
    Message frame;
    const bool writer_waits = channel.read(frame);
    if (text) *text = text_of(frame);
    frame.close();
    return writer_waits;
}

// Writes until the limit says stop.
int fill(Channel &channel) {
    int accepted = 0;
    for (; accepted < 10000 && channel.can_write(); ++accepted) (void)write_one(channel);
    return accepted;
}

void drain(Channel &channel) {
    while (channel.can_read()) (void)read_one(channel);
}

// What one side of a crossing channel tells the other, and the wait for it: a spin, so that nothing
// but the channel orders the two threads, with a limit that only a lost wake-up can reach.
class Told {
  public:
    void tell() { told_.store(true, std::memory_order_relaxed); }
    bool wait() {
        const Nanoseconds limit = now_ns() + 20000 * ns_per_ms;
        for (int tries = 0; !told_.exchange(false, std::memory_order_relaxed); ++tries) {
            if (now_ns() > limit) return false;
            if (tries < 100) {
                ::sched_yield();
            } else { // the other one has no core to run on
                const timespec nap{0, 50 * ns_per_us};
                ::nanosleep(&nap, nullptr);
            }
        }
        return true;
    }

  private:
    std::atomic<bool> told_{false};
};

} // namespace

TEST_CASE("GEN-5: nothing is readable before the last frame of a message") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    write_frame(channel, "a", true);
    CHECK(channel.is_mid_message());
    CHECK_FALSE(channel.can_read());
    write_frame(channel, "b", false);
    CHECK_FALSE(channel.can_read());
    CHECK(channel.publish());
    CHECK_FALSE(channel.is_mid_message());
    REQUIRE(channel.can_read());
    std::string text;
    (void)read_one(channel, &text);
    CHECK(text == "a");
    (void)read_one(channel, &text);
    CHECK(text == "b");
    CHECK_FALSE(channel.can_read());
}

TEST_CASE("HWM-7: exactly limit messages are accepted, then the writer has to wait") {
    const bool crossing = GENERATE(false, true);
    for (const int limit : {1, 2, 3, 10, 1000}) {
        Channel channel(crossing);
        channel.set_writer_part(limit);
        CHECK(fill(channel) == limit);
    }
}

TEST_CASE("HWM-3: zero is no limit") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    channel.set_writer_part(0);
    CHECK(fill(channel) == 10000);
}

TEST_CASE("HWM-4: the limit is what both sides allow together, and none if one of them has none") {
    struct {
        int writer, reader, limit;
    } const cases[] = {{1, 1, 2},
                       {1, 0, 0},
                       {0, 1, 0},
                       {0, 0, 0},
                       {1000, 1000, 2000},
                       {5, Channel::absent, 5},
                       {Channel::absent, 5, 5},
                       {0, Channel::absent, 0},
                       {INT32_MAX, INT32_MAX, 0}};
    for (const auto &c : cases) {
        Channel one(true), other(true);
        one.set_writer_part(c.writer);
        one.set_reader_part(c.reader);
        CHECK(one.limit() == c.limit);
        other.set_reader_part(c.reader);
        other.set_writer_part(c.writer);
        CHECK(other.limit() == c.limit);
    }
}

TEST_CASE("CHG-1: both sides may change their part of the limit at the same moment") {
    constexpr int rounds = 20000;
    Channel channel(true);
    std::atomic<int> writer_round{0}, reader_round{0};
    std::thread reader([&] {
        for (int i = 1; i <= rounds; ++i) {
            while (writer_round.load(std::memory_order_acquire) < i) ::sched_yield();
            channel.set_reader_part(i);
            reader_round.store(i, std::memory_order_release);
        }
    });
    int wrong = 0;
    for (int i = 1; i <= rounds; ++i) {
        writer_round.store(i, std::memory_order_release);
        channel.set_writer_part(i);
        while (reader_round.load(std::memory_order_acquire) < i) ::sched_yield();
        wrong += channel.limit() != 2 * i;
    }
    reader.join();
    CHECK(wrong == 0);
}

TEST_CASE("HWM-2: messages are counted, not frames") {
    Channel channel(false);
    channel.set_writer_part(3);
    int accepted = 0;
    for (; channel.can_write() && accepted < 10; ++accepted) {
        write_frame(channel, "a", true);
        write_frame(channel, "b", false);
        (void)channel.publish();
    }
    CHECK(accepted == 3);
}

TEST_CASE("what the writer holds besides the queue counts against the limit") {
    Channel channel(false);
    channel.set_writer_part(3);
    (void)write_one(channel);
    CHECK(channel.can_write(1));
    CHECK_FALSE(channel.can_write(2));
    CHECK_FALSE(channel.can_write(100));
}

TEST_CASE("LWM-1, LWM-3: a stopped writer starts again after (limit + 1) / 2 reads, for as many") {
    const bool crossing = GENERATE(false, true);
    for (int limit = 1; limit <= 20; ++limit) {
        Channel channel(crossing);
        channel.set_writer_part(limit);
        REQUIRE(fill(channel) == limit);
        const int point = (limit + 1) / 2;
        for (int read = 1; read <= point; ++read) {
            REQUIRE(channel.can_read());
            const bool writer_waits = read_one(channel);
            CHECK(writer_waits == (read == point));
            CHECK(channel.can_write() == (read == point));
        }
        CHECK(fill(channel) == point);
    }
}

TEST_CASE("LWM-1: reports follow at every multiple, and only while the writer waits") {
    Channel channel(false);
    channel.set_writer_part(4); // reports at every second read
    for (int round = 0; round < 10; ++round) {
        (void)fill(channel);
        CHECK_FALSE(read_one(channel));
        CHECK(read_one(channel));
        // The writer was told and has not asked since: nobody waits.
        CHECK_FALSE(read_one(channel));
        CHECK_FALSE(read_one(channel));
    }
}

TEST_CASE("LWM-4: a fully drained channel always accepts a message") {
    const bool crossing = GENERATE(false, true);
    for (int limit = 1; limit <= 30; ++limit) {
        Channel channel(crossing);
        channel.set_writer_part(limit);
        // Every position of the read count relative to the report point.
        for (int i = 0; i < 3 * limit + 7; ++i) {
            REQUIRE(channel.can_write());
            (void)write_one(channel);
            drain(channel);
        }
        CHECK(channel.can_write());
    }
}

TEST_CASE("CHG-4: lowering the limit of a full channel loses nothing and never stops it for good") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    channel.set_writer_part(101);
    REQUIRE(fill(channel) == 101);
    channel.set_writer_part(71);
    CHECK_FALSE(channel.can_write());
    int read = 0;
    for (; channel.can_read(); ++read) (void)read_one(channel);
    CHECK(read == 101);
    const int accepted = fill(channel);
    CHECK(accepted >= 1);
    CHECK(accepted <= 71);
}

TEST_CASE("CHG-4, LWM-4: a drained channel whose limit is lowered accepts a message") {
    const bool crossing = GENERATE(false, true);
    for (const int before : {0, 1000}) {
        Channel channel(crossing);
        channel.set_writer_part(before);
        for (int i = 0; i < 499; ++i) (void)write_one(channel);
        drain(channel);
        channel.set_writer_part(10);
        CHECK(channel.can_write());
    }
}

TEST_CASE("LWM-4: when the limit is lowered during reading, the writer is told by the last read") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    channel.set_writer_part(1000);
    for (int i = 0; i < 499; ++i) (void)write_one(channel);
    for (int i = 0; i < 498; ++i) (void)read_one(channel);
    channel.set_writer_part(10);
    const bool may_write = channel.can_write();
    const bool told = read_one(channel);
    CHECK((may_write || told));
    CHECK(channel.can_write());
}

TEST_CASE(
    "CHG-3: when the limit of a full channel is raised, the waiting writer is told in the end") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    channel.set_writer_part(10);
    REQUIRE(fill(channel) == 10);
    channel.set_writer_part(1000);
    bool told = false;
    while (channel.can_read()) told |= read_one(channel);
    told |= channel.take_writer_to_tell();
    CHECK(told);
    CHECK(channel.can_write());
}

TEST_CASE("CHG-1: a limit taken away lets the writer go on, and it is told") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    channel.set_writer_part(10);
    REQUIRE(fill(channel) == 10);
    channel.set_writer_part(0);
    CHECK(read_one(channel));
    CHECK(channel.can_write());
}

TEST_CASE("only the first message after an empty look asks for a wake-up") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    CHECK(write_one(channel)); // a new channel counts as looked at
    CHECK_FALSE(write_one(channel));
    CHECK_FALSE(write_one(channel));
    (void)read_one(channel);
    (void)read_one(channel);
    (void)read_one(channel);
    CHECK_FALSE(write_one(channel)); // the reader has not seen it empty
    (void)read_one(channel);
    CHECK_FALSE(channel.can_read());
    CHECK(write_one(channel));
}

TEST_CASE("rollback closes the frames of the unfinished message and no others") {
    CountedBodies bodies;
    Channel channel(false);
    REQUIRE(channel.write(*bodies.frame()));
    (void)channel.publish();
    for (int i = 0; i < 20; ++i) REQUIRE(channel.write(*bodies.frame(true)));
    channel.rollback();
    CHECK(bodies.given_back() == 20);
    CHECK_FALSE(channel.is_mid_message());
    channel.rollback();
    (void)write_one(channel, "next");
    std::string text;
    (void)read_one(channel);
    (void)read_one(channel, &text);
    CHECK(text == "next");
    CHECK_FALSE(channel.can_read());
}

TEST_CASE("discard_all closes what is published and says that the writer waits") {
    CountedBodies bodies;
    Channel channel(false);
    channel.set_writer_part(5);
    while (channel.can_write()) {
        REQUIRE(channel.write(*bodies.frame()));
        (void)channel.publish();
    }
    CHECK(channel.discard_all());
    CHECK(bodies.given_back() == 5);
    CHECK(channel.can_write());
}

TEST_CASE("CF-2: a conflating channel keeps the newest message and never stops the writer") {
    const bool crossing = GENERATE(false, true);
    Channel channel(crossing);
    channel.set_writer_part(1);
    channel.conflate();
    CHECK_FALSE(channel.can_read());
    CHECK(write_one(channel, "0"));
    for (int i = 1; i < 20; ++i) {
        CHECK(channel.can_write());
        CHECK_FALSE(write_one(channel, std::to_string(i)));
    }
    REQUIRE(channel.can_read());
    std::string text;
    (void)read_one(channel, &text);
    CHECK(text == "19");
    CHECK_FALSE(channel.can_read());
    CHECK(write_one(channel, "20"));
}

TEST_CASE("CF-4: of a multipart message a conflating channel keeps the last frame, without more") {
    Channel channel(false);
    channel.conflate();
    write_frame(channel, "a", true);
    write_frame(channel, "b", false);
    (void)channel.publish();
    REQUIRE(channel.can_read());
    Message frame;
    (void)channel.read(frame);
    CHECK(text_of(frame) == "b");
    CHECK_FALSE(frame.has(Message::more));
    frame.close();
    // A frame that is read before the next one came promises none either.
    write_frame(channel, "c", true);
    REQUIRE(channel.can_read());
    (void)channel.read(frame);
    CHECK_FALSE(frame.has(Message::more));
    frame.close();
}

TEST_CASE("a conflating channel closes what is replaced and what is left over") {
    CountedBodies bodies;
    {
        Channel channel(false);
        channel.conflate();
        for (int i = 0; i < 3; ++i) {
            REQUIRE(channel.write(*bodies.frame()));
            (void)channel.publish();
        }
        CHECK(bodies.given_back() == 2);
    }
    CHECK(bodies.given_back() == 3);
}

TEST_CASE("what was written before the end of writing is read before the end is seen") {
    Channel channel(true);
    (void)write_one(channel);
    CHECK_FALSE(channel.has_ended());
    channel.end_writing();
    CHECK(channel.has_ended());
    CHECK(channel.can_read());
    CHECK_FALSE(channel.reader_is_gone());
    channel.end_reading();
    CHECK(channel.reader_is_gone());
}

// Both sides stop whenever the channel says so and go on only when told. A lost wake-up leaves one
// of them waiting for good.
TEST_CASE("no wake-up is lost between two threads") {
    const int limit = GENERATE(1, 2, 3, 8);
    const int total = limit == 1 ? 150000 : 20000;
    Channel channel(true);
    channel.set_writer_part(limit);
    Told reader, writer;
    bool writer_lost = false, reader_lost = false, in_order = true;
    std::thread writing([&] {
        for (int i = 0; i < total && !writer_lost; ++i) {
            while (!channel.can_write() && !writer_lost) writer_lost = !writer.wait();
            const bool more = i % 3 == 0;
            if (more) write_frame(channel, "first", true);
            if (write_one(channel, std::to_string(i))) reader.tell();
        }
    });
    for (int i = 0; i < total && !reader_lost; ++i) {
        while (!channel.can_read() && !reader_lost) {
            if (channel.take_writer_to_tell()) writer.tell();
            reader_lost = !reader.wait();
        }
        if (reader_lost) break;
        std::string text;
        if (i % 3 == 0) {
            if (read_one(channel, &text)) writer.tell();
            in_order &= text == "first";
        }
        if (read_one(channel, &text)) writer.tell();
        in_order &= text == std::to_string(i);
    }
    writing.join();
    CHECK_FALSE(writer_lost);
    CHECK_FALSE(reader_lost);
    CHECK(in_order);
}

TEST_CASE("a conflating reader in another thread always gets the last message") {
    constexpr int rounds = 200, burst = 50;
    Channel channel(true);
    channel.conflate();
    Told reader;
    std::atomic<int> reached{-1};
    std::thread writing([&] {
        for (int round = 0; round < rounds; ++round) {
            for (int i = 0; i < burst; ++i)
                if (write_one(channel, std::to_string(round * burst + i))) reader.tell();
            // The next burst begins when the reader has the last of this one.
            const Nanoseconds limit = now_ns() + 20000 * ns_per_ms;
            while (reached < round * burst + burst - 1 && now_ns() < limit) ::sched_yield();
        }
    });
    bool lost = false, newer = true;
    int last = -1;
    while (last < rounds * burst - 1 && !lost) {
        while (!channel.can_read() && !lost) lost = !reader.wait();
        if (lost) break;
        std::string text;
        (void)read_one(channel, &text);
        newer &= std::stoi(text) > last;
        last = std::stoi(text);
        reached = last;
    }
    writing.join();
    CHECK_FALSE(lost);
    CHECK(newer);
    CHECK(last == rounds * burst - 1);
}
