// Batches and buffers in a WebSocket's framing: what one side encodes the other one cuts, sealed or not.
#include "link/in_buffer.hpp"
#include "link/out_batch.hpp"
#include "support/fake_seal.hpp"
#include "support/frames.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>

using namespace tern;
using namespace tern::test;

namespace {

using Cut = InBuffer::Cut;

// Around every border of the length's forms, of what is copied, and of what is read past the block.
const std::vector<size_t> sizes = {0,    1,    39,   40,   41,   123,   124,   125,    126,   255, 2047,
                                   2048, 2049, 8191, 9000, 65533, 65534, 65535, 65536, 300000};

std::string body_of(size_t size) {
    std::string body(size, ' ');
    for (size_t i = 0; i < size; ++i) body[i] = char(i * 11 + size);
    return body;
}

Buffer bytes_of(const OutBatch &batch) {
    std::vector<iovec> pieces(1024);
    const int count = batch.pieces(pieces.data(), 1024);
    Buffer bytes;
    for (int i = 0; i < count; ++i) {
        const auto *data = static_cast<const uint8_t *>(pieces[size_t(i)].iov_base);
        bytes.insert(bytes.end(), data, data + pieces[size_t(i)].iov_len);
    }
    return bytes;
}

Framing other(Framing framing) {
    return framing == Framing::ws_client ? Framing::ws_server : Framing::ws_client;
}

struct Got {
    std::vector<std::string> frames; // "+" behind what has MORE, "!" before commands
    Cut end = Cut::need_more;
};

std::string shown(const Message &frame) {
    return std::string(frame.has(Message::command) ? "!" : "").append(frame.bytes().text()) +
           (frame.has(Message::more) ? "+" : "");
}

// Everything in the wire, read in steps of so many bytes.
Got cut_all(Framing framing, const Buffer &wire, size_t step, TrafficSeal *seal = nullptr,
            int64_t limit = -1) {
    Got got;
    InBuffer in;
    in.set_framing(framing, 0);
    in.set_seal(seal);
    in.set_max_message_size(limit);
    for (size_t at = 0;;) {
        OwnMessage frame;
        while ((got.end = in.cut(*frame)) == Cut::frame || got.end == Cut::control) {
            got.frames.push_back(got.end == Cut::frame
                                     ? shown(*frame)
                                     : std::to_string(int(in.control())) + ":" + shown(*frame));
            frame->close();
            frame->init();
        }
        if (got.end != Cut::need_more || at == wire.size()) {
            frame->init();
            return got;
        }
        iovec pieces[2];
        const int count = in.target(pieces);
        size_t read = 0;
        for (int i = 0; i < count; ++i) {
            const size_t part = std::min({pieces[i].iov_len, wire.size() - at, step - read});
            if (part > 0) std::memcpy(pieces[i].iov_base, wire.data() + at, part);
            at += part;
            read += part;
        }
        (void)in.filled(read);
    }
}

void append(OutBatch &batch, Framing framing, OwnMessage frame, TrafficSeal *seal = nullptr) {
    const bool done = seal ? batch.append_sealed(*seal, *frame, framing)
                           : batch.append(framing, *frame);
    if (!done || frame->size() != 0) throw std::runtime_error("not appended");
}

Buffer captured(const std::string &name) { return vector_bytes("ws.json", name); }

} // namespace

TEST_CASE("ws: frames of every size reach the other side, however they arrive") {
    const Framing framing = GENERATE(Framing::ws_client, Framing::ws_server);
    FakeSeal fake(5, 7, true);
    TrafficSeal *const seal = GENERATE(false, true) ? &fake : nullptr;
    OutBatch batch;
    std::vector<std::string> expected;
    for (const size_t size : sizes) {
        const bool more = size % 2 == 0;
        expected.push_back(body_of(size) + (more ? "+" : ""));
        append(batch, framing, make_frame(body_of(size), more), seal);
        batch.commit();
    }
    const Buffer wire = bytes_of(batch);
    CHECK(batch.bytes() == wire.size());
    for (const size_t step : {size_t(1), size_t(7), size_t(4096), SIZE_MAX}) {
        const Got got = cut_all(other(framing), wire, step, seal);
        CHECK(got.end == Cut::need_more);
        CHECK(got.frames == expected);
    }
    // The wrong side refuses the first of them.
    CHECK(cut_all(framing, wire, SIZE_MAX, seal).end == Cut::refused);
}

