// WsUpgrade: the HTTP exchange by which a connection becomes a WebSocket (transports.md section 7.2; RFC 6455
// section 4). Bytes in, bytes out, either role.
// Threads: used by whoever holds the link's turn.
// Owner:   the Handshake.
// Limit:   one line of at most line_max bytes is held, and total_max bytes are looked at.
//
//   client  = "GET" SP path SP "HTTP/1.1" CRLF *( name ":" value CRLF ) CRLF
//   server  = "HTTP/1.1" SP "101" [SP reason] CRLF *( name ":" value CRLF ) CRLF
//
//   first_line --> headers --> done         any of them -> failed
//
// Asked of a client: Upgrade websocket, Connection upgrade, a key, and a sub-protocol that we speak. Asked
// of a server: the same two, the answer to our key, and one of the sub-protocols we offered. Names and the
// first two values match in any case; what else there is, is not looked at.
#ifndef TERN_PROTOCOL_WS_UPGRADE_HPP
#define TERN_PROTOCOL_WS_UPGRADE_HPP

#include "base/bytes.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tern {

// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string ws_accept(std::string_view key);

class WsUpgrade {
  public:
    enum class Outcome : uint8_t { more, done, failed };

    static constexpr size_t name_max = 1024;
    static constexpr size_t value_max = 2048; // of what is looked at; others may fill a line
    static constexpr size_t line_max = 8192;
    static constexpr size_t total_max = 64 * 1024;

    // `protocols`: best first. Whichever of the client's list the server knows first is taken.
    static WsUpgrade as_server(std::vector<std::string> protocols) {
        return WsUpgrade(false, std::move(protocols));
    }
    // `key`: 16 random bytes in base64.
    static WsUpgrade as_client(std::vector<std::string> protocols, std::string host,
                               std::string path, std::string key);

    // Appends what goes out before anything is read.
    void start(std::vector<uint8_t> &out) const;
    // Appends the answer when it is done. What was not consumed then is traffic.
    Outcome feed(Bytes in, size_t &consumed, std::vector<uint8_t> &out);

    // What waits for the end of its line, or of the request.
    size_t held_bytes() const { return line_.size() + key_.size() + path_.size() + host_.size(); }

    // After done: one of `protocols`.
    const std::string &protocol() const { return protocol_; }

  private:
    enum class State : uint8_t { first_line, headers, done, failed };

    WsUpgrade(bool is_client, std::vector<std::string> protocols)
        : is_client_(is_client), protocols_(std::move(protocols)) {}

    bool take_line(std::string_view line);
    bool take_header(std::string_view name, std::string_view value);
    bool choose(std::string_view list);
    bool is_complete() const;

    bool is_client_;
    State state_ = State::first_line;
    std::vector<std::string> protocols_;
    std::string host_;
    std::string path_;
    std::string key_;
    std::string line_;
    size_t total_ = 0;
    bool has_upgrade_ = false;
    bool has_connection_ = false;
    bool has_accept_ = false;
    std::string protocol_;
};

} // namespace tern

#endif
