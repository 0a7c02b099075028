// SecurityOptions: which mechanism a socket speaks, and with what secrets.
// Threads: values only; each listener and connector holds its own copy.
#ifndef TERN_SECURITY_SECURITY_OPTIONS_HPP
#define TERN_SECURITY_SECURITY_OPTIONS_HPP

#include "security/mechanism.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace tern {

using CurveKey = std::array<uint8_t, 32>;

struct SecurityOptions {
    int mechanism = mechanism_id::null; // implied by the last security option set
    bool as_server = false;             // one role for all mechanisms

    std::string plain_user;
    std::string plain_password;

    CurveKey curve_public_key{};
    CurveKey curve_secret_key{};
    CurveKey curve_server_key{};

    std::string gssapi_principal;
    std::string gssapi_service_principal;
    int gssapi_principal_name_type = 0;
    int gssapi_service_principal_name_type = 0;
    bool gssapi_plaintext = false;

    std::string zap_domain;
    bool zap_enforce_domain = false;
};

} // namespace tern

#endif