TEST_CASE("ws: a server writes what libzmq writes") {
    OutBatch batch;
    append(batch, Framing::ws_server, make_frame("hi", true));
    append(batch, Framing::ws_server, make_frame("there"));
    CHECK(bytes_of(batch) == captured("server-multipart"));
    for (const size_t size : {size_t(124), size_t(125)}) {
        OutBatch one;
        append(one, Framing::ws_server, make_frame(std::string(size, 'a')));
        CHECK(bytes_of(one) == captured("server-body-" + std::to_string(size)));
    }
}

TEST_CASE("ws: every frame of a client has a mask of its own") {
    OutBatch batch;
    append(batch, Framing::ws_client, make_frame("same"));
    append(batch, Framing::ws_client, make_frame("same"));
    const Buffer wire = bytes_of(batch);
    REQUIRE(wire.size() == 22);
    CHECK(Buffer(wire.begin(), wire.begin() + 11) != Buffer(wire.begin() + 11, wire.end()));
    const std::string body = "same";
    CHECK(std::search(wire.begin(), wire.end(), body.begin(), body.end()) == wire.end());
}

TEST_CASE("ws: a batch grows by plain messages of every size that is copied, and by no others") {
    const Framing framing = GENERATE(Framing::ws_client, Framing::ws_server);
    OutBatch batch;
    append(batch, framing, make_frame("first"));
    batch.commit();
    std::vector<std::string> expected = {"first"};
    CHECK_FALSE(batch.append_plain(*make_frame("early")));
    batch.let_grow(framing, OutBatch::batch_bytes_max, SIZE_MAX);
    for (size_t size = 0; size <= 300; ++size) {
        INFO("size " << size);
        OwnMessage frame = make_frame(body_of(size));
        if (size <= Message::inline_max) {
            REQUIRE(batch.append_inline(*frame));
            CHECK(frame->size() == 0);
        } else {
            CHECK_FALSE(batch.append_inline(*frame));
            REQUIRE(batch.append_plain(*frame));
            CHECK(frame->bytes().text() == body_of(size));
        }
        expected.push_back(body_of(size));
    }
    CHECK_FALSE(batch.append_plain(*make_frame(body_of(OutBatch::copied_body_max + 1))));
    CHECK_FALSE(batch.has_uncommitted());
    CHECK(batch.messages() == expected.size());
    const Got got = cut_all(other(framing), bytes_of(batch), SIZE_MAX);
    CHECK(got.end == Cut::need_more);
    CHECK(got.frames == expected);

    batch.let_grow(framing, batch.bytes() + 30, SIZE_MAX);
    CHECK(batch.append_plain(*make_frame(body_of(15))));
    CHECK(batch.append_plain(*make_frame("a")));
    CHECK_FALSE(batch.append_plain(*make_frame(body_of(15))));
    batch.let_grow(framing, OutBatch::batch_bytes_max, batch.messages() + 1);
    CHECK(batch.append_plain(*make_frame("last")));
    CHECK_FALSE(batch.append_plain(*make_frame("more")));
    batch.let_grow(framing, OutBatch::batch_bytes_max, SIZE_MAX);
    batch.end_growth();
    CHECK_FALSE(batch.is_growing());
    CHECK_FALSE(batch.append_plain(*make_frame("more")));
}

