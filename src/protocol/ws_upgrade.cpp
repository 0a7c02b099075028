#include "protocol/ws_upgrade.hpp"

#include "protocol/base64.hpp"
#include "protocol/sha1.hpp"

#include <algorithm>

namespace tern {

namespace {

constexpr std::string_view version = "HTTP/1.1";

char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

bool is_same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The next of a list with commas, without the space around it.
std::string_view next_of(std::string_view &list) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view item = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    return item;
}

bool lists(std::string_view list, std::string_view word) {
    while (!list.empty())
        if (is_same_word(next_of(list), word)) return true;
    return false;
}

// Up to the next space.
std::string_view first_word(std::string_view &line) {
    const size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end);
    return word;
}

// With any number of spaces before it.
std::string_view next_word(std::string_view &line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return first_word(line);
}

bool is_request(std::string_view line) {
    const bool is_get = first_word(line) == "GET" && !next_word(line).empty();
    return is_get && line == std::string(" ").append(version);
}

bool is_switch(std::string_view line) {
    return first_word(line) == version && next_word(line) == "101";
}

// Of a line: no control characters but the tab.
bool is_text(std::string_view line) {
    return std::none_of(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f;
    });
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= WsUpgrade::name_max &&
           name.find_first_of(" \t") == name.npos;
}

void append(std::vector<uint8_t> &out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

void append_header(std::vector<uint8_t> &out, std::string_view name, std::string_view value) {
    for (const std::string_view part : {name, std::string_view(": "), value, std::string_view("\r\n")})
        append(out, part);
}

} // namespace

std::string ws_accept(std::string_view key) {
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const auto digest = sha1(Bytes(std::string_view(text)));
    return base64(Bytes(digest.data(), digest.size()));
}

WsUpgrade WsUpgrade::as_client(std::vector<std::string> protocols, std::string host,
                               std::string path, std::string key) {
    WsUpgrade upgrade(true, std::move(protocols));
    upgrade.host_ = std::move(host);
    upgrade.path_ = std::move(path);
    upgrade.key_ = std::move(key);
    return upgrade;
}

void WsUpgrade::start(std::vector<uint8_t> &out) const {
    if (!is_client_) return;
    std::string list;
    for (const std::string &protocol : protocols_) list += (list.empty() ? "" : ",") + protocol;
    append(out, "GET " + path_ + " HTTP/1.1\r\n");
    append_header(out, "Host", host_);
    append_header(out, "Upgrade", "websocket");
    append_header(out, "Connection", "Upgrade");
    append_header(out, "Sec-WebSocket-Key", key_);
    append_header(out, "Sec-WebSocket-Protocol", list);
    append_header(out, "Sec-WebSocket-Version", "13");
    append(out, "\r\n");
}

WsUpgrade::Outcome WsUpgrade::feed(Bytes in, size_t &consumed, std::vector<uint8_t> &out) {
    consumed = 0;
    while (consumed < in.size() && (state_ == State::first_line || state_ == State::headers)) {
        const char c = char(in[consumed++]);
        if (++total_ > total_max || line_.size() >= line_max) {
            state_ = State::failed;
        } else if (c != '\n') {
            line_ += c;
        } else if (line_.empty() || line_.back() != '\r') {
            state_ = State::failed;
        } else {
            line_.pop_back();
            if (!is_text(line_) || !take_line(line_)) state_ = State::failed;
            line_.clear();
        }
    }
    if (state_ == State::failed) return Outcome::failed;
    if (state_ != State::done) return Outcome::more;
    if (!is_client_ && !key_.empty()) {
        append(out, "HTTP/1.1 101 Switching Protocols\r\n");
        append_header(out, "Upgrade", "websocket");
        append_header(out, "Connection", "Upgrade");
        append_header(out, "Sec-WebSocket-Accept", ws_accept(key_));
        append_header(out, "Sec-WebSocket-Protocol", protocol_);
        append(out, "\r\n");
        key_.clear(); // it was answered
    }
    return Outcome::done;
}

bool WsUpgrade::take_line(std::string_view line) {
    if (state_ == State::first_line) {
        state_ = State::headers;
        return is_client_ ? is_switch(line) : is_request(line);
    }
    if (line.empty()) {
        state_ = State::done;
        return is_complete();
    }
    const size_t colon = line.find(':');
    if (colon == line.npos || !is_name(line.substr(0, colon))) return false;
    return take_header(line.substr(0, colon), trim(line.substr(colon + 1)));
}

// False: it can not be what it should be.
bool WsUpgrade::take_header(std::string_view name, std::string_view value) {
    const bool is_upgrade = is_same_word(name, "Upgrade");
    const bool is_connection = is_same_word(name, "Connection");
    const bool is_key = !is_client_ && is_same_word(name, "Sec-WebSocket-Key");
    const bool is_accept = is_client_ && is_same_word(name, "Sec-WebSocket-Accept");
    const bool is_protocol = is_same_word(name, "Sec-WebSocket-Protocol");
    if (!is_upgrade && !is_connection && !is_key && !is_accept && !is_protocol) return true;
    if (value.size() > value_max) return false;
    if (is_upgrade) {
        has_upgrade_ = has_upgrade_ || lists(value, "websocket");
    } else if (is_connection) {
        has_connection_ = has_connection_ || lists(value, "upgrade");
    } else if (is_key) {
        if (!key_.empty()) return false;
        key_ = value;
    } else if (is_accept) {
        if (value != ws_accept(key_)) return false;
        has_accept_ = true;
    } else if (protocol_.empty()) {
        return choose(value);
    }
    return true;
}

// A server has one to say, and it must be ours; a client may offer what we do not know.
bool WsUpgrade::choose(std::string_view list) {
    const auto known = [this](std::string_view item) {
        return std::find(protocols_.begin(), protocols_.end(), item) != protocols_.end();
    };
    if (is_client_) {
        protocol_ = list;
        return known(list);
    }
    while (!list.empty() && protocol_.empty())
        if (const std::string_view item = next_of(list); known(item)) protocol_ = item;
    return true;
}

bool WsUpgrade::is_complete() const {
    return has_upgrade_ && has_connection_ && !protocol_.empty() &&
           (is_client_ ? has_accept_ : !key_.empty());
}

} // namespace tern
