// commands: what follows the handshake in command frames, and ERROR, which ends one. A command that
// is understood, built anew, is understood the same way.
#include "support/fuzz.hpp"
#include "support/reference.hpp"

#include "protocol/commands.hpp"
#include "security/command_body.hpp"

namespace tern::fuzz {

namespace {

struct Meaning {
    CommandKind kind = CommandKind::unknown;
    std::string body;
    unsigned ttl = 0;

    friend bool operator==(const Meaning &a, const Meaning &b) {
        return a.kind == b.kind && a.body == b.body && a.ttl == b.ttl;
    }
};

Meaning expected(Bytes frame) {
    static const std::pair<CommandKind, const char *> names[] = {
        {CommandKind::ping, "\4PING"},
        {CommandKind::pong, "\4PONG"},
        {CommandKind::subscribe, "\11SUBSCRIBE"},
        {CommandKind::cancel, "\6CANCEL"},
        {CommandKind::join, "\4JOIN"},
        {CommandKind::leave, "\5LEAVE"},
    };
    for (const auto &[kind, name] : names) {
        if (!begins_with(frame, name)) continue;
        const std::string body = text(frame.skip(std::string(name).size()));
        const Meaning malformed{CommandKind::malformed, {}, 0};
        switch (kind) {
        case CommandKind::ping:
            if (body.size() < 2) return malformed;
            return {kind, body.substr(2), unsigned(big_endian(Bytes(body).first(2)))};
        case CommandKind::join:
        case CommandKind::leave:
            if (body.size() > 255) return malformed;
            return {kind, body.substr(0, body.find('\0')), 0};
        default:
            return {kind, body, 0};
        }
    }
    return {};
}

Meaning understood(Bytes frame) {
    const Command command = parse_command(frame);
    FUZZ_CHECK(command.body.empty() ||
               (command.body.begin() >= frame.begin() && command.body.end() <= frame.end()));
    if (command.kind == CommandKind::unknown || command.kind == CommandKind::malformed)
        return {command.kind, {}, 0};
    return {command.kind, text(command.body), command.ttl_deciseconds};
}

// Built by the library, and read again.
Meaning built(Meaning meaning) {
    OwnMessage frame;
    frame->close();
    Error error;
    const Bytes body(meaning.body);
    switch (meaning.kind) {
    case CommandKind::ping:
        error = make_ping(*frame, uint16_t(meaning.ttl));
        break;
    case CommandKind::pong:
        error = make_pong(*frame, body);
        break;
    case CommandKind::subscribe:
    case CommandKind::cancel:
        error = make_subscription(*frame, meaning.kind == CommandKind::subscribe, body,
                                  SubscriptionForm::command);
        break;
    default:
        error = make_membership(*frame, meaning.kind == CommandKind::join, body);
        break;
    }
    FUZZ_CHECK(!error && frame->flags() == Message::command);
    return understood(frame->bytes());
}

void check_error(Bytes rest) {
    const Mechanism::Failure failure = parse_error(rest), wanted = ref_error(rest);
    FUZZ_CHECK(failure.kind == wanted.kind && failure.code == wanted.code);
    if (failure.kind != Mechanism::Failure::Kind::auth || failure.code == 300) return;
    Buffer error;
    put_error(error, command_name::error, failure.code);
    FUZZ_CHECK(starts_with(view(error), command_name::error));
    const Mechanism::Failure again = parse_error(view(error).skip(command_name::error.size()));
    FUZZ_CHECK(again.kind == failure.kind && again.code == failure.code);
}

} // namespace

void run(Input input) {
    const Buffer frame = exact(input.rest());
    const Meaning meaning = understood(view(frame));
    FUZZ_CHECK(meaning == expected(view(frame)));
    FUZZ_CHECK(has_name(view(frame)) == (frame.size() > 1 && frame.size() > frame[0]));
    check_error(view(frame));
    if (begins_with(view(frame), "\5ERROR")) check_error(view(frame).skip(6));

    if (meaning.kind == CommandKind::unknown || meaning.kind == CommandKind::malformed) return;
    Meaning again = meaning;
    if (meaning.kind == CommandKind::ping) again.body.clear(); // ours carry no context
    if (meaning.kind == CommandKind::pong)
        again.body.resize(std::min<size_t>(16, again.body.size()));
    FUZZ_CHECK(built(meaning) == again);
    // The answer to a PING echoes the first 16 bytes of its context.
    if (meaning.kind == CommandKind::ping)
        FUZZ_CHECK((built({CommandKind::pong, meaning.body, 0}) ==
                    Meaning{CommandKind::pong, meaning.body.substr(0, 16), 0}));
}

} // namespace tern::fuzz
