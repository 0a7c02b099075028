// poller_t, active_poller_t, routing ids and groups: the draft part, which only a library with drafts has.
#define ZMQ_BUILD_DRAFT_API
#include "say.hpp"

#include <chrono>
#include <thread>

namespace {

using std::chrono::milliseconds;
using zmq::event_flags;

void poller() {
    zmq::context_t context;
    zmq::socket_t a(context, zmq::socket_type::pair), b(context, zmq::socket_type::pair);
    a.bind("inproc://poller"), b.connect("inproc://poller");
    int mark_a = 0, mark_b = 0;
    zmq::poller_t<int> poller;
    std::vector<zmq::poller_event<int>> events(2);
    poller.add(a, event_flags::pollin, &mark_a);
    poller.add(b, event_flags::pollin | event_flags::pollout, &mark_b);
    CHECK(poller.size() == 2);
    CHECK(errno_of([&] { poller.add(a, event_flags::pollin, &mark_a); }) == EINVAL);
    CHECK(poller.wait_all(events, milliseconds(10000)) == 1 && events[0].user_data == &mark_b);
    CHECK(events[0].events == event_flags::pollout && events[0].socket == b);
    b.send(zmq::str_buffer("x"), zmq::send_flags::none);
    poller.modify(b, event_flags::pollin);
    CHECK(poller.wait_all(events, milliseconds(10000)) == 1 && events[0].user_data == &mark_a);
    poller.remove(a);
    CHECK(poller.wait_all(events, milliseconds(0)) == 0);
    CHECK(errno_of([&] { poller.remove(a); }) == EINVAL);
    zmq::poller_t<int> taken(std::move(poller));
    CHECK(taken.size() == 1);
}

void active_poller() {
    zmq::context_t context;
    zmq::socket_t in(context, zmq::socket_type::pull), out(context, zmq::socket_type::push);
    out.connect(bind_any(in, "tcp://127.0.0.1:*"));
    int reads = 0, writes = 0;
    zmq::active_poller_t poller;
    CHECK(poller.empty());
    poller.add(in, event_flags::pollin, [&](event_flags) { reads += text_of(in) == "x"; });
    poller.add(out, event_flags::pollout, [&](event_flags) {
        ++writes;
        out.send(zmq::str_buffer("x"), zmq::send_flags::none);
        poller.modify(out, event_flags::none);
    });
    while (reads == 0) CHECK(poller.wait(milliseconds(10000)) > 0);
    CHECK(writes == 1 && poller.size() == 2);
    poller.remove(in), poller.remove(out);
    CHECK(poller.empty());
}

void single_parts() {
    zmq::context_t context;
    zmq::socket_t server(context, zmq::socket_type::server), client(context, zmq::socket_type::client);
    client.connect(bind_any(server, "tcp://127.0.0.1:*"));
    client.send(zmq::str_buffer("question"), zmq::send_flags::none);
    zmq::message_t message;
    CHECK(server.recv(message) && message.routing_id() != 0);
    zmq::message_t answer(std::string("answer"));
    answer.set_routing_id(message.routing_id());
    server.send(answer, zmq::send_flags::none);
    CHECK(text_of(client) == "answer");

    zmq::socket_t radio(context, zmq::socket_type::radio), dish(context, zmq::socket_type::dish);
    give_up_after(20, dish);
    dish.join("group");
    dish.connect(bind_any(radio, "tcp://127.0.0.1:*"));
    for (int i = 0; i < 500; ++i) {
        zmq::message_t told(std::string("told"));
        told.set_group("group");
        radio.send(told, zmq::send_flags::none);
        if (dish.recv(message)) break;
    }
    CHECK(message.to_string() == "told" && std::string(message.group()) == "group");
    dish.leave("group");
    CHECK(errno_of([&] { dish.leave("group"); }) == EINVAL);
}

} // namespace

int main() {
    poller();
    active_poller();
    single_parts();
    std::cout << "drafts\n";
}
