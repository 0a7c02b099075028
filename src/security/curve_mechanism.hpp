// CURVE: both sides prove that they have the secret key of the public key they claim, and agree on
// a session key that nobody can compute later (RFC 26, security.md section 4). Traffic is sealed.
// Threads: used by whoever holds the link's turn.
// Owner:   the Handshake, which outlives it as the MetadataReader. Secrets are wiped when they have
//          served, at the latest with the mechanism; what is left is in the CurveTraffic.
// Limit:   the metadata is bounded by the caller's bound of a command.
//
//   S, C are the long-term pairs of server and client, s', c' those of this connection.
//   [A>B] is a box under the key that the pairs A and B agree on, [K] one under a secret key.
//
//   client -> hello     05 "HELLO"    01 00  72OCTET  c'-public:32  nonce:U64  [c'>S] 64 zeros
//   server -> welcome   07 "WELCOME"  random:16  [S>c'] s'-public:32 cookie:96
//   client -> initiate  08 "INITIATE" cookie:96  nonce:U64
//                                     [c'>s'] C-public:32 vouch:96 properties
//   server -> ready     05 "READY"    nonce:U64  [s'>c'] properties
//          or error     05 "ERROR"    reason-length:U8 reason          not in a box
//
//   cookie = random:16  [K] c'-public:32 s'-secret:32
//   vouch  = random:16  [C>s'] c'-public:32 S-public:32
#ifndef TERN_SECURITY_CURVE_MECHANISM_HPP
#define TERN_SECURITY_CURVE_MECHANISM_HPP

#include "security/curve_traffic.hpp"
#include "security/mechanism.hpp"
#include "security/security_options.hpp"

namespace tern {

// Fresh bytes of curve_random() for each connection.
using CurveClientRandom = Secret<48>; // c' secret 32, vouch random 16
using CurveServerRandom = Secret<96>; // s' secret 32, cookie random 16, K 32, welcome random 16

class CurveClient final : public Mechanism {
  public:
    // Of the options: the own pair, and the server's public key.
    CurveClient(const SecurityOptions &options, const CurveClientRandom &random,
                std::vector<uint8_t> own_metadata, MetadataReader &reader);

    Step next(std::vector<uint8_t> &command_body) override;
    Step process(Bytes command_body) override;
    void zap_answered(uint32_t) override {} // only servers ask
    bool is_ready() const override { return state_ == State::ready; }
    Failure failure() const override { return failure_; }
    std::unique_ptr<TrafficSeal> take_traffic_seal() override { return std::move(traffic_); }

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

    Step send_hello(std::vector<uint8_t> &command_body);
    Step process_welcome(Bytes command_body);
    Step send_initiate(std::vector<uint8_t> &command_body);
    Step process_ready(Bytes command_body);
    Step fail(Failure failure);

    const CurveKey public_key_;
    const CurveKey server_key_;
    Secret<curve_key_size> secret_key_;
    CurveClientRandom random_;
    CurveKey transient_public_{};
    CurveKey server_transient_public_{};
    std::array<uint8_t, 96> cookie_{};
    BoxKey greeting_key_; // between c' and S
    std::unique_ptr<CurveTraffic> traffic_;

    std::vector<uint8_t> own_metadata_;
    MetadataReader &reader_;
    State state_ = State::hello_due;
    Failure failure_;
};

class CurveServer final : public Mechanism {
  public:
    // Of the options: the own secret key, and its public one that was derived.
    CurveServer(const SecurityOptions &options, const CurveServerRandom &random,
                std::vector<uint8_t> own_metadata, MetadataReader &reader, bool asks_zap);

    Step next(std::vector<uint8_t> &command_body) override;
    Step process(Bytes command_body) override;
    // The 32 bytes of the client's long-term public key.
    std::vector<std::string> zap_credentials() const override;
    void zap_answered(uint32_t status) override;
    bool is_ready() const override { return state_ == State::ready; }
    Failure failure() const override { return failure_; }
    std::unique_ptr<TrafficSeal> take_traffic_seal() override { return std::move(traffic_); }

  private:
    // awaiting_hello -> welcome_due -> awaiting_initiate -> asking -> ready_due -> ready
    //                                                   \------------^
    // asking -> error_due -> refused      asking -> refused      refused -> failed    any -> failed
    enum class State : uint8_t {
        awaiting_hello,
        welcome_due,
        awaiting_initiate,
        asking,
        ready_due,
        ready,
        error_due,
        refused,
        failed,
    };

    Step process_hello(Bytes command_body);
    Step send_welcome(std::vector<uint8_t> &command_body);
    Step process_initiate(Bytes command_body);
    bool is_own_cookie(const uint8_t *cookie) const;
    Step check_vouch(const uint8_t *vouch);
    Step read_metadata();
    Step send_ready(std::vector<uint8_t> &command_body);
    Step fail(Failure failure);

    Secret<curve_key_size> secret_key_;
    const CurveKey public_key_;
    CurveServerRandom random_;
    CurveKey client_transient_public_{};
    BoxKey greeting_key_;               // between c' and S
    std::vector<uint8_t> introduction_; // what was in the box of INITIATE
    std::unique_ptr<CurveTraffic> traffic_;

    std::vector<uint8_t> own_metadata_;
    MetadataReader &reader_;
    const bool asks_zap_;
    State state_ = State::awaiting_hello;
    uint32_t zap_status_ = 0;
    Failure failure_;
};

} // namespace tern

#endif
