// message_t and multipart_t, alone and through sockets.
#include "say.hpp"

#include <array>
#include <list>
#include <vector>

namespace {

int freed = 0;
void count_free(void *data, void *hint) {
    CHECK(hint == &freed);
    std::free(data);
    ++freed;
}

void constructors() {
    zmq::message_t empty;
    CHECK(empty.empty() && empty.size() == 0 && !empty.more());
    zmq::message_t sized(1000);
    CHECK(sized.size() == 1000);
    const std::string text = "some text";
    zmq::message_t copied(text.data(), text.size());
    CHECK(copied.to_string() == text && copied.to_string_view() == text);
    const std::vector<int> numbers{1, 2, 3};
    zmq::message_t iterated(numbers.begin(), numbers.end());
    CHECK(iterated.size() == 3 * sizeof(int) && iterated.data<int>()[2] == 3);
    zmq::message_t ranged(std::string("range"));
    CHECK(ranged.to_string() == "range");
    void *block = std::malloc(5000);
    {
        zmq::message_t owned(block, 5000, count_free, &freed);
        CHECK(owned.data() == block);
        zmq::message_t taken(std::move(owned));
        CHECK(owned.empty() && taken.data() == block && freed == 0);
        zmq::message_t shared;
        shared.copy(taken);
        CHECK(shared.data() == block && shared == taken);
        taken.rebuild();
        CHECK(freed == 0 && shared.size() == 5000);
        shared.rebuild("x", 1);
        CHECK(freed == 1);
    }
    CHECK(freed == 1);
    zmq::message_t a(std::string("a")), b(std::string("b"));
    swap(a, b);
    CHECK(a.to_string() == "b" && a != b);
    a.move(b);
    CHECK(a.to_string() == "a");
    std::cout << copied.str() << '\n';
    CHECK(errno_of([&] { a.get(99); }) == EINVAL);
    CHECK(errno_of([&] { a.gets("no-such-property"); }) == EINVAL);
}

void parts() {
    zmq::multipart_t parts("first");
    parts.addstr("last");
    parts.pushmem("zero", 4);
    parts.addtyp<uint32_t>(42);
    parts.add(zmq::message_t());
    CHECK(parts.size() == 5 && parts.peekstr(0) == "zero" && parts.peektyp<uint32_t>(3) == 42);
    std::cout << parts.str();
    zmq::multipart_t copy = parts.clone();
    CHECK(copy == parts);
    const zmq::message_t encoded = parts.encode();
    CHECK(zmq::multipart_t::decode(encoded) == parts);
    copy.prepend(zmq::multipart_t("before"));
    copy.append(zmq::multipart_t("after"));
    CHECK(copy != parts && copy.popstr() == "before" && copy.remove().to_string() == "after");
    CHECK(copy.equal(&parts));

    zmq::context_t context;
    for (const char *wildcard : {"inproc://parts", "tcp://127.0.0.1:*", "ipc://*"}) {
        zmq::socket_t in(context, zmq::socket_type::pull), out(context, zmq::socket_type::push);
        give_up_after(10000, in);
        out.connect(bind_any(in, wildcard));
        CHECK(copy.clone().send(out));
        zmq::multipart_t got;
        CHECK(got.recv(in) && got == copy);

        const std::array<zmq::const_buffer, 3> buffers{zmq::str_buffer("one"), zmq::str_buffer(""),
                                                       zmq::str_buffer("three")};
        CHECK(*zmq::send_multipart(out, buffers) == 3);
        std::list<zmq::message_t> list;
        CHECK(*zmq::recv_multipart(in, std::back_inserter(list)) == 3);
        CHECK(list.back().to_string() == "three");

        std::vector<zmq::message_t> vector;
        vector.emplace_back(70000);
        vector.emplace_back(std::string("end"));
        CHECK(*zmq::send_multipart(out, vector) == 2);
        list.clear();
        CHECK(*zmq::recv_multipart_n(in, std::back_inserter(list), 2) == 2);
        CHECK(list.front().size() == 70000 && list.back().to_string() == "end");
        CHECK(!zmq::recv_multipart(in, std::back_inserter(list), zmq::recv_flags::dontwait));
        std::cout << wildcard << " carries parts\n";
    }
}

} // namespace

int main() {
    constructors();
    parts();
}
