#include "support/gss_stand_in.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern "C" {
decltype(gss_import_name) __wrap_gss_import_name;
decltype(gss_display_name) __wrap_gss_display_name;
decltype(gss_release_name) __wrap_gss_release_name;
decltype(gss_release_buffer) __wrap_gss_release_buffer;
decltype(gss_acquire_cred) __wrap_gss_acquire_cred;
decltype(gss_release_cred) __wrap_gss_release_cred;
decltype(gss_init_sec_context) __wrap_gss_init_sec_context;
decltype(gss_accept_sec_context) __wrap_gss_accept_sec_context;
decltype(gss_delete_sec_context) __wrap_gss_delete_sec_context;
decltype(gss_wrap_iov_length) __wrap_gss_wrap_iov_length;
decltype(gss_wrap_iov) __wrap_gss_wrap_iov;
decltype(gss_unwrap_iov) __wrap_gss_unwrap_iov;
}

namespace tern::fuzz {

namespace {

GssStandIn *current = nullptr;

// Every function begins with it.
GssStandIn &called(OM_uint32 *minor) {
    FUZZ_CHECK(current && minor);
    *minor = 0;
    return *current;
}

Bytes bytes_of(const gss_buffer_desc &buffer) {
    return {static_cast<const uint8_t *>(buffer.value), buffer.length};
}

bool is_kerberos(gss_OID mechanism) {
    return mechanism && Bytes(mechanism->elements, mechanism->length) ==
                            Bytes(gss_mech_krb5->elements, gss_mech_krb5->length);
}

// What both sides of an exchange share.
OM_uint32 step(GssStandIn &library, bool accepts, gss_cred_id_t credentials, gss_ctx_id_t *context,
               gss_buffer_t token, gss_buffer_t answer, OM_uint32 *flags) {
    const GssStandIn::Says &says = library.says;
    GssStandIn::Asked &asked = library.asked;
    ++asked.steps;
    asked.accepts = accepts;
    FUZZ_CHECK(library.credentials.at(credentials).usage ==
               (accepts ? GSS_C_ACCEPT : GSS_C_INITIATE));
    FUZZ_CHECK(context && answer && flags);
    FUZZ_CHECK(answer->length == 0 && !answer->value);
    asked.has_token = token != GSS_C_NO_BUFFER;
    FUZZ_CHECK(asked.has_token == (accepts || *context != GSS_C_NO_CONTEXT));
    if (asked.has_token) {
        FUZZ_CHECK(token->length > 0 && token->value);
        asked.token = exact(bytes_of(*token));
    }
    if (*context != GSS_C_NO_CONTEXT) FUZZ_CHECK(!library.contexts.at(*context).is_established);

    library.lend_buffer(answer, view(says.answer), says.lends_empty_answer);
    *flags = says.flags;
    const bool has_failed = says.major != GSS_S_COMPLETE && says.major != GSS_S_CONTINUE_NEEDED;
    if (has_failed && !says.leaves_context) {
        if (*context != GSS_C_NO_CONTEXT) library.contexts.take_back(*context);
        return says.major;
    }
    if (*context == GSS_C_NO_CONTEXT) *context = library.contexts.lend({});
    library.contexts.at(*context).is_established = says.major == GSS_S_COMPLETE;
    return says.major;
}

// For wrapping, and for the question how much room that takes.
void check_wrapping(GssStandIn &library, gss_ctx_id_t context, int wants_confidentiality,
                    gss_qop_t qop, const int *is_confidential, const gss_iov_buffer_desc *parts,
                    int count) {
    FUZZ_CHECK(library.contexts.at(context).is_established);
    FUZZ_CHECK(wants_confidentiality == 1 && qop == GSS_C_QOP_DEFAULT && is_confidential);
    FUZZ_CHECK(parts && count == 4);
    constexpr OM_uint32 order[] = {GSS_IOV_BUFFER_TYPE_HEADER, GSS_IOV_BUFFER_TYPE_DATA,
                                   GSS_IOV_BUFFER_TYPE_PADDING, GSS_IOV_BUFFER_TYPE_TRAILER};
    for (size_t i = 0; i < 4; ++i) {
        FUZZ_CHECK(parts[i].type == order[i]);
        library.asked.parts[i] = parts[i].buffer;
    }
}

} // namespace

GssStandIn::GssStandIn() {
    FUZZ_CHECK(!current);
    current = this;
}

GssStandIn::~GssStandIn() {
    FUZZ_CHECK(names.is_empty() && credentials.is_empty() && contexts.is_empty());
    FUZZ_CHECK(buffers_.empty());
    current = nullptr;
}

void GssStandIn::lend_buffer(gss_buffer_t out, Bytes bytes, bool even_if_empty) {
    *out = GSS_C_EMPTY_BUFFER;
    if (bytes.empty() && !even_if_empty) return;
    buffers_.push_back(std::make_unique<uint8_t[]>(bytes.size()));
    std::copy(bytes.begin(), bytes.end(), buffers_.back().get());
    *out = {bytes.size(), buffers_.back().get()};
}

void GssStandIn::take_back_buffer(gss_buffer_t buffer) {
    FUZZ_CHECK(buffer);
    const auto place = std::find_if(buffers_.begin(), buffers_.end(),
                                    [&](const auto &own) { return own.get() == buffer->value; });
    FUZZ_CHECK((place != buffers_.end()) == (buffer->value != nullptr));
    if (place != buffers_.end()) buffers_.erase(place);
    *buffer = GSS_C_EMPTY_BUFFER;
}

} // namespace tern::fuzz

