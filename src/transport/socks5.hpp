// Socks5Client: what a client says to a SOCKS5 proxy, and what it makes of the answers (RFC 1928,
// and RFC 1929 for user and password; spec/wire/transports.md section 12). Bytes in and out,
// nothing else.
//
//     client  05 01 M                             M: 00 none, 02 user and password
//     proxy   05 X                                X: 00 or 02; anything else is a refusal
//     client  01 U8 user U8 password              only after X = 02
//     proxy   01 00                               another status is a refusal
//     client  05 01 00 ATYP address U16 port      ATYP: 01 IPv4, 03 U8 name, 04 IPv6
//     proxy   05 REP 00 ATYP address U16 port     REP: 00 connected; the address is skipped
//
//   method --(X = 02)--> credentials --> connect --> done           any of them -> failed
//      \_________________(X = 00)__________/
//
// What the proxy sends after its last answer is the peer's: the client never asks for more than one
// answer holds.
// Threads: values only.
// Limit:   one answer, 262 bytes.
#ifndef TERN_TRANSPORT_SOCKS5_HPP
#define TERN_TRANSPORT_SOCKS5_HPP

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tern {

class Socks5Client {
  public:
    enum class Outcome { more, done, failed };

    struct Account {
        std::string user; // empty: only "no authentication" is offered
        std::string password;
    };

    // The host is a name or a literal address without brackets; names are the proxy's to resolve.
    Socks5Client(std::string host, uint16_t port, Account account);
    // EINVAL for what does not fit into a request.
    static Error check(const std::string &host);

    // Appends the first request.
    void start(std::vector<uint8_t> &out);
    // How many bytes to read next; 0 when it is over.
    size_t wanted() const { return needed_ - answer_.size(); }
    // Takes at most so many bytes, and appends the next request.
    Outcome take(Bytes in, std::vector<uint8_t> &out);
    // Why it failed: EPROTO for nonsense, EACCES for a refused method or account, EHOSTUNREACH when
    // the proxy could not or would not connect.
    Error failure() const { return failure_; }

  private:
    enum class State { method, credentials, connect, over };

    Outcome take_method(std::vector<uint8_t> &out);
    Outcome take_credentials(std::vector<uint8_t> &out);
    Outcome take_reply();
    void expect(State state, size_t size);
    Outcome fail(Error error);
    void append_account(std::vector<uint8_t> &out) const;
    void append_request(std::vector<uint8_t> &out) const;

    const std::string host_;
    const uint16_t port_;
    const Account account_;
    State state_ = State::method;
    std::vector<uint8_t> answer_; // what has come of the one that is awaited
    size_t needed_ = 0;
    Error failure_;
};

} // namespace tern

#endif
