#include "base/thread_end.hpp"

#include <catch2/catch.hpp>
#include <pthread.h>
#include <thread>
#include <vector>

namespace {

std::vector<int> given_back;

struct Counted : tern::ThreadEnd::Note {
    explicit Counted(int n) : number(n) {
        give_back = [](Note &note) { given_back.push_back(static_cast<Counted &>(note).number); };
    }
    int number;
};

} // namespace

TEST_CASE("What a thread has left is given back when it ends, the newest first") {
    given_back.clear();
    Counted first(1), second(2);
    std::thread([&] {
        CHECK(tern::ThreadEnd::leave(first));
        CHECK(tern::ThreadEnd::leave(second));
        CHECK(given_back.empty());
    }).join();
    CHECK(given_back == std::vector<int>{2, 1});
}

TEST_CASE("A thread that has ended leaves nothing") {
    given_back.clear();
    static Counted late(3);
    static bool was_left;
    was_left = true;
    struct EndsEarlier : Counted {
        EndsEarlier() : Counted(1) {
            give_back = [](Note &) { was_left = tern::ThreadEnd::leave(late); };
        }
    } note;
    std::thread([&] { CHECK(tern::ThreadEnd::leave(note)); }).join();
    CHECK_FALSE(was_left);
    CHECK(given_back.empty());
}
