// GSSAPI: both sides prove who they are with Kerberos tickets, and traffic is sealed unless
// ZMQ_GSSAPI_PLAINTEXT says otherwise on both of them (security.md section 5).
// Threads: used by whoever holds the link's turn. Every token is a computation of its own, for a
//          thread that may block.
// Owner:   the Handshake, which outlives it as the MetadataReader.
// Limit:   a token is bounded by the caller's bound of a command.
//
//   client              server
//   initiate    ->                   initiate = 08 "INITIATE" token-length:U32 token
//               <-      initiate     and again, until both know enough
//   done        ->                   done     = ""       for a last token that is empty
//               <-      ready        ready    = 05 "READY" properties
//   ready       ->                              in a MESSAGE with COMMAND, when traffic is sealed
//
// There is no ERROR: a side that is not content closes. Nothing announces whether traffic is
// sealed; sides that disagree find a READY of the wrong kind.
#ifndef TERN_SECURITY_GSS_MECHANISM_HPP
#define TERN_SECURITY_GSS_MECHANISM_HPP

#include "security/gss_context.hpp"
#include "security/gss_traffic.hpp"
#include "security/mechanism.hpp"

namespace tern {

// A step of the context on its way through another thread. Shared with the computation, which may
// go on after the mechanism is gone.
struct GssStep {
    std::shared_ptr<GssContext> context;
    std::vector<uint8_t> token;
    std::vector<uint8_t> answer;
    GssContext::Outcome outcome = GssContext::Outcome::refused;
};

// Metadata and traffic, which client and server do alike.
class GssReady {
  public:
    GssReady(std::shared_ptr<GssContext> context, bool protects_traffic,
             std::vector<uint8_t> own_metadata, MetadataReader &reader);

    // False: it can not be sealed.
    [[nodiscard]] bool put(std::vector<uint8_t> &command_body);
    // 0, or the protocol_error.
    [[nodiscard]] uint32_t take(Bytes command_body);
    std::unique_ptr<TrafficSeal> take_traffic_seal() { return std::move(traffic_); }

  private:
    uint32_t read(Bytes ready);

    std::unique_ptr<GssTraffic> traffic_; // null: in clear
    std::vector<uint8_t> own_metadata_;
    MetadataReader &reader_;
};

class GssClient final : public Mechanism {
  public:
    GssClient(std::shared_ptr<GssContext> context, bool protects_traffic,
              std::vector<uint8_t> own_metadata, MetadataReader &reader);

    Step next(std::vector<uint8_t> &command_body) override;
    Step process(Bytes command_body) override;
    std::function<void()> take_computation() override;
    void computed() override;
    void zap_answered(uint32_t) override {} // only servers ask
    bool is_ready() const override { return state_ == State::ready; }
    Failure failure() const override { return failure_; }
    std::unique_ptr<TrafficSeal> take_traffic_seal() override { return ready_.take_traffic_seal(); }

  private:
    // computing -> token_due -> awaiting_token -> computing ...
    //     \-> last_token_due -> awaiting_ready -> ready_due -> ready      any -> failed
    enum class State : uint8_t {
        computing,
        token_due,
        awaiting_token,
        last_token_due,
        awaiting_ready,
        ready_due,
        ready,
        failed,
    };

    Step process_token(Bytes command_body);
    Step process_ready(Bytes command_body);
    Step fail(Failure failure);

    std::shared_ptr<GssStep> step_;
    GssReady ready_;
    State state_ = State::computing;
    Failure failure_;
};

class GssServer final : public Mechanism {
  public:
    GssServer(std::shared_ptr<GssContext> context, bool protects_traffic,
              std::vector<uint8_t> own_metadata, MetadataReader &reader, bool asks_zap);

    Step next(std::vector<uint8_t> &command_body) override;
    Step process(Bytes command_body) override;
    std::function<void()> take_computation() override;
    void computed() override;
    // The client's principal.
    std::vector<std::string> zap_credentials() const override;
    void zap_answered(uint32_t status) override;
    bool is_ready() const override { return state_ == State::ready; }
    Failure failure() const override { return failure_; }
    std::unique_ptr<TrafficSeal> take_traffic_seal() override { return ready_.take_traffic_seal(); }

  private:
    // awaiting_token -> computing -> token_due -> awaiting_token ...
    //                       \-> last_token_due -> awaiting_done -> asking -> ready_due
    //   ready_due -> awaiting_ready -> ready      asking -> refused -> failed      any -> failed
    enum class State : uint8_t {
        awaiting_token,
        computing,
        token_due,
        last_token_due,
        awaiting_done,
        asking,
        ready_due,
        awaiting_ready,
        ready,
        refused,
        failed,
    };

    Step process_token(Bytes command_body);
    Step process_done(Bytes command_body);
    Step process_ready(Bytes command_body);
    Step fail(Failure failure);

    std::shared_ptr<GssStep> step_;
    GssReady ready_;
    const bool asks_zap_;
    State state_ = State::awaiting_token;
    uint32_t zap_status_ = 0;
    Failure failure_;
};

} // namespace tern

#endif
