// The GssContext of MIT's libgssapi_krb5.
#include "security/gss_context.hpp"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

namespace tern {

namespace {

// The library counts bytes with 32 bits here and there, signed ones among them.
constexpr size_t content_max = 0x7fff0000;

// No GSS_C_SEQUENCE_FLAG: with it a gap would be an error, and a message that is taken back after
// it was sealed leaves one. See is_later().
constexpr OM_uint32 wanted_flags =
    GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
constexpr OM_uint32 needed_for_traffic = GSS_C_REPLAY_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;
constexpr OM_uint32 out_of_order = GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN | GSS_S_UNSEQ_TOKEN;

// Of a step: that a token is old or comes twice is fatal there, though GSS_ERROR() does not see it
// (RFC 2744 sections 5.1 and 5.19).
bool has_failed(OM_uint32 major) {
    return major != GSS_S_COMPLETE && major != GSS_S_CONTINUE_NEEDED;
}

gss_buffer_desc buffer_of(Bytes bytes) {
    return {bytes.size(), const_cast<uint8_t *>(bytes.data())};
}

class Name {
  public:
    Name() = default;
    Name(const Name &) = delete;
    Name &operator=(const Name &) = delete;
    ~Name() { clear(); }
    gss_name_t get() const { return name_; }
    gss_name_t *out() {
        clear();
        return &name_;
    }

    // `type` is one of ZMQ_GSSAPI_NT_*.
    bool import(const std::string &text, int type) {
        OM_uint32 minor;
        gss_buffer_desc buffer = buffer_of(Bytes(text));
        return gss_import_name(&minor, &buffer, type_of(type), &name_) == GSS_S_COMPLETE;
    }

    std::string text() const {
        OM_uint32 minor;
        gss_buffer_desc buffer = GSS_C_EMPTY_BUFFER;
        if (gss_display_name(&minor, name_, &buffer, nullptr) != GSS_S_COMPLETE) return {};
        std::string text(static_cast<const char *>(buffer.value), buffer.length);
        gss_release_buffer(&minor, &buffer);
        return text;
    }

  private:
    void clear() {
        OM_uint32 minor;
        if (name_ != GSS_C_NO_NAME) gss_release_name(&minor, &name_);
    }
    static gss_OID type_of(int type) {
        switch (type) {
        case 1:
            return GSS_C_NT_USER_NAME;
        case 2:
            return const_cast<gss_OID>(GSS_KRB5_NT_PRINCIPAL_NAME);
        default:
            return GSS_C_NT_HOSTBASED_SERVICE;
        }
    }

    gss_name_t name_ = GSS_C_NO_NAME;
};

class KerberosContext final : public GssContext {
  public:
    explicit KerberosContext(const SecurityOptions &options)
        : accepts_(options.as_server), protects_traffic_(!options.gssapi_plaintext),
          principal_(options.gssapi_principal), service_(options.gssapi_service_principal),
          principal_type_(options.gssapi_principal_name_type),
          service_type_(options.gssapi_service_principal_name_type) {}
    ~KerberosContext() override {
        OM_uint32 minor;
        if (context_ != GSS_C_NO_CONTEXT)
            gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
        if (credentials_ != GSS_C_NO_CREDENTIAL) gss_release_cred(&minor, &credentials_);
    }

    Outcome step(Bytes token, std::vector<uint8_t> &out) override;
    std::string peer_name() const override { return peer_.text(); }
    bool margins(size_t content_size, Margins &out) const override;
    bool wrap(uint8_t *wrapped, size_t content_size, const Margins &margins) override;
    Unwrapped unwrap(uint8_t *token, size_t size, Bytes &content) override;

  private:
    bool acquire_credentials();
    OM_uint32 initiate(gss_buffer_t token, gss_buffer_t answer);
    OM_uint32 accept(gss_buffer_t token, gss_buffer_t answer);
    Outcome outcome_of(OM_uint32 major) const;
    bool is_later(Bytes token);

    const bool accepts_;
    const bool protects_traffic_;
    const std::string principal_;
    const std::string service_;
    const int principal_type_;
    const int service_type_;

