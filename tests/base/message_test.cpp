#include "support/frames.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <thread>

using namespace tern;
using namespace tern::test;

namespace {

Metadata *make_metadata() {
    return new Metadata(Metadata::Properties{{"Peer-Address", "127.0.0.1"}});
}

std::string long_text() { return std::string(Message::inline_max + 1, 'x'); }

} // namespace

TEST_CASE("a message is 64 bytes, and its inline body ends with it at 40") {
    STATIC_REQUIRE(sizeof(Message) == 64);
    for (const size_t size : {size_t(0), size_t(1), Message::inline_max}) {
        Message message;
        REQUIRE_FALSE(message.init_size(size));
        CHECK(message.is_inline());
        CHECK(message.size() == size);
        message.close();
    }
    Message message;
    REQUIRE_FALSE(message.init_size(Message::inline_max + 1));
    CHECK_FALSE(message.is_inline());
    CHECK(message.size() == Message::inline_max + 1);
    message.close();
}

TEST_CASE("bodies around the inline limit keep every byte") {
    for (size_t size = 0; size <= Message::inline_max + 2; ++size) {
        std::string body;
        for (size_t i = 0; i < size; ++i) body += char('a' + i);
        OwnMessage message = make_frame(body);
        CHECK(message->bytes() == Bytes(body));
    }
}

TEST_CASE("a message may be moved with memcpy, wherever its body is") {
    CountedBodies bodies;
    OwnMessage kinds[] = {make_frame("short"), make_frame(long_text()), bodies.frame()};
    for (OwnMessage &kind : kinds) {
        const std::string before(kind->bytes().text());
        Message elsewhere;
        std::memcpy(static_cast<void *>(&elsewhere), &*kind, sizeof elsewhere);
        kind->init();
        CHECK(elsewhere.bytes().text() == before);
        elsewhere.close();
    }
    CHECK(bodies.given_back() == 1);
}

TEST_CASE("close makes a message invalid, init makes it valid again") {
    Message message;
    message.init();
    CHECK(message.is_valid());
    message.close();
    CHECK_FALSE(message.is_valid());
    message.init();
    CHECK(message.is_valid());
    message.close();
}

TEST_CASE("a size that no memory can hold is refused") {
    Message message;
    CHECK(message.init_size(SIZE_MAX) == err::no_memory);
    CHECK(message.init_size(SIZE_MAX - 8) == err::no_memory);
}

TEST_CASE("take leaves an empty valid message behind") {
    OwnMessage from = make_frame(long_text(), true);
    Message to;
    to.take(*from);
    CHECK(from->is_valid());
    CHECK(from->size() == 0);
    CHECK_FALSE(from->has(Message::more));
    CHECK(to.bytes().text() == long_text());
    CHECK(to.has(Message::more));
    to.close();
}

TEST_CASE("ZC-1: the caller's memory is given back exactly once") {
    CountedBodies bodies;
    {
        OwnMessage message = bodies.frame();
        CHECK(bodies.given_back() == 0);
        OwnMessage moved = std::move(message);
        CHECK(bodies.given_back() == 0);
    }
    CHECK(bodies.given_back() == 1);
}

TEST_CASE("ZC-7: sharing keeps one body until its last holder closes it") {
    CountedBodies bodies;
    OwnMessage message = bodies.frame();
    CHECK_FALSE(message->is_shared());
    Message copies[3];
    for (Message &copy : copies) copy.share(*message);
    CHECK(message->is_shared());
    CHECK(copies[0].is_shared());
    CHECK(copies[2].data() == message->data());
    message = OwnMessage();
    for (Message &copy : copies) {
        CHECK(bodies.given_back() == 0);
        copy.close();
    }
    CHECK(bodies.given_back() == 1);
}

TEST_CASE("a shared inline body is copied, not shared") {
    OwnMessage message = make_frame("short");
    Message copy;
    copy.share(*message);
    CHECK_FALSE(message->is_shared());
    copy.data()[0] = 'S';
    CHECK(message->bytes().text() == "short");
    copy.close();
}

TEST_CASE("ZC-8: constant memory is never freed and counts as shared") {
    static const char text[] = "constant";
    Message message;
    REQUIRE_FALSE(message.init_data(const_cast<char *>(text), 8, nullptr, nullptr));
    CHECK(message.is_shared());
    CHECK(message.data() == reinterpret_cast<const uint8_t *>(text));
    message.close();
}

TEST_CASE("flags are set and cleared one by one") {
    Message message;
    message.init();
    message.set(Message::more);
    message.set(Message::command);
    message.clear(Message::more);
    CHECK_FALSE(message.has(Message::more));
    CHECK(message.has(Message::command));
    message.close();
}

TEST_CASE("metadata lives as long as the last message that refers to it") {
    Metadata *metadata = make_metadata();
    OwnMessage first = make_frame("a");
    OwnMessage second;
    first->set_metadata(metadata);
    first->set_metadata(metadata); // to itself: no harm
    metadata->drop_references(1);
    second->close();
    second->share(*first);
    first = OwnMessage();
    REQUIRE(second->metadata());
    CHECK(second->metadata()->find("Peer-Address") == std::string("127.0.0.1"));
    CHECK(second->metadata()->find("Identity") == nullptr);
    second->set_metadata(nullptr);
    CHECK(second->metadata() == nullptr);
}

TEST_CASE("a group can be set, replaced, shared and cleared") {
    OwnMessage message = make_frame("body");
    CHECK(std::string(message->group()).empty());
    REQUIRE_FALSE(message->set_group("one"));
    Message copy;
    copy.share(*message);
    REQUIRE_FALSE(message->set_group("two"));
    CHECK(copy.group() == std::string("one"));
    CHECK(message->group() == std::string("two"));
    REQUIRE_FALSE(message->set_group(""));
    CHECK(std::string(message->group()).empty());
    copy.close();
}

TEST_CASE("holders in many threads give a shared body back once") {
    constexpr int threads_count = 4, copies_each = 200;
    CountedBodies bodies;
    std::vector<std::vector<OwnMessage>> copies(threads_count);
    {
        OwnMessage message = bodies.frame();
        for (auto &of_thread : copies)
            for (int i = 0; i < copies_each; ++i) {
                of_thread.emplace_back();
                of_thread.back()->close();
                of_thread.back()->share(*message);
            }
    }
    std::vector<std::thread> threads;
    for (auto &of_thread : copies) threads.emplace_back([&of_thread] { of_thread.clear(); });
    for (std::thread &thread : threads) thread.join();
    CHECK(bodies.given_back() == 1);
}