TEST_CASE("ws: cut_plain takes whole plain messages only, and cut does the rest") {
    const Framing framing = GENERATE(Framing::ws_client, Framing::ws_server);
    InBuffer in;
    in.set_framing(other(framing), 0);
    in.set_max_message_size(20000);
    const auto refuses = [&in] {
        OwnMessage message = make_frame("before");
        return !in.cut_plain(*message) && message->bytes().text() == "before";
    };
    for (const size_t size : {0, 1, 7, 8, 9, 40, 41, 125, 126, 5000}) {
        INFO("size " << size);
        OutBatch batch;
        append(batch, framing, make_frame(body_of(size)));
        batch.commit();
        const Buffer wire = bytes_of(batch);
        for (const size_t split : {size_t(1), size_t(2), wire.size() / 2, wire.size() - 1}) {
            REQUIRE(in.put(Bytes(wire.data(), split)));
            CHECK(refuses());
            REQUIRE(in.put(Bytes(wire.data() + split, wire.size() - split)));
            Bytes body;
            const bool is_in_clear = framing == Framing::ws_server;
            CHECK(in.peek_plain(body) == is_in_clear);
            if (is_in_clear) CHECK(body.text() == body_of(size));
            OwnMessage message = make_frame(size % 2 == 0 ? "before" : body_of(100));
            REQUIRE(in.cut_plain(*message));
            CHECK(message->bytes().text() == body_of(size));
            CHECK(message->is_plain());
            CHECK_FALSE(in.has_bytes());
        }
    }
    // A message that is none, one with a flag, and one that is too large.
    OutBatch batch;
    append(batch, framing, make_frame("part", true));
    append(batch, framing, make_frame(body_of(20001)));
    batch.commit();
    std::vector<uint8_t> wire;
    const WsMask mask = 0x01020304;
    append_ws_control(wire, WsOpcode::ping, {}, framing == Framing::ws_client ? &mask : nullptr);
    const Buffer frames = bytes_of(batch);
    wire.insert(wire.end(), frames.begin(), frames.end());
    REQUIRE(in.put(Bytes(wire.data(), wire.size())));
    OwnMessage frame;
    CHECK(refuses());
    CHECK(in.cut(*frame) == Cut::control);
    CHECK(refuses());
    CHECK(in.cut(*frame) == Cut::frame);
    CHECK(shown(*frame) == "part+");
    CHECK(refuses());
    CHECK(in.cut(*frame) == Cut::refused);
}

TEST_CASE("ws: near the end of the block cut_plain reads nothing beyond it") {
    const Framing framing = GENERATE(Framing::ws_client, Framing::ws_server);
    const size_t header = framing == Framing::ws_client ? 7 : 3;
    for (size_t size = 0; size <= Message::inline_max; ++size) {
        OutBatch filler, batch;
        const size_t room = BlockPool::block_size - header - size;
        append(filler, framing, make_frame(body_of(room - (header + 2))));
        append(batch, framing, make_frame(body_of(size)));
        Buffer wire = bytes_of(filler);
        const Buffer last = bytes_of(batch);
        wire.insert(wire.end(), last.begin(), last.end());
        INFO("size " << size << " ends at " << wire.size());
        REQUIRE(wire.size() == BlockPool::block_size);
        InBuffer in;
        in.set_framing(other(framing), 0);
        REQUIRE(in.put(Bytes(wire.data(), wire.size())));
        OwnMessage message;
        REQUIRE(in.cut_plain(*message));
        REQUIRE(in.cut_plain(*message));
        CHECK(message->bytes().text() == body_of(size));
    }
}