    bool has_begun_ = false;
    gss_cred_id_t credentials_ = GSS_C_NO_CREDENTIAL;
    Name target_; // client: who is to answer
    Name peer_;   // server: who has asked
    gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
    OM_uint32 flags_ = 0;
    uint64_t last_sequence_ = 0; // of the peer's tokens
    bool has_sequence_ = false;
};

// Without a principal, whatever the ticket cache or the keytab holds. Only Kerberos: other
// mechanisms would let a peer choose one, and have a server ask the network on its behalf.
bool KerberosContext::acquire_credentials() {
    Name own;
    if (!principal_.empty() && !own.import(principal_, principal_type_)) return false;
    gss_OID_set_desc mechanisms = {1, const_cast<gss_OID>(gss_mech_krb5)};
    OM_uint32 minor;
    return gss_acquire_cred(&minor, own.get(), GSS_C_INDEFINITE, &mechanisms,
                            accepts_ ? GSS_C_ACCEPT : GSS_C_INITIATE, &credentials_, nullptr,
                            nullptr) == GSS_S_COMPLETE;
}

OM_uint32 KerberosContext::initiate(gss_buffer_t token, gss_buffer_t answer) {
    OM_uint32 minor;
    return gss_init_sec_context(&minor, credentials_, &context_, target_.get(),
                                const_cast<gss_OID>(gss_mech_krb5), wanted_flags, GSS_C_INDEFINITE,
                                GSS_C_NO_CHANNEL_BINDINGS, token, nullptr, answer, &flags_,
                                nullptr);
}

OM_uint32 KerberosContext::accept(gss_buffer_t token, gss_buffer_t answer) {
    OM_uint32 minor;
    return gss_accept_sec_context(&minor, &context_, credentials_, token, GSS_C_NO_CHANNEL_BINDINGS,
                                  peer_.out(), nullptr, answer, &flags_, nullptr, nullptr);
}

GssContext::Outcome KerberosContext::step(Bytes token, std::vector<uint8_t> &out) {
    out.clear();
    const bool is_first = !has_begun_;
    has_begun_ = true;
    if (is_first) {
        if (!accepts_ && !target_.import(service_, service_type_)) return Outcome::helpless;
        if (!acquire_credentials()) return Outcome::helpless;
    }
    const bool has_token = accepts_ || !is_first;
    if (has_token && token.empty()) return Outcome::refused;
    gss_buffer_desc in = buffer_of(token);
    gss_buffer_desc answer = GSS_C_EMPTY_BUFFER;
    const OM_uint32 major =
        accepts_ ? accept(&in, &answer) : initiate(has_token ? &in : GSS_C_NO_BUFFER, &answer);
    const auto *bytes = static_cast<const uint8_t *>(answer.value);
    if (answer.length > 0) out.assign(bytes, bytes + answer.length);
    OM_uint32 minor;
    gss_release_buffer(&minor, &answer);
    // Nobody but ourselves, and those we ask, has spoken before the client's first token.
    if (has_failed(major) && !has_token) return Outcome::helpless;
    return outcome_of(major);
}

GssContext::Outcome KerberosContext::outcome_of(OM_uint32 major) const {
    if (has_failed(major)) return Outcome::refused;
    if (major == GSS_S_CONTINUE_NEEDED) return Outcome::more;
    if (!(flags_ & GSS_C_MUTUAL_FLAG)) return Outcome::refused;
    if (protects_traffic_ && (flags_ & needed_for_traffic) != needed_for_traffic)
        return Outcome::refused;
    return Outcome::complete;
}

bool KerberosContext::margins(size_t content_size, Margins &out) const {
    if (content_size > content_max) return false;
    gss_iov_buffer_desc parts[] = {
        {GSS_IOV_BUFFER_TYPE_HEADER, GSS_C_EMPTY_BUFFER},
        {GSS_IOV_BUFFER_TYPE_DATA, {content_size, nullptr}},
        {GSS_IOV_BUFFER_TYPE_PADDING, GSS_C_EMPTY_BUFFER},
        {GSS_IOV_BUFFER_TYPE_TRAILER, GSS_C_EMPTY_BUFFER},
    };
    OM_uint32 minor;
    int is_confidential = 0;
    if (gss_wrap_iov_length(&minor, context_, 1, GSS_C_QOP_DEFAULT, &is_confidential, parts, 4) !=
            GSS_S_COMPLETE ||
        is_confidential == 0)
        return false;
    out.front = parts[0].buffer.length;
    out.padding = parts[2].buffer.length;
    out.trailer = parts[3].buffer.length;
    return true;
}

bool KerberosContext::wrap(uint8_t *wrapped, size_t content_size, const Margins &margins) {
    uint8_t *const content = wrapped + margins.front;
    uint8_t *const end = content + content_size;
    gss_iov_buffer_desc parts[] = {
        {GSS_IOV_BUFFER_TYPE_HEADER, {margins.front, wrapped}},
        {GSS_IOV_BUFFER_TYPE_DATA, {content_size, content}},
        {GSS_IOV_BUFFER_TYPE_PADDING, {margins.padding, end}},
        {GSS_IOV_BUFFER_TYPE_TRAILER, {margins.trailer, end + margins.padding}},
    };
    OM_uint32 minor;
    int is_confidential = 0;
    const OM_uint32 major =
        gss_wrap_iov(&minor, context_, 1, GSS_C_QOP_DEFAULT, &is_confidential, parts, 4);
    return major == GSS_S_COMPLETE && is_confidential != 0 &&
           parts[0].buffer.length == margins.front && parts[2].buffer.length == margins.padding &&
           parts[3].buffer.length == margins.trailer;
}

// Rising numbers, as with CURVE; gaps are fine. The library itself only notices what comes twice.
//   token = 05 04 flags:U8 ff 4OCTET sequence:U64 *OCTET         (RFC 4121 section 4.2.6.2)
// All of that is authenticated, once the token has been opened. Older kinds of token are left
// alone.
bool KerberosContext::is_later(Bytes token) {
    if (token.size() < 16 || token[0] != 5 || token[1] != 4) return true;
    const uint64_t sequence = load_be64(token.data() + 8);
    if (has_sequence_ && sequence <= last_sequence_) return false;
    has_sequence_ = true;
    last_sequence_ = sequence;
    return true;
}

GssContext::Unwrapped KerberosContext::unwrap(uint8_t *token, size_t size, Bytes &content) {
    gss_iov_buffer_desc parts[] = {
        {GSS_IOV_BUFFER_TYPE_STREAM, {size, token}},
        {GSS_IOV_BUFFER_TYPE_DATA, GSS_C_EMPTY_BUFFER},
    };
    OM_uint32 minor;
    int is_confidential = 0;
    const OM_uint32 major = gss_unwrap_iov(&minor, context_, &is_confidential, nullptr, parts, 2);
    if (GSS_ERROR(major)) return Unwrapped::damaged;
    if (major & out_of_order) return Unwrapped::replayed;
    if (is_confidential == 0) return Unwrapped::damaged;
    if (!is_later(Bytes(token, size))) return Unwrapped::replayed;
    content = Bytes(static_cast<const uint8_t *>(parts[1].buffer.value), parts[1].buffer.length);
    return Unwrapped::ok;
}

} // namespace

std::shared_ptr<GssContext> make_kerberos_context(const SecurityOptions &options) {
    return std::make_shared<KerberosContext>(options);
}

} // namespace tern
