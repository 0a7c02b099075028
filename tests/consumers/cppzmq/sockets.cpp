// context_t, socket_t, socket_ref, sockopt, buffers, poll, proxies: the stable part of cppzmq.
#include "say.hpp"

#include <chrono>
#include <thread>
#include <unordered_set>
#include <vector>

namespace {

void contexts() {
    zmq::context_t context(2, 64);
    CHECK(context.get(zmq::ctxopt::io_threads) == 2 && context.get(zmq::ctxopt::max_sockets) == 64);
    context.set(zmq::ctxopt::ipv6, 1);
    CHECK(context.get(zmq::ctxopt::ipv6) == 1);
    CHECK(errno_of([&] { context.set(zmq::ctxopt::io_threads, -1); }) == EINVAL);
    CHECK(errno_of([&] { zmq::socket_t(context, 77); }) == EINVAL);
    zmq::context_t other(std::move(context));
    CHECK(context.handle() == nullptr && other.handle() != nullptr);
    zmq::socket_t waiting(other, zmq::socket_type::pull);
    std::thread thread([&] {
        zmq::message_t message;
        CHECK(errno_of([&] { (void)waiting.recv(message); }) == ETERM);
        waiting.close();
    });
    other.shutdown();
    thread.join();
    other.close();
}

void options() {
    zmq::context_t context;
    zmq::socket_t s(context, zmq::socket_type::dealer);
    s.set(zmq::sockopt::routing_id, "me");
    s.set(zmq::sockopt::linger, 5);
    s.set(zmq::sockopt::sndhwm, 77);
    s.set(zmq::sockopt::maxmsgsize, int64_t(1) << 33);
    s.set(zmq::sockopt::affinity, uint64_t(1));
    s.set(zmq::sockopt::immediate, true);
    s.set(zmq::sockopt::plain_username, "user");
    CHECK(s.get(zmq::sockopt::routing_id) == "me" && s.get(zmq::sockopt::linger) == 5);
    CHECK(s.get(zmq::sockopt::sndhwm) == 77 && s.get(zmq::sockopt::immediate));
    CHECK(s.get(zmq::sockopt::maxmsgsize) == int64_t(1) << 33);
    CHECK(s.get(zmq::sockopt::plain_username) == "user");
    CHECK(s.get(zmq::sockopt::mechanism) == ZMQ_PLAIN);
    CHECK(s.get(zmq::sockopt::socket_type) == zmq::socket_type::dealer);
    CHECK(errno_of([&] { s.set(zmq::sockopt::sndhwm, -1); }) == EINVAL);
    CHECK(errno_of([&] { s.set(zmq::sockopt::subscribe, "x"); }) == EINVAL);
    s.set(zmq::sockopt::curve_publickey, "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S");
    CHECK(s.get(zmq::sockopt::curve_publickey) == "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S");
    std::cout << "dealer has events " << s.get(zmq::sockopt::events) << '\n';
}

void errors() {
    zmq::context_t context;
    zmq::socket_t s(context, ZMQ_PUSH), t(context, ZMQ_PUSH);
    const std::string address = bind_any(s, "tcp://127.0.0.1:*");
    CHECK(errno_of([&] { t.bind(address); }) == EADDRINUSE);
    CHECK(errno_of([&] { t.bind("nonsense"); }) == EINVAL);
    CHECK(errno_of([&] { t.connect("nonsense://x"); }) == EPROTONOSUPPORT);
    CHECK(errno_of([&] { t.disconnect(address); }) == ENOENT);
    s.unbind(address);
    zmq::message_t message;
    CHECK(errno_of([&] { (void)t.recv(message); }) == ENOTSUP);
    CHECK(!t.send(zmq::str_buffer("nobody"), zmq::send_flags::dontwait));
    zmq::socket_t req(context, zmq::socket_type::req);
    CHECK(errno_of([&] { (void)req.recv(message); }) == EFSM);
    zmq::socket_t moved(std::move(req));
    CHECK(!req && moved);
    moved.close();
    CHECK(errno_of([&] { moved.bind("inproc://closed"); }) == ENOTSOCK);
}

void patterns(const std::string &wildcard) {
    zmq::context_t context;
    zmq::socket_t rep(context, zmq::socket_type::rep), req(context, zmq::socket_type::req);
    give_up_after(10000, rep), give_up_after(10000, req);
    req.connect(bind_any(rep, wildcard));
    for (int i = 0; i < 3; ++i) {
        CHECK(*req.send(zmq::buffer(std::string("question"))) == 8);
        CHECK(text_of(rep) == "question");
        rep.send(zmq::message_t(std::string("answer")), zmq::send_flags::none);
        char room[3];
        const zmq::recv_buffer_result_t got = req.recv(zmq::buffer(room));
        CHECK(got && got->size == 3 && got->untruncated_size == 6 && got->truncated());
        CHECK(std::string(room, 3) == "ans");
    }
    zmq::socket_t xpub(context, zmq::socket_type::xpub), sub(context, zmq::socket_type::sub);
    give_up_after(10000, xpub), give_up_after(10000, sub);
    sub.set(zmq::sockopt::subscribe, "news");
    sub.connect(bind_any(xpub, wildcard == "inproc://one" ? "inproc://two" : wildcard));
    CHECK(text_of(xpub) == std::string("\1news"));
    xpub.send(zmq::str_buffer("other"), zmq::send_flags::sndmore);
    xpub.send(zmq::str_buffer("body"), zmq::send_flags::none);
    xpub.send(zmq::str_buffer("news today"), zmq::send_flags::sndmore);
    xpub.send(zmq::str_buffer("body"), zmq::send_flags::none);
    CHECK(text_of(sub) == "news today" && sub.get(zmq::sockopt::rcvmore));
    CHECK(text_of(sub) == "body" && !sub.get(zmq::sockopt::rcvmore));
    sub.set(zmq::sockopt::unsubscribe, "news");
    CHECK(text_of(xpub) == std::string("\0news", 5));

    std::vector<zmq::pollitem_t> items{{rep, 0, ZMQ_POLLIN, 0}, {req, 0, ZMQ_POLLOUT, 0}};
    CHECK(zmq::poll(items, std::chrono::milliseconds(10000)) == 1 && items[1].revents == ZMQ_POLLOUT);
    req.send(zmq::str_buffer("polled"), zmq::send_flags::none);
    CHECK(zmq::poll(items.data(), 1, std::chrono::milliseconds(10000)) == 1);
    CHECK(zmq::poll(&items[1], 1, std::chrono::milliseconds(0)) == 0);

    const zmq::socket_ref ref = rep, same = rep, null;
    std::unordered_set<zmq::socket_ref> set{ref, same, null};
    CHECK(set.size() == 2 && ref == rep && ref != null && null == nullptr);
    std::cout << "patterns over " << wildcard.substr(0, wildcard.find(':')) << '\n';
}

void steered_proxy() {
    zmq::context_t context;
    zmq::socket_t front(context, ZMQ_ROUTER), back(context, ZMQ_DEALER), control(context, ZMQ_PAIR);
    zmq::socket_t steer(context, ZMQ_PAIR), req(context, ZMQ_REQ), rep(context, ZMQ_REP);
    front.bind("inproc://front"), back.bind("inproc://back"), control.bind("inproc://control");
    steer.connect("inproc://control"), req.connect("inproc://front"), rep.connect("inproc://back");
    give_up_after(10000, req), give_up_after(10000, rep);
    std::thread proxy([&] { zmq::proxy_steerable(front, back, zmq::socket_ref(), control); });
    req.send(zmq::str_buffer("through"), zmq::send_flags::none);
    CHECK(text_of(rep) == "through");
    rep.send(zmq::str_buffer("and back"), zmq::send_flags::none);
    CHECK(text_of(req) == "and back");
    steer.send(zmq::str_buffer("TERMINATE"), zmq::send_flags::none);
    proxy.join();
    std::cout << "the proxy has ended\n";
}

} // namespace

int main() {
    int major, minor, patch;
    std::tie(major, minor, patch) = zmq::version();
    CHECK(major == 4 && (minor > 3 || patch >= 4));
    contexts();
    options();
    errors();
    for (const char *wildcard : {"inproc://one", "tcp://127.0.0.1:*", "ipc://*"}) patterns(wildcard);
    steered_proxy();
}
