// SecurityOptions: which mechanism a socket speaks, and with what secrets.
// Threads: values only; each listener and connector holds its own copy. A copy wipes what is secret in
//          it when it goes.
#ifndef TERN_SECURITY_SECURITY_OPTIONS_HPP
#define TERN_SECURITY_SECURITY_OPTIONS_HPP

#include "security/mechanism.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace tern {

using CurveKey = std::array<uint8_t, 32>;

struct SecurityOptions {
    SecurityOptions() = default;
    SecurityOptions(const SecurityOptions &) = default;
    SecurityOptions &operator=(const SecurityOptions &) = default;
    ~SecurityOptions();

    int mechanism = mechanism_id::null; // implied by the last security option set
    bool as_server = false;             // one role for all mechanisms

    std::string plain_user;
    std::string plain_password;

    CurveKey curve_public_key{};
    CurveKey curve_secret_key{};
    CurveKey curve_server_key{};
    // What belongs to the secret key of a server, which need not be told it. Kept, since each handshake
    // needs it and it takes as long as a key agreement.
    CurveKey curve_own_public_key{};

    std::string gssapi_principal;
    std::string gssapi_service_principal;
    int gssapi_principal_name_type = 0;
    int gssapi_service_principal_name_type = 0;
    bool gssapi_plaintext = false;

    std::string zap_domain;
    bool zap_enforce_domain = false;
};

// Is a ZAP handler asked, by the side that authenticates (security.md section 6.2)? With NULL that
// is either side, with the others the server.
inline bool asks_zap(const SecurityOptions &options) {
    switch (options.mechanism) {
    case mechanism_id::null:
        return !options.zap_domain.empty();
    case mechanism_id::curve:
        return !options.zap_enforce_domain || !options.zap_domain.empty();
    default:
        return true;
    }
}

// Is a connection refused when there is nobody to ask?
inline bool needs_zap_handler(const SecurityOptions &options) {
    return options.mechanism == mechanism_id::plain || options.zap_enforce_domain;
}

// May nobody be let in at all? PLAIN is worth nothing without a handler, and a handler may not be
// asked without a domain (ZAP-3).
inline bool refuses_everybody(const SecurityOptions &options) {
    return options.mechanism == mechanism_id::plain && options.as_server &&
           options.zap_enforce_domain && options.zap_domain.empty();
}

} // namespace tern

#endif
