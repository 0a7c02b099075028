// PLAIN: a user name and a password in clear, judged by the server's ZAP handler (RFC 24,
// security.md section 3). Traffic goes in clear too.
// Threads: used by whoever holds the link's turn.
// Owner:   the Handshake, which outlives it as the MetadataReader.
//
//   client            server
//   hello     ->                    hello    = 05 "HELLO" user-length:U8 user
//             <-      welcome                  password-length:U8 password
//   initiate  ->                    welcome  = 07 "WELCOME"
//             <-      ready         initiate = 08 "INITIATE" properties
//             <-      error         ready    = 05 "READY" properties
//                                   error    = "^RROR" reason-length:U8 reason *OCTET
//
// An ERROR comes instead of WELCOME or READY. libzmq writes its name with 5e for the length byte
// and understands nothing else (quirks Q-01): sent so, and taken in both forms.
#ifndef TERN_SECURITY_PLAIN_MECHANISM_HPP
#define TERN_SECURITY_PLAIN_MECHANISM_HPP

#include "security/mechanism.hpp"

namespace tern {

class PlainClient final : public Mechanism {
  public:
    // REQUIRES: user and password have at most 255 bytes.
    PlainClient(std::string user, std::string password, std::vector<uint8_t> own_metadata,
                MetadataReader &reader);

    Step next(std::vector<uint8_t> &command_body) override;
    Step process(Bytes command_body) override;
    void zap_answered(uint32_t) override {} // only servers ask
    bool is_ready() const override { return state_ == State::ready; }
    Failure failure() const override { return failure_; }

  private:
    // hello_due -> awaiting_welcome -> initiate_due -> awaiting_ready -> ready    any -> failed
    enum class State : uint8_t {
        hello_due,
        awaiting_welcome,
        initiate_due,
        awaiting_ready,
        ready,
        failed,
    };

    Step process_welcome(Bytes command_body);
    Step process_ready(Bytes metadata);
    Step fail(Failure failure);

    std::string user_;
    std::string password_;
    std::vector<uint8_t> own_metadata_;
    MetadataReader &reader_;
    State state_ = State::hello_due;
    Failure failure_;
};

// Always asks ZAP, before WELCOME: the handler sees no metadata, and a refused peer none of ours.
class PlainServer final : public Mechanism {
  public:
    PlainServer(std::vector<uint8_t> own_metadata, MetadataReader &reader);

    Step next(std::vector<uint8_t> &command_body) override;
    Step process(Bytes command_body) override;
    std::vector<std::string> zap_credentials() const override { return {user_, password_}; }
    void zap_answered(uint32_t status) override;
    bool is_ready() const override { return state_ == State::ready; }
    Failure failure() const override { return failure_; }

  private:
    // awaiting_hello -> asking -> welcome_due -> awaiting_initiate -> ready_due -> ready
    //                       \-> error_due -> refused
    //                        \-> refused                   refused -> failed    any -> failed
    enum class State : uint8_t {
        awaiting_hello,
        asking,
        welcome_due,
        awaiting_initiate,
        ready_due,
        ready,
        error_due,
        refused,
        failed,
    };

    Step process_hello(Bytes command_body);
    Step process_initiate(Bytes command_body);
    Step fail(Failure failure);

    std::vector<uint8_t> own_metadata_;
    MetadataReader &reader_;
    std::string user_;
    std::string password_;
    State state_ = State::awaiting_hello;
    uint32_t zap_status_ = 0;
    Failure failure_;
};

} // namespace tern

#endif
