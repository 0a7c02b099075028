#include "transport/socks5.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace tern {

namespace {

constexpr uint8_t version = 5;
constexpr uint8_t account_version = 1;
constexpr uint8_t command_connect = 1;
constexpr size_t text_max = 255;
constexpr size_t method_answer_size = 2;
constexpr size_t account_answer_size = 2;
// Up to the first byte of the address, which is the length when it is a name.
constexpr size_t reply_head_size = 5;
constexpr size_t port_size = 2;

enum Method : uint8_t { method_none = 0, method_account = 2 };
enum AddressType : uint8_t { address_ipv4 = 1, address_name = 3, address_ipv6 = 4 };

void append(std::vector<uint8_t> &out, const uint8_t *data, size_t size) {
    out.insert(out.end(), data, data + size);
}

void append_text(std::vector<uint8_t> &out, const std::string &text) {
    const size_t size = std::min(text.size(), text_max);
    out.push_back(static_cast<uint8_t>(size));
    append(out, reinterpret_cast<const uint8_t *>(text.data()), size);
}

} // namespace

Socks5Client::Socks5Client(std::string host, uint16_t port, Account account)
    : host_(std::move(host)), port_(port), account_(std::move(account)) {}

Error Socks5Client::check(const std::string &host) {
    return host.empty() || host.size() > text_max ? err::invalid : err::none;
}

void Socks5Client::start(std::vector<uint8_t> &out) {
    const uint8_t method = account_.user.empty() ? method_none : method_account;
    const uint8_t offer[] = {version, 1, method};
    append(out, offer, sizeof offer);
    expect(State::method, method_answer_size);
}

Socks5Client::Outcome Socks5Client::take(Bytes in, std::vector<uint8_t> &out) {
    const Bytes taken = in.first(wanted());
    append(answer_, taken.data(), taken.size());
    if (wanted() > 0) return Outcome::more;
    switch (state_) {
    case State::method: return take_method(out);
    case State::credentials: return take_credentials(out);
    case State::connect: return take_reply();
    case State::over: break;
    }
    return failure_ ? Outcome::failed : Outcome::done;
}

// A proxy may choose the other method than the one that was offered; an account that was not set is
// then empty.
Socks5Client::Outcome Socks5Client::take_method(std::vector<uint8_t> &out) {
    if (answer_[0] != version) return fail(err::protocol);
    const uint8_t method = answer_[1];
    if (method == method_account) {
        append_account(out);
        expect(State::credentials, account_answer_size);
        return Outcome::more;
    }
    if (method != method_none) return fail(Error(EACCES));
    append_request(out);
    expect(State::connect, reply_head_size);
    return Outcome::more;
}

Socks5Client::Outcome Socks5Client::take_credentials(std::vector<uint8_t> &out) {
    if (answer_[0] != account_version) return fail(err::protocol);
    if (answer_[1] != 0) return fail(Error(EACCES));
    append_request(out);
    expect(State::connect, reply_head_size);
    return Outcome::more;
}

// Called twice: with the head, which says how much follows, and with all of it.
Socks5Client::Outcome Socks5Client::take_reply() {
    if (answer_[0] != version || answer_[2] != 0) return fail(err::protocol);
    if (answer_[1] != 0) return fail(err::host_unreachable);
    size_t size = reply_head_size + port_size;
    switch (answer_[3]) {
    case address_ipv4: size += 4 - 1; break;
    case address_ipv6: size += 16 - 1; break;
    case address_name: size += answer_[4]; break;
    default: return fail(err::protocol);
    }
    if (answer_.size() < size) {
        needed_ = size;
        return Outcome::more;
    }
    expect(State::over, 0);
    return Outcome::done;
}

void Socks5Client::expect(State state, size_t size) {
    state_ = state;
    answer_.clear();
    needed_ = size;
}

Socks5Client::Outcome Socks5Client::fail(Error error) {
    failure_ = error;
    expect(State::over, 0);
    return Outcome::failed;
}

void Socks5Client::append_account(std::vector<uint8_t> &out) const {
    out.push_back(account_version);
    append_text(out, account_.user);
    append_text(out, account_.password);
}

void Socks5Client::append_request(std::vector<uint8_t> &out) const {
    const uint8_t head[] = {version, command_connect, 0};
    append(out, head, sizeof head);
    uint8_t address[16];
    if (::inet_pton(AF_INET, host_.c_str(), address) == 1) {
        out.push_back(address_ipv4);
        append(out, address, 4);
    } else if (::inet_pton(AF_INET6, host_.c_str(), address) == 1) {
        out.push_back(address_ipv6);
        append(out, address, 16);
    } else {
        out.push_back(address_name);
        append_text(out, host_);
    }
    uint8_t port[port_size];
    store_be16(port, port_);
    append(out, port, sizeof port);
}

} // namespace tern