TEST_CASE("ws: control frames come between frames, in clear and whole") {
    Buffer wire;
    for (const char *name : {"ping-in", "client-ready-masked", "close-in"}) {
        const Buffer bytes = captured(name);
        wire.insert(wire.end(), bytes.begin(), bytes.end());
    }
    for (const size_t step : {size_t(1), SIZE_MAX}) {
        const Got got = cut_all(Framing::ws_server, wire, step);
        REQUIRE(got.frames.size() == 3);
        CHECK(got.frames[0] == "9:ctx");
        CHECK(got.frames[1].substr(0, 7) == "!\5READY");
        CHECK(got.frames[2] == std::string("8:\x03\xe8") + "bye");
    }
    FakeSeal seal(5, 7, true);
    CHECK(cut_all(Framing::ws_server, captured("ping-in"), SIZE_MAX, &seal).frames.size() == 1);
    // Its size is no message's.
    CHECK(cut_all(Framing::ws_server, captured("ping-in"), SIZE_MAX, nullptr, 0).frames.size() == 1);
}

TEST_CASE("ws: what breaks the framing is refused with the code for that") {
    for (const char *bytes : {"0203", "8103", "c203", "8200", "8280", "830100", "897e"}) {
        INFO(bytes);
        InBuffer in;
        in.set_framing(Framing::ws_client, 0);
        REQUIRE(in.put(view(unhex(bytes))));
        Message frame;
        CHECK(in.cut(frame) == Cut::refused);
        CHECK(in.refusal() == protocol_error::websocket);
    }
}

TEST_CASE("ws: ZMQ_MAXMSGSIZE counts the body alone, and is asked before anything is kept") {
    CHECK(cut_all(Framing::ws_client, unhex("820500616263") , SIZE_MAX, nullptr, 4).end ==
          Cut::need_more);
    CHECK(cut_all(Framing::ws_client, unhex("8204006162" "63"), SIZE_MAX, nullptr, 3).frames ==
          std::vector<std::string>{"abc"});
    CHECK(cut_all(Framing::ws_client, unhex("820400"), SIZE_MAX, nullptr, 2).end == Cut::refused);
}

TEST_CASE("ws: recover gives back whole messages that were not written, as they were") {
    const Framing framing = GENERATE(Framing::ws_client, Framing::ws_server);
    FakeSeal fake(5, 7, GENERATE(true, false));
    TrafficSeal *const seal = GENERATE(false, true) ? &fake : nullptr;
    const auto first = [&](OutBatch &batch) {
        append(batch, framing, make_frame("one"), seal);
        batch.commit();
    };
    size_t whole;
    {
        OutBatch batch;
        first(batch);
        whole = bytes_of(batch).size();
    }
    for (size_t written = 0; written <= whole; ++written) {
        OutBatch batch;
        first(batch);
        OwnMessage ping;
        std::vector<uint8_t> bytes;
        const WsMask mask = 0x12345678;
        append_ws_control(bytes, WsOpcode::ping, Bytes(std::string_view("x")),
                          framing == Framing::ws_client ? &mask : nullptr);
        append(batch, Framing::raw, make_frame(view(bytes).text()));
        batch.commit();
        append(batch, framing, make_frame("two", true), seal);
        append(batch, framing, make_frame(body_of(5000)), seal);
        batch.commit();
        CountedBodies bodies;
        append(batch, framing, bodies.frame(), seal);
        batch.commit();
        append(batch, framing, make_frame("unfinished", true), seal);
        (void)batch.advance(written);
        std::deque<OwnMessage> frames;
        batch.recover(framing, frames, seal);
        std::vector<std::string> texts;
        for (const OwnMessage &frame : frames) texts.push_back(shown(*frame));
        REQUIRE(texts.size() == (written == whole ? 4 : 5));
        if (written < whole) CHECK(texts.front() == "one");
        texts.erase(texts.begin(), texts.end() - 4);
        CHECK(texts[0] == "two+");
        CHECK(texts[1] == body_of(5000));
        CHECK(texts[2].substr(0, 8) == std::string("counted\0", 8));
        CHECK(texts[3] == "unfinished+");
        frames.clear();
        CHECK(bodies.given_back() == 1);
    }
}
