// NullMechanism: each side sends READY or ERROR, independent of the other (zmtp.md section 5,
// security.md section 2).
// Threads: used by whoever holds the link's turn.
// Owner:   the Handshake, which outlives it as the MetadataReader.
//
//   ready = 05 "READY" properties
//   error = 05 "ERROR" reason-length:U8 reason *OCTET
#ifndef TERN_SECURITY_NULL_MECHANISM_HPP
#define TERN_SECURITY_NULL_MECHANISM_HPP

#include "security/mechanism.hpp"

namespace tern {

class NullMechanism final : public Mechanism {
  public:
    // `own_metadata` is the encoded property list of our READY. `asks_zap`: a ZAP domain is set.
    NullMechanism(std::vector<uint8_t> own_metadata, MetadataReader &reader, bool asks_zap);

    Step next(std::vector<uint8_t> &command_body) override;
    Step process(Bytes command_body) override;
    void zap_answered(uint32_t status) override;
    bool is_ready() const override;
    Failure failure() const override { return failure_; }

  private:
    // asking -> ready_due -> ready_sent        refused is final
    //       \-> error_due -> refused
    //       \-> refused
    enum class Own : uint8_t { asking, ready_due, ready_sent, error_due, refused };

    Step process_ready(Bytes metadata);
    Step fail(Failure failure);

    std::vector<uint8_t> own_metadata_;
    MetadataReader &reader_;
    Own own_;
    bool peer_spoke_ = false;
    bool peer_ready_ = false;
    bool has_failed_ = false;
    uint32_t zap_status_ = 0;
    Failure failure_;
};

} // namespace tern

#endif
