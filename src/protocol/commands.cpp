#include "protocol/commands.hpp"

namespace tern {

namespace {

struct CommandName {
    CommandKind kind;
    std::string_view name;
};

constexpr CommandName command_names[] = {
    {CommandKind::ping, "PING"},     {CommandKind::pong, "PONG"},
    {CommandKind::cancel, "CANCEL"}, {CommandKind::subscribe, "SUBSCRIBE"},
    {CommandKind::join, "JOIN"},     {CommandKind::leave, "LEAVE"},
};

// Writes name-length name data, with `gap` free bytes between name and data.
Error make_command(Message &out, std::string_view name, size_t gap, Bytes data) {
    const size_t head = 1 + name.size() + gap;
    if (data.size() > SIZE_MAX - head) return err::no_memory;
    if (const Error error = out.init_size(head + data.size())) return error;
    uint8_t *p = out.data();
    *p++ = static_cast<uint8_t>(name.size());
    std::memcpy(p, name.data(), name.size());
    if (!data.empty()) std::memcpy(p + name.size() + gap, data.data(), data.size());
    out.set(Message::command);
    return err::none;
}

CommandKind kind_of(Bytes name) {
    for (const CommandName &known : command_names) {
        if (name.text() == known.name) return known.kind;
    }
    return CommandKind::unknown;
}

} // namespace

Error make_ping(Message &out, uint16_t ttl_deciseconds) {
    if (const Error error = make_command(out, "PING", 2, {})) return error;
    store_be16(out.data() + 5, ttl_deciseconds);
    return err::none;
}

Error make_pong(Message &out, Bytes context) {
    return make_command(out, "PONG", 0, context.first(pong_context_max));
}

Error make_subscription(Message &out, bool subscribe, Bytes topic, SubscriptionForm form) {
    if (form == SubscriptionForm::command)
        return make_command(out, subscribe ? "SUBSCRIBE" : "CANCEL", 0, topic);
    if (topic.size() == SIZE_MAX) return err::no_memory;
    if (const Error error = out.init_size(1 + topic.size())) return error;
    uint8_t *p = out.data();
    p[0] = subscribe ? 1 : 0;
    if (!topic.empty()) std::memcpy(p + 1, topic.data(), topic.size());
    return err::none;
}

Error make_membership(Message &out, bool join, Bytes group) {
    return make_command(out, join ? "JOIN" : "LEAVE", 0, group);
}

Command parse_command(Bytes frame_body) {
    Command command;
    command.body = frame_body;
    if (frame_body.empty()) return command;
    const size_t name_size = frame_body[0];
    if (name_size > frame_body.size() - 1) return command;
    command.kind = kind_of(frame_body.skip(1).first(name_size));
    if (command.kind == CommandKind::unknown) return command;
    command.body = frame_body.skip(1 + name_size);

    switch (command.kind) {
    case CommandKind::ping:
        // Without the ttl there is nothing to answer from (quirks Q-03).
        if (command.body.size() < 2) {
            command.kind = CommandKind::malformed;
            break;
        }
        command.ttl_deciseconds = load_be16(command.body.data());
        command.body = command.body.skip(2);
        break;
    case CommandKind::join:
    case CommandKind::leave: {
        if (command.body.size() > group_max) { // quirks Q-02
            command.kind = CommandKind::malformed;
            break;
        }
        // A group is a C string in the API: a zero byte ends it (zmtp.md section 10).
        const size_t end = command.body.text().find('\0');
        if (end != std::string_view::npos) command.body = command.body.first(end);
        break;
    }
    default:
        break;
    }
    return command;
}

} // namespace tern