using namespace tern::fuzz;

// ---- names and buffers

OM_uint32 __wrap_gss_import_name(OM_uint32 *minor, gss_buffer_t text, gss_OID type,
                                 gss_name_t *out) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(text && out && *out == GSS_C_NO_NAME);
    const size_t call = library.asked.imports.size();
    FUZZ_CHECK(call < library.says.imports.size());
    library.asked.imports.push_back({std::string(bytes_of(*text).text()), type});
    const OM_uint32 major = library.says.imports[call];
    if (!GSS_ERROR(major)) *out = library.names.lend(library.asked.imports.back());
    return major;
}

OM_uint32 __wrap_gss_display_name(OM_uint32 *minor, gss_name_t name, gss_buffer_t out,
                                  gss_OID *type) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(out && !type);
    ++library.asked.displays;
    if (name == GSS_C_NO_NAME) return GSS_S_CALL_INACCESSIBLE_READ | GSS_S_BAD_NAME;
    const std::string &text = library.names.at(name).text;
    if (!GSS_ERROR(library.says.major))
        library.lend_buffer(out, tern::Bytes(text), library.says.lends_empty_answer);
    return library.says.major;
}

OM_uint32 __wrap_gss_release_name(OM_uint32 *minor, gss_name_t *name) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(name);
    library.names.take_back(*name);
    return GSS_S_COMPLETE;
}

OM_uint32 __wrap_gss_release_buffer(OM_uint32 *minor, gss_buffer_t buffer) {
    called(minor).take_back_buffer(buffer);
    return GSS_S_COMPLETE;
}

// ---- credentials

OM_uint32 __wrap_gss_acquire_cred(OM_uint32 *minor, gss_name_t name, OM_uint32 seconds,
                                  gss_OID_set mechanisms, gss_cred_usage_t usage,
                                  gss_cred_id_t *out, gss_OID_set *actual,
                                  OM_uint32 *actual_seconds) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(seconds == GSS_C_INDEFINITE && !actual && !actual_seconds);
    FUZZ_CHECK(mechanisms && mechanisms->count == 1 && is_kerberos(mechanisms->elements));
    FUZZ_CHECK(out && *out == GSS_C_NO_CREDENTIAL);
    library.asked.acquired_for.push_back(name == GSS_C_NO_NAME ? std::string()
                                                               : library.names.at(name).text);
    if (!GSS_ERROR(library.says.acquire)) *out = library.credentials.lend({usage});
    return library.says.acquire;
}

OM_uint32 __wrap_gss_release_cred(OM_uint32 *minor, gss_cred_id_t *credentials) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(credentials);
    library.credentials.take_back(*credentials);
    return GSS_S_COMPLETE;
}

// ---- contexts

OM_uint32 __wrap_gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t credentials,
                                      gss_ctx_id_t *context, gss_name_t target, gss_OID mechanism,
                                      OM_uint32 wanted_flags, OM_uint32 seconds,
                                      gss_channel_bindings_t bindings, gss_buffer_t token,
                                      gss_OID *actual, gss_buffer_t answer, OM_uint32 *flags,
                                      OM_uint32 *actual_seconds) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(is_kerberos(mechanism) && seconds == GSS_C_INDEFINITE);
    FUZZ_CHECK(bindings == GSS_C_NO_CHANNEL_BINDINGS && !actual && !actual_seconds);
    library.asked.target = library.names.at(target).text;
    library.asked.wanted_flags = wanted_flags;
    return step(library, false, credentials, context, token, answer, flags);
}

