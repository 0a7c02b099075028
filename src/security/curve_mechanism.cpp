#include "security/curve_mechanism.hpp"

#include "security/command_body.hpp"

namespace tern {

namespace {

using Step = Mechanism::Step;
using Kind = Mechanism::Failure::Kind;

constexpr Mechanism::Failure cryptographic = {Kind::protocol, protocol_error::cryptographic};
constexpr Mechanism::Failure unexpected = {Kind::protocol, protocol_error::unexpected_command};

// Offsets inside a command body, and sizes.
namespace hello_layout {
constexpr size_t version_at = 6;
constexpr size_t transient_at = 80;
constexpr size_t nonce_at = 112;
constexpr size_t box_at = 120;
constexpr size_t content_size = 64;
constexpr size_t size = 200;
} // namespace hello_layout
namespace cookie_layout {
constexpr size_t box_at = box_random_size;
constexpr size_t content_size = 64;
constexpr size_t size = 96;
} // namespace cookie_layout
namespace welcome_layout {
constexpr size_t random_at = 8;
constexpr size_t box_at = 24;
constexpr size_t content_size = curve_key_size + cookie_layout::size;
constexpr size_t size = 168;
} // namespace welcome_layout
namespace vouch_layout {
constexpr size_t box_at = box_random_size;
constexpr size_t content_size = 64;
constexpr size_t size = 96;
} // namespace vouch_layout
namespace initiate_layout {
constexpr size_t cookie_at = 9;
constexpr size_t nonce_at = 105;
constexpr size_t box_at = 113;
// In the box.
constexpr size_t vouch_at = curve_key_size;
constexpr size_t metadata_at = curve_key_size + vouch_layout::size;
constexpr size_t size_min = 257;
} // namespace initiate_layout
namespace ready_layout {
constexpr size_t nonce_at = 6;
constexpr size_t box_at = 14;
constexpr size_t size_min = 30;
} // namespace ready_layout

static_assert(hello_layout::box_at + box_overhead + hello_layout::content_size ==
              hello_layout::size);
static_assert(cookie_layout::box_at + box_overhead + cookie_layout::content_size ==
              cookie_layout::size);
static_assert(welcome_layout::box_at + box_overhead + welcome_layout::content_size ==
              welcome_layout::size);
static_assert(vouch_layout::box_at + box_overhead + vouch_layout::content_size ==
              vouch_layout::size);
static_assert(initiate_layout::box_at + box_overhead + initiate_layout::metadata_at ==
              initiate_layout::size_min);
static_assert(ready_layout::box_at + box_overhead == ready_layout::size_min);

// Offsets in the random bytes of a connection: transient secret, then these.
constexpr size_t vouch_random_at = 32;
constexpr size_t cookie_random_at = 32;
constexpr size_t cookie_key_at = 48;
constexpr size_t welcome_random_at = 80;
static_assert(CurveClientRandom::size() == vouch_random_at + box_random_size);
static_assert(CurveServerRandom::size() == welcome_random_at + box_random_size);

// Replaces `body` by the name and zeros up to `size`.
uint8_t *begin_command(std::vector<uint8_t> &body, std::string_view name, size_t size) {
    put_command(body, name, {});
    body.resize(size);
    return body.data();
}

void put_key(uint8_t *to, const uint8_t *key) { std::memcpy(to, key, curve_key_size); }

} // namespace

// ---- client

CurveClient::CurveClient(const SecurityOptions &options, const CurveClientRandom &random,
                         std::vector<uint8_t> own_metadata, MetadataReader &reader)
    : public_key_(options.curve_public_key), server_key_(options.curve_server_key),
      secret_key_(options.curve_secret_key.data()), random_(random.data()),
      traffic_(std::make_unique<CurveTraffic>(CurveTraffic::Role::client)),
      own_metadata_(std::move(own_metadata)), reader_(reader) {}

Step CurveClient::next(std::vector<uint8_t> &command_body) {
    switch (state_) {
    case State::hello_due:
        return send_hello(command_body);
    case State::initiate_due:
        return send_initiate(command_body);
    case State::awaiting_welcome:
    case State::awaiting_ready:
    case State::ready:
        return Step::idle;
    case State::failed:
        break;
    }
    return Step::failed;
}

Step CurveClient::process(Bytes command_body) {
    if (state_ == State::failed) return Step::failed;
    const bool awaits_welcome = state_ == State::awaiting_welcome;
    const bool awaits_ready = state_ == State::awaiting_ready;
    if (awaits_welcome && starts_with(command_body, command_name::welcome))
        return process_welcome(command_body);
    if ((awaits_welcome || awaits_ready) && starts_with(command_body, command_name::ready))
        return process_ready(command_body);
    if ((awaits_welcome || awaits_ready) && starts_with(command_body, command_name::error))
        return fail(parse_error(command_body.skip(command_name::error.size())));
    return fail(unexpected);
}

Step CurveClient::send_hello(std::vector<uint8_t> &command_body) {
    const uint8_t *transient_secret = random_.data();
    if (!curve_public(transient_public_.data(), transient_secret) ||
        !greeting_key_.agree(server_key_.data(), transient_secret))
        return fail(cryptographic);
    uint8_t *p = begin_command(command_body, command_name::hello, hello_layout::size);
    p[hello_layout::version_at] = 1;
    put_key(p + hello_layout::transient_at, transient_public_.data());
    const uint64_t nonce = traffic_->take_nonce();
    store_be64(p + hello_layout::nonce_at, nonce);
    uint8_t *box = p + hello_layout::box_at;
    greeting_key_.seal(box, Bytes(box + box_overhead, hello_layout::content_size),
                       counter_nonce("CurveZMQHELLO---", nonce));
    state_ = State::awaiting_welcome;
    return Step::send;
}

Step CurveClient::process_welcome(Bytes command_body) {
    uint8_t content[welcome_layout::content_size];
    if (command_body.size() != welcome_layout::size ||
        !greeting_key_.open(
            content, command_body.skip(welcome_layout::box_at),
            random_nonce("WELCOME-", command_body.data() + welcome_layout::random_at)))
        return fail(cryptographic);
    put_key(server_transient_public_.data(), content);
    std::memcpy(cookie_.data(), content + curve_key_size, cookie_.size());
    if (!traffic_->agree(server_transient_public_.data(), random_.data()))
        return fail(cryptographic);
    state_ = State::initiate_due;
    return Step::idle;
}

Step CurveClient::send_initiate(std::vector<uint8_t> &command_body) {
    BoxKey vouch_key;
    if (!vouch_key.agree(server_transient_public_.data(), secret_key_.data()))
        return fail(cryptographic);
    const size_t metadata_size = own_metadata_.size();
    uint8_t *p = begin_command(command_body, command_name::initiate,
                               initiate_layout::size_min + metadata_size);
    std::memcpy(p + initiate_layout::cookie_at, cookie_.data(), cookie_.size());
    const uint64_t nonce = traffic_->take_nonce();
    store_be64(p + initiate_layout::nonce_at, nonce);

    uint8_t *box = p + initiate_layout::box_at;
    uint8_t *content = box + box_overhead;
    put_key(content, public_key_.data());
    uint8_t *vouch = content + initiate_layout::vouch_at;
    std::memcpy(vouch, random_.data() + vouch_random_at, box_random_size);
    uint8_t *vouch_box = vouch + vouch_layout::box_at;
    uint8_t *vouch_content = vouch_box + box_overhead;
    put_key(vouch_content, transient_public_.data());
    put_key(vouch_content + curve_key_size, server_key_.data());
    vouch_key.seal(vouch_box, Bytes(vouch_content, vouch_layout::content_size),
                   random_nonce("VOUCH---", vouch));
    if (metadata_size > 0)
        std::memcpy(content + initiate_layout::metadata_at, own_metadata_.data(), metadata_size);
    traffic_->session_key().seal(box, Bytes(content, initiate_layout::metadata_at + metadata_size),
                                 counter_nonce("CurveZMQINITIATE", nonce));

    secret_key_.clear();
    random_.clear();
    greeting_key_.clear();
    own_metadata_ = {};
    state_ = State::awaiting_ready;
    return Step::send;
}

// Before WELCOME there is no key that could open READY.
Step CurveClient::process_ready(Bytes command_body) {
    if (command_body.size() < ready_layout::size_min)
        return fail({Kind::protocol, protocol_error::malformed_ready});
    if (state_ != State::awaiting_ready) return fail(cryptographic);
    const uint64_t nonce = load_be64(command_body.data() + ready_layout::nonce_at);
    std::vector<uint8_t> metadata(command_body.size() - ready_layout::size_min);
    if (!traffic_->session_key().open(metadata.data(), command_body.skip(ready_layout::box_at),
                                      counter_nonce("CurveZMQREADY---", nonce)))
        return fail(cryptographic);
    traffic_->note_peer_nonce(nonce);
    if (!reader_.read(Bytes(metadata.data(), metadata.size())))
        return fail({Kind::protocol, protocol_error::invalid_metadata});
    state_ = State::ready;
    return Step::idle;
}

Step CurveClient::fail(Failure failure) {
    state_ = State::failed;
    failure_ = failure;
    return Step::failed;
}

// ---- server

CurveServer::CurveServer(const SecurityOptions &options, const CurveServerRandom &random,
                         std::vector<uint8_t> own_metadata, MetadataReader &reader, bool asks_zap)
    : secret_key_(options.curve_secret_key.data()), public_key_(options.curve_own_public_key),
      random_(random.data()),
      traffic_(std::make_unique<CurveTraffic>(CurveTraffic::Role::server)),
      own_metadata_(std::move(own_metadata)), reader_(reader), asks_zap_(asks_zap) {}

Step CurveServer::next(std::vector<uint8_t> &command_body) {
    switch (state_) {
    case State::welcome_due:
        return send_welcome(command_body);
    case State::asking:
        return Step::ask_zap;
    case State::ready_due:
        return send_ready(command_body);
    case State::error_due:
        put_error(command_body, command_name::error, zap_status_);
        state_ = State::refused;
        return Step::send;
    case State::refused:
        return fail({Kind::auth, zap_status_});
    case State::awaiting_hello:
    case State::awaiting_initiate:
    case State::ready:
        return Step::idle;
    case State::failed:
        break;
    }
    return Step::failed;
}

Step CurveServer::process(Bytes command_body) {
    switch (state_) {
    case State::awaiting_hello:
        return process_hello(command_body);
    case State::awaiting_initiate:
        return process_initiate(command_body);
    case State::failed:
        return Step::failed;
    default:
        return fail({Kind::protocol, protocol_error::unspecified});
    }
}

// Neither the padding nor the zeros in the box are looked at (quirks Q-31).
Step CurveServer::process_hello(Bytes command_body) {
    if (!has_name(command_body)) return fail({Kind::protocol, protocol_error::malformed});
    if (!starts_with(command_body, command_name::hello)) return fail(unexpected);
    const uint8_t *p = command_body.data();
    if (command_body.size() != hello_layout::size || p[hello_layout::version_at] != 1 ||
        p[hello_layout::version_at + 1] != 0)
        return fail({Kind::protocol, protocol_error::malformed_hello});
    const uint64_t nonce = load_be64(p + hello_layout::nonce_at);
    uint8_t zeros[hello_layout::content_size];
    put_key(client_transient_public_.data(), p + hello_layout::transient_at);
    if (!greeting_key_.agree(client_transient_public_.data(), secret_key_.data()) ||
        !greeting_key_.open(zeros, command_body.skip(hello_layout::box_at),
                            counter_nonce("CurveZMQHELLO---", nonce)))
        return fail(cryptographic);
    traffic_->note_peer_nonce(nonce);
    state_ = State::welcome_due;
    return Step::idle;
}

Step CurveServer::send_welcome(std::vector<uint8_t> &command_body) {
    const uint8_t *transient_secret = random_.data();
    CurveKey transient_public;
    if (!curve_public(transient_public.data(), transient_secret)) return fail(cryptographic);
    uint8_t *p = begin_command(command_body, command_name::welcome, welcome_layout::size);
    std::memcpy(p + welcome_layout::random_at, random_.data() + welcome_random_at, box_random_size);
    uint8_t *box = p + welcome_layout::box_at;
    uint8_t *content = box + box_overhead;
    put_key(content, transient_public.data());
    uint8_t *cookie = content + curve_key_size;
    std::memcpy(cookie, random_.data() + cookie_random_at, box_random_size);
    uint8_t *cookie_box = cookie + cookie_layout::box_at;
    uint8_t *cookie_content = cookie_box + box_overhead;
    put_key(cookie_content, client_transient_public_.data());
    put_key(cookie_content + curve_key_size, transient_secret);
    BoxKey(random_.data() + cookie_key_at)
        .seal(cookie_box, Bytes(cookie_content, cookie_layout::content_size),
              random_nonce("COOKIE--", cookie));
    greeting_key_.seal(box, Bytes(content, welcome_layout::content_size),
                       random_nonce("WELCOME-", p + welcome_layout::random_at));

    secret_key_.clear();
    greeting_key_.clear();
    state_ = State::awaiting_initiate;
    return Step::send;
}

Step CurveServer::process_initiate(Bytes command_body) {
    if (!has_name(command_body)) return fail({Kind::protocol, protocol_error::malformed});
    if (!starts_with(command_body, command_name::initiate)) return fail(unexpected);
    if (command_body.size() < initiate_layout::size_min)
        return fail({Kind::protocol, protocol_error::malformed_initiate});
    const uint8_t *p = command_body.data();
    const uint64_t nonce = load_be64(p + initiate_layout::nonce_at);
    const Bytes box = command_body.skip(initiate_layout::box_at);
    introduction_.resize(box.size() - box_overhead);
    if (!is_own_cookie(p + initiate_layout::cookie_at) ||
        !traffic_->agree(client_transient_public_.data(), random_.data()) ||
        !traffic_->session_key().open(introduction_.data(), box,
                                      counter_nonce("CurveZMQINITIATE", nonce)))
        return fail(cryptographic);
    traffic_->note_peer_nonce(nonce);
    if (check_vouch(introduction_.data() + initiate_layout::vouch_at) == Step::failed)
        return Step::failed;
    random_.clear();
    if (!asks_zap_) return read_metadata();
    state_ = State::asking;
    return Step::idle;
}

// The key of the cookie is this connection's own; what is in it is compared all the same, so that a
// cookie stays worthless elsewhere whatever the caller does with its random bytes.
bool CurveServer::is_own_cookie(const uint8_t *cookie) const {
    Secret<cookie_layout::content_size> content;
    return BoxKey(random_.data() + cookie_key_at)
               .open(content.data(), Bytes(cookie, cookie_layout::size).skip(cookie_layout::box_at),
                     random_nonce("COOKIE--", cookie)) &&
           is_same_key(content.data(), client_transient_public_.data()) &&
           is_same_key(content.data() + curve_key_size, random_.data());
}

// The client has the secret of the key it shows, and means this connection to this server.
Step CurveServer::check_vouch(const uint8_t *vouch) {
    BoxKey key;
    uint8_t content[vouch_layout::content_size];
    if (!key.agree(introduction_.data(), random_.data()) ||
        !key.open(content, Bytes(vouch, vouch_layout::size).skip(vouch_layout::box_at),
                  random_nonce("VOUCH---", vouch)))
        return fail(cryptographic);
    if (!is_same_key(content, client_transient_public_.data()) ||
        !is_same_key(content + curve_key_size, public_key_.data()))
        return fail({Kind::protocol, protocol_error::key_exchange});
    return Step::idle;
}

// Bad metadata closes without an event.
Step CurveServer::read_metadata() {
    const Bytes introduction(introduction_.data(), introduction_.size());
    if (!reader_.read(introduction.skip(initiate_layout::metadata_at)))
        return fail({Kind::silent, 0});
    introduction_ = {};
    state_ = State::ready_due;
    return Step::idle;
}

std::vector<std::string> CurveServer::zap_credentials() const {
    if (state_ != State::asking) return {};
    return {std::string(introduction_.begin(), introduction_.begin() + curve_key_size)};
}

void CurveServer::zap_answered(uint32_t status) {
    if (state_ != State::asking) return;
    zap_status_ = status;
    if (status == 200)
        (void)read_metadata();
    else if (status == 400 || status == 500)
        state_ = State::error_due;
    else
        state_ = State::refused; // 300 sends nothing (quirks Q-26)
}

Step CurveServer::send_ready(std::vector<uint8_t> &command_body) {
    uint8_t *p = begin_command(command_body, command_name::ready,
                               ready_layout::size_min + own_metadata_.size());
    const uint64_t nonce = traffic_->take_nonce();
    store_be64(p + ready_layout::nonce_at, nonce);
    traffic_->session_key().seal(p + ready_layout::box_at,
                                 Bytes(own_metadata_.data(), own_metadata_.size()),
                                 counter_nonce("CurveZMQREADY---", nonce));
    own_metadata_ = {};
    state_ = State::ready;
    return Step::send;
}

Step CurveServer::fail(Failure failure) {
    state_ = State::failed;
    failure_ = failure;
    return Step::failed;
}

} // namespace tern
