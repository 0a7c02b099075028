// GssStandIn: what answers in place of MIT's libgssapi_krb5: it says what it is told to, keeps a
// list of what it has lent, and checks each call as far as RFC 2744 and gssapi_ext.h have rules:
// only its own handles, none after it was given back, a context that is far enough, parts in their
// order. What a call should be about, the target checks by `asked`.
// The linker puts it in place of the library's functions (--wrap).
// Threads: one. Owner: the target; there is one at a time, and when it goes all must be back.
#ifndef TERN_FUZZ_SUPPORT_GSS_STAND_IN_HPP
#define TERN_FUZZ_SUPPORT_GSS_STAND_IN_HPP

#include "support/fuzz.hpp"

#include <algorithm>
#include <array>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <memory>
#include <optional>

// What the library's handles point to.
struct gss_name_struct {
    std::string text;
    gss_OID type = GSS_C_NO_OID;
};
struct gss_cred_id_struct {
    gss_cred_usage_t usage = GSS_C_BOTH;
};
struct gss_ctx_id_struct {
    bool is_established = false;
};

namespace tern::fuzz {

// Handles that the caller has to give back, once each.
template <class Thing>
class Lent {
  public:
    bool is_empty() const { return things_.empty(); }
    Thing *lend(Thing thing) {
        things_.push_back(std::make_unique<Thing>(std::move(thing)));
        return things_.back().get();
    }
    Thing &at(Thing *handle) { return **place_of(handle); }
    void take_back(Thing *&handle) {
        things_.erase(place_of(handle));
        handle = nullptr;
    }

  private:
    auto place_of(Thing *handle) {
        const auto place = std::find_if(things_.begin(), things_.end(),
                                        [&](const auto &thing) { return thing.get() == handle; });
        FUZZ_CHECK(place != things_.end());
        return place;
    }

    std::vector<std::unique_ptr<Thing>> things_;
};

class GssStandIn {
  public:
    GssStandIn();
    ~GssStandIn();
    GssStandIn(const GssStandIn &) = delete;
    GssStandIn &operator=(const GssStandIn &) = delete;

    struct Says {
        std::array<OM_uint32, 2> imports{}; // one a call
        OM_uint32 acquire = GSS_S_COMPLETE;
        OM_uint32 major = GSS_S_COMPLETE; // of all other functions

        // A step, of either side.
        Buffer answer;
        bool lends_empty_answer = false; // no bytes, to be given back all the same
        OM_uint32 flags = 0;
        bool leaves_context = false; // when it fails
        // Accepting, when it fails or ends: MIT has no name before.
        std::optional<std::string> peer;

        // Traffic. Wrapping needs less than it was given when a part is to shrink.
        bool is_confidential = false;
        std::array<size_t, 3> margins{}; // front, padding, trailer
        std::array<size_t, 3> shrinks_by{};
        size_t content_at = 0; // in the token
        size_t content_size = 0;
    } says;

    // Since this was last emptied.
    struct Asked {
        std::vector<gss_name_struct> imports;
        std::vector<std::string> acquired_for; // empty: for whoever there is
        size_t steps = 0;
        bool accepts = false; // the last step, and the rest of it
        bool has_token = false;
        Buffer token;
        std::string target;
        OM_uint32 wanted_flags = 0;
        size_t displays = 0;
        // The parts of the last call.
        size_t lengths = 0, wraps = 0, unwraps = 0;
        std::array<gss_buffer_desc, 4> parts{};
    } asked;

    Lent<gss_name_struct> names;
    Lent<gss_cred_id_struct> credentials;
    Lent<gss_ctx_id_struct> contexts;

    void lend_buffer(gss_buffer_t out, Bytes bytes, bool even_if_empty);
    void take_back_buffer(gss_buffer_t buffer);

  private:
    // Of the exact size, so that ASan sees a read behind the end.
    std::vector<std::unique_ptr<uint8_t[]>> buffers_;
};

// What wrapping does to each byte of the content, and unwrapping to each behind the token's header.
inline constexpr uint8_t gss_mask = 0x5a;
// What wrapping puts into a front, a padding and a trailer.
inline constexpr std::array<uint8_t, 3> gss_fillings = {'f', 'p', 't'};

// RFC 4121 section 4.2.6.2; other tokens have a header of 2 bytes here.
inline constexpr size_t gss_header_size = 16;
inline bool has_gss_header(Bytes token) {
    return token.size() >= gss_header_size && token[0] == 5 && token[1] == 4;
}

} // namespace tern::fuzz

#endif