OM_uint32 __wrap_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *context,
                                        gss_cred_id_t credentials, gss_buffer_t token,
                                        gss_channel_bindings_t bindings, gss_name_t *peer,
                                        gss_OID *mechanism, gss_buffer_t answer, OM_uint32 *flags,
                                        OM_uint32 *seconds, gss_cred_id_t *delegated) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(bindings == GSS_C_NO_CHANNEL_BINDINGS && !mechanism && !seconds && !delegated);
    FUZZ_CHECK(peer && *peer == GSS_C_NO_NAME); // what it had would be lost
    const OM_uint32 major = step(library, true, credentials, context, token, answer, flags);
    if (major != GSS_S_CONTINUE_NEEDED && library.says.peer)
        *peer = library.names.lend({*library.says.peer, GSS_C_NO_OID});
    return major;
}

OM_uint32 __wrap_gss_delete_sec_context(OM_uint32 *minor, gss_ctx_id_t *context,
                                        gss_buffer_t token) {
    GssStandIn &library = called(minor);
    FUZZ_CHECK(context && token == GSS_C_NO_BUFFER);
    library.contexts.take_back(*context);
    return GSS_S_COMPLETE;
}

// ---- traffic

OM_uint32 __wrap_gss_wrap_iov_length(OM_uint32 *minor, gss_ctx_id_t context,
                                     int wants_confidentiality, gss_qop_t qop, int *is_confidential,
                                     gss_iov_buffer_desc *parts, int count) {
    GssStandIn &library = called(minor);
    ++library.asked.lengths;
    check_wrapping(library, context, wants_confidentiality, qop, is_confidential, parts, count);
    *is_confidential = library.says.is_confidential;
    if (GSS_ERROR(library.says.major)) return library.says.major;
    parts[0].buffer.length = library.says.margins[0];
    parts[2].buffer.length = library.says.margins[1];
    parts[3].buffer.length = library.says.margins[2];
    return library.says.major;
}

OM_uint32 __wrap_gss_wrap_iov(OM_uint32 *minor, gss_ctx_id_t context, int wants_confidentiality,
                              gss_qop_t qop, int *is_confidential, gss_iov_buffer_desc *parts,
                              int count) {
    GssStandIn &library = called(minor);
    ++library.asked.wraps;
    check_wrapping(library, context, wants_confidentiality, qop, is_confidential, parts, count);
    *is_confidential = library.says.is_confidential;
    if (GSS_ERROR(library.says.major)) return library.says.major;
    constexpr size_t margins_at[] = {0, 2, 3};
    for (size_t i = 0; i < 3; ++i) {
        gss_buffer_desc &margin = parts[margins_at[i]].buffer;
        margin.length -= std::min(margin.length, library.says.shrinks_by[i]);
        std::fill_n(static_cast<uint8_t *>(margin.value), margin.length, gss_fillings[i]);
    }
    auto *const content = static_cast<uint8_t *>(parts[1].buffer.value);
    for (size_t i = 0; i < parts[1].buffer.length; ++i) content[i] ^= gss_mask;
    return library.says.major;
}

OM_uint32 __wrap_gss_unwrap_iov(OM_uint32 *minor, gss_ctx_id_t context, int *is_confidential,
                                gss_qop_t *, gss_iov_buffer_desc *parts, int count) {
    GssStandIn &library = called(minor);
    ++library.asked.unwraps;
    FUZZ_CHECK(library.contexts.at(context).is_established && is_confidential);
    FUZZ_CHECK(parts && count == 2);
    FUZZ_CHECK(parts[0].type == GSS_IOV_BUFFER_TYPE_STREAM);
    FUZZ_CHECK(parts[1].type == GSS_IOV_BUFFER_TYPE_DATA);
    for (size_t i = 0; i < 2; ++i) library.asked.parts[i] = parts[i].buffer;
    *is_confidential = library.says.is_confidential;
    auto *const token = static_cast<uint8_t *>(parts[0].buffer.value);
    const size_t header = has_gss_header(bytes_of(parts[0].buffer)) ? gss_header_size : 2;
    // What fails may have been opened halfway.
    for (size_t i = header; i < parts[0].buffer.length; ++i) token[i] ^= gss_mask;
    if (GSS_ERROR(library.says.major)) return library.says.major;
    FUZZ_CHECK(library.says.content_at <= parts[0].buffer.length &&
               library.says.content_size <= parts[0].buffer.length - library.says.content_at);
    parts[1].buffer = {library.says.content_size, token + library.says.content_at};
    return library.says.major;
}
// NOLINTEND(bugprone-reserved-identifier)
