// GssContext: what GSSAPI knows of one connection: first the exchange of tokens in which the two
// sides prove who they are, then the keys that protect traffic (RFC 2743, Kerberos 5 by RFC 4121).
// Built only with TERN_HAVE_GSSAPI.
// Threads: one at a time. step() may ask name service, ticket server and disk, and wait for them as
//          long as they please: never call it on an I/O thread. Nothing else blocks.
// Owner:   shared by the mechanism, a step under way, and the GssTraffic that stays.
#ifndef TERN_SECURITY_GSS_CONTEXT_HPP
#define TERN_SECURITY_GSS_CONTEXT_HPP

#include "base/bytes.hpp"
#include "security/security_options.hpp"

#include <memory>
#include <vector>

namespace tern {

class GssContext {
  public:
    enum class Outcome : uint8_t {
        more,     // the token goes out, another one of the peer's is needed
        complete, // this side knows enough; a token that is not empty goes out
        refused,  // the peer's token is wrong, or promises less than is needed
        helpless, // this side has no credentials, or finds nobody to ask about them
    };
    enum class Unwrapped : uint8_t { ok, replayed, damaged };
    // What wrapping puts around the content.
    struct Margins {
        size_t front = 0;
        size_t padding = 0; // behind the content, and behind that:
        size_t trailer = 0;
        size_t sum() const { return front + padding + trailer; }
    };

    virtual ~GssContext() = default;

    // Takes the peer's token; the client's first step has none. Replaces `out` by the answer.
    virtual Outcome step(Bytes token, std::vector<uint8_t> &out) = 0;

    // ---- after complete
    // The client's principal, as text; for servers.
    virtual std::string peer_name() const = 0;
    // False: so much can not be wrapped.
    [[nodiscard]] virtual bool margins(size_t content_size, Margins &out) const = 0;
    // The content lies at `wrapped` + margins.front; the rest is written around it.
    [[nodiscard]] virtual bool wrap(uint8_t *wrapped, size_t content_size,
                                    const Margins &margins) = 0;
    // Opens in place. The content is inside the token.
    [[nodiscard]] virtual Unwrapped unwrap(uint8_t *token, size_t size, Bytes &content) = 0;
};

// Does nothing that blocks. Of the options: role, principals, their types, and whether traffic is
// protected.
std::shared_ptr<GssContext> make_kerberos_context(const SecurityOptions &options);

} // namespace tern

#endif
