#include "security/security_options.hpp"

namespace tern {

namespace {

// Stores that the compiler may not leave out, although nobody reads them.
void wipe_bytes(volatile void *bytes, size_t size) {
    auto *p = static_cast<volatile unsigned char *>(bytes);
    while (size-- > 0) *p++ = 0;
}

} // namespace

SecurityOptions::~SecurityOptions() {
    wipe_bytes(curve_secret_key.data(), curve_secret_key.size());
    wipe_bytes(plain_password.data(), plain_password.size());
}

} // namespace tern
