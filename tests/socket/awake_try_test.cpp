#include "socket/awake_try.hpp"

#include <catch2/catch.hpp>

using namespace tern;

namespace {

constexpr Nanoseconds longest = 5 * AwakeTry::usual;

// How many waits leave the try out.
int skipped(AwakeTry &tried) {
    int count = 0;
    while (!tried.is_due()) ++count;
    return count;
}

void fail_next(AwakeTry &tried, int skipped_before) {
    CHECK(skipped(tried) == skipped_before);
    tried.end(false);
}

} // namespace

TEST_CASE("tries that bring something go on in the short window") {
    AwakeTry tried(longest, 31);
    for (int i = 0; i < 100; ++i) {
        REQUIRE(tried.is_due());
        REQUIRE(tried.window() == AwakeTry::usual);
        tried.end(true);
    }
}

TEST_CASE("one try in vain is followed by a long one, and that by waits without any, more and more") {
    AwakeTry tried(longest, 31);
    fail_next(tried, 0);
    CHECK(tried.window() == longest);
    fail_next(tried, 0);
    fail_next(tried, 31);
    fail_next(tried, 63);
    fail_next(tried, 127);
    fail_next(tried, 255);
    fail_next(tried, 255);
    CHECK(tried.window() == longest);
}

TEST_CASE("what a long try has brought has to be shown by a short one") {
    AwakeTry tried(longest, 31);
    fail_next(tried, 0);
    REQUIRE(tried.is_due());
    tried.end(true);
    CHECK(tried.window() == AwakeTry::usual);
    SECTION("and is") {
        REQUIRE(tried.is_due());
        tried.end(true);
        fail_next(tried, 0); // as at the beginning
        fail_next(tried, 0);
        CHECK(skipped(tried) == 31);
    }
    SECTION("and is not") {
        fail_next(tried, 0);
        CHECK(skipped(tried) == 31);
        // Nor the next time: longer still.
        REQUIRE(tried.window() == longest);
        tried.end(true);
        fail_next(tried, 0);
        CHECK(skipped(tried) == 63);
    }
}

TEST_CASE("without a long window a try in vain is enough to leave them out") {
    AwakeTry tried(AwakeTry::usual, 15);
    fail_next(tried, 0);
    CHECK(skipped(tried) == 15);
    CHECK(tried.window() == AwakeTry::usual);
    tried.end(true);
    fail_next(tried, 0);
    CHECK(skipped(tried) == 15);
}
