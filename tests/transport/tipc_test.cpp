#ifdef TERN_HAVE_TIPC
#include "transport/tipc.hpp"

#include <catch2/catch.hpp>

using namespace tern;

namespace {

std::string text_of(const Result<SocketAddress> &parsed) {
    return parsed ? tipc_text(*parsed) : "refused";
}
std::string bound(std::string_view address) { return text_of(parse_tipc_bind(address)); }
std::string connected(std::string_view address) { return text_of(parse_tipc_connect(address)); }
std::string target(std::string_view address) {
    return text_of(tipc_transport().resolve(address, {}));
}

} // namespace

TEST_CASE("Tipc services: ranges, instances and nodes") {
    CHECK(bound("{5560,0,0}") == "tipc://{5560, 0, 0}");
    CHECK(bound("{64,1,4294967295}") == "tipc://{64, 1, 4294967295}");
    CHECK(bound("{5560,7}") == "tipc://{5560, 7, 7}");
    CHECK(bound("{5560,7}@1.2.3") == "tipc://{5560, 7, 7}");
    CHECK(connected("{5560,0,4}") == "tipc://{5560, 0, 4}");
    CHECK(connected("{5560,7}") == "tipc://{5560, 7, 0}");
    CHECK(connected("{5560,7}@0.0.0") == "tipc://{5560, 7, 0}");
    CHECK(connected("{5560,7}@1.1.1") == "tipc://{5560, 7, 16781313}");
    // What ZMQ_LAST_ENDPOINT shows can be given again.
    CHECK(connected("{5560, 0, 4}") == "tipc://{5560, 0, 4}");
}

TEST_CASE("A connect to a tipc range goes to its lowest instance") {
    CHECK(target("{5560,3,9}") == "tipc://{5560, 3, 0}");
    CHECK(target("{5560,7}@1.1.1") == "tipc://{5560, 7, 16781313}");
    CHECK(target("<1.2.3:4>") == "tipc://<1.2.3:4>");
}

TEST_CASE("Tipc ports: any one to bind, a numbered one to connect") {
    const auto any = parse_tipc_bind("<*>");
    REQUIRE(any);
    CHECK(any->is_empty());
    CHECK(parse_tipc_connect("<*>").error() == err::invalid);
    CHECK(connected("<1.2.3:4294967295>") == "tipc://<1.2.3:4294967295>");
    CHECK(connected("<255.4095.4095:0>") == "tipc://<255.4095.4095:0>");
    CHECK(parse_tipc_bind("<1.2.3:4>").error() == err::invalid);
}

TEST_CASE("Tipc addresses that are none are EINVAL") {
    for (const char *text : {"",
                             "x",
                             "{",
                             "{}",
                             "{5560}",
                             "{5560,}",
                             "{a,0,0}",
                             "{5560,0,0",
                             "{5560,0,0}x",
                             "{5560,-1,0}",
                             "{5560,5,1}",
                             "{63,0,0}",
                             "{64,0}",
                             "{0,0}",
                             "{4294967296,0,0}",
                             "{5560,0}@",
                             "{5560,0}@1.1",
                             "{5560,0}@256.0.0",
                             "{5560,0}@1.4096.0",
                             "{5560,0}@1.1.4096",
                             "{5560,0,0}@1.1.1",
                             "<>",
                             "<1.2.3>",
                             "<1.2.3:>",
                             "<1.2.3:4",
                             "<1.2.3:4>x",
                             "<256.0.0:1>",
                             " {5560,0,0}",
                             "{5560 ,0,0}"}) {
        INFO(text);
        CHECK(parse_tipc_bind(text).error() == err::invalid);
        CHECK(parse_tipc_connect(text).error() == err::invalid);
    }
}

TEST_CASE("A bound tipc port is named, or the kernel has no such family") {
    const auto listening = tipc_transport().listen("<*>", {});
    if (!listening) {
        CHECK(listening.error() == Error(EAFNOSUPPORT));
        return;
    }
    CHECK(parse_tipc_connect(listening->endpoint.substr(7)));
}
#endif
