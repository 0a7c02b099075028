#include "transport/tls.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <gnutls/gnutls.h>
#include <mutex>
#include <sys/socket.h>

namespace tern {

namespace {

constexpr size_t record_max = 16 * 1024;

class Credentials {
  public:
    Credentials() { is_there_ = gnutls_certificate_allocate_credentials(&credentials_) == 0; }
    Credentials(const Credentials &) = delete;
    Credentials &operator=(const Credentials &) = delete;
    ~Credentials() {
        if (is_there_) gnutls_certificate_free_credentials(credentials_);
    }
    bool is_there() const { return is_there_; }
    gnutls_certificate_credentials_t get() const { return credentials_; }

  private:
    gnutls_certificate_credentials_t credentials_ = nullptr;
    bool is_there_ = false;
};

gnutls_datum_t datum(const std::string &text) {
    return {reinterpret_cast<unsigned char *>(const_cast<char *>(text.data())), // not written to
            static_cast<unsigned>(text.size())};
}

bool is_number(const std::string &host) {
    in6_addr address;
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

class TlsLayer final : public StreamLayer {
  public:
    explicit TlsLayer(std::shared_ptr<const Credentials> credentials)
        : credentials_(std::move(credentials)) {}
    ~TlsLayer() override {
        if (!session_) return;
        if (is_open_) (void)gnutls_bye(session_, GNUTLS_SHUT_WR); // where the kernel takes it
        gnutls_deinit(session_);
    }

    bool start_server(int fd) {
        if (!start(fd, GNUTLS_SERVER)) return false;
        gnutls_certificate_server_set_request(session_, GNUTLS_CERT_IGNORE);
        return true;
    }

    bool start_client(int fd, const std::string &host) {
        if (!start(fd, GNUTLS_CLIENT)) return false;
        host_ = host;
        gnutls_session_set_verify_cert(session_, host_.empty() ? nullptr : host_.c_str(), 0);
        // A number is no name that a server could be asked for (RFC 6066 section 3).
        return host_.empty() || is_number(host_) ||
               gnutls_server_name_set(session_, GNUTLS_NAME_DNS, host_.data(), host_.size()) == 0;
    }

    Progress handshake() override {
        int outcome;
        do {
            outcome = gnutls_handshake(session_);
        } while (outcome < 0 && outcome != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(outcome));
        if (outcome == GNUTLS_E_SUCCESS) {
            is_open_ = true;
            return Progress::done;
        }
        if (outcome == GNUTLS_E_AGAIN)
            return gnutls_record_get_direction(session_) == 0 ? Progress::wants_read
                                                              : Progress::wants_write;
        (void)gnutls_alert_send_appropriate(session_, outcome);
        return Progress::failed;
    }

    IoResult read(const iovec *pieces, int count) override {
        std::lock_guard<std::mutex> guard(mutex_);
        size_t total = 0;
        for (int i = 0; i < count; ++i) {
            auto *const to = static_cast<uint8_t *>(pieces[i].iov_base);
            for (size_t got = 0; got < pieces[i].iov_len;) {
                const ssize_t n = gnutls_record_recv(session_, to + got, pieces[i].iov_len - got);
                if (n > 0) {
                    got += size_t(n);
                    total += size_t(n);
                    continue;
                }
                if (n < 0 && n != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(int(n)) &&
                    n != GNUTLS_E_REHANDSHAKE)
                    continue;
                if (total == 0) return read_failure(n);
                // The end of TLS, of which the descriptor reports nothing: now it does, and the next
                // read says so.
                if (n != GNUTLS_E_AGAIN)
                    (void)::shutdown(gnutls_transport_get_int(session_), SHUT_RD);
                return moved(total);
            }
        }
        return moved(total);
    }

    IoResult write(const iovec *pieces, int count) override {
        std::lock_guard<std::mutex> guard(mutex_);
        size_t total = 0;
        if (has_begun_) { // its bytes are the first ones here
            const ssize_t n = send(nullptr, 0);
            if (n < 0) return write_failure(n);
            total = size_t(n); // fewer than were offered, where the peer wants small records
            has_begun_ = false;
        }
        uint8_t record[record_max];
        for (;;) {
            const size_t size = gather(pieces, count, total, record);
            if (size == 0) return moved(total);
            const ssize_t n = send(record, size);
            if (n >= 0) {
                total += size_t(n);
                continue;
            }
            has_begun_ = n == GNUTLS_E_AGAIN;
            return total > 0 ? moved(total) : write_failure(n);
        }
    }

    void end_writing() override {
        std::lock_guard<std::mutex> guard(mutex_);
        (void)gnutls_bye(session_, GNUTLS_SHUT_WR);
        is_open_ = false;
    }

  private:
    bool start(int fd, unsigned role) {
        if (gnutls_init(&session_, role | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0) {
            session_ = nullptr;
            return false;
        }
        gnutls_transport_set_int(session_, fd);
        gnutls_handshake_set_timeout(session_, GNUTLS_INDEFINITE_TIMEOUT); // the opening has a timer
        return gnutls_set_default_priority(session_) == 0 &&
               gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_->get()) == 0;
    }

    ssize_t send(const uint8_t *data, size_t size) {
        ssize_t n;
        do {
            n = gnutls_record_send(session_, data, size);
        } while (n == GNUTLS_E_INTERRUPTED);
        return n;
    }

    // What follows the first `skip` bytes, up to a record.
    static size_t gather(const iovec *pieces, int count, size_t skip, uint8_t *record) {
        size_t size = 0;
        for (int i = 0; i < count && size < record_max; ++i) {
            const size_t skipped = std::min(skip, pieces[i].iov_len);
            skip -= skipped;
            const size_t part = std::min(pieces[i].iov_len - skipped, record_max - size);
            if (part == 0) continue;
            std::memcpy(record + size, static_cast<const uint8_t *>(pieces[i].iov_base) + skipped,
                        part);
            size += part;
        }
        return size;
    }

    static IoResult moved(size_t count) { return {IoResult::Status::ok, count, err::none}; }
    IoResult write_failure(ssize_t n) {
        if (n == GNUTLS_E_AGAIN) return {IoResult::Status::would_block, 0, err::none};
        is_open_ = false;
        return {IoResult::Status::failed, 0, Error(EPROTO)};
    }
    // A peer that goes without a word of TLS has gone all the same: frames have lengths of their own.
    IoResult read_failure(ssize_t n) {
        if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
            return {IoResult::Status::closed, 0, err::none};
        return write_failure(n);
    }

    const std::shared_ptr<const Credentials> credentials_;
    std::string host_;
    std::mutex mutex_; // reading and writing share the session's state
    gnutls_session_t session_ = nullptr;
    bool has_begun_ = false; // a record that the kernel has not wholly taken
    bool is_open_ = false;
};

class TlsServerMaker final : public StreamLayerMaker {
  public:
    explicit TlsServerMaker(std::shared_ptr<const Credentials> credentials)
        : credentials_(std::move(credentials)) {}
    std::unique_ptr<StreamLayer> make(int fd) const override {
        auto layer = std::make_unique<TlsLayer>(credentials_);
        return layer->start_server(fd) ? std::move(layer) : nullptr;
    }

  private:
    const std::shared_ptr<const Credentials> credentials_;
};

class TlsClientMaker final : public StreamLayerMaker {
  public:
    TlsClientMaker(std::shared_ptr<const Credentials> credentials, std::string host)
        : credentials_(std::move(credentials)), host_(std::move(host)) {}
    std::unique_ptr<StreamLayer> make(int fd) const override {
        auto layer = std::make_unique<TlsLayer>(credentials_);
        return layer->start_client(fd, host_) ? std::move(layer) : nullptr;
    }

  private:
    const std::shared_ptr<const Credentials> credentials_;
    const std::string host_;
};

} // namespace

Result<std::shared_ptr<const StreamLayerMaker>> make_tls_server(const TransportOptions &options) {
    const auto credentials = std::make_shared<const Credentials>();
    if (!credentials->is_there()) return err::no_memory;
    const gnutls_datum_t certificate = datum(options.wss_cert_pem), key = datum(options.wss_key_pem);
    if (gnutls_certificate_set_x509_key_mem(credentials->get(), &certificate, &key,
                                            GNUTLS_X509_FMT_PEM) < 0)
        return err::invalid;
    return std::shared_ptr<const StreamLayerMaker>(std::make_shared<TlsServerMaker>(credentials));
}

Result<std::shared_ptr<const StreamLayerMaker>> make_tls_client(const TransportOptions &options) {
    const auto credentials = std::make_shared<const Credentials>();
    if (!credentials->is_there()) return err::no_memory;
    if (options.wss_trust_system)
        (void)gnutls_certificate_set_x509_system_trust(credentials->get()); // may be none
    const gnutls_datum_t trusted = datum(options.wss_trust_pem);
    if (!options.wss_trust_pem.empty() &&
        gnutls_certificate_set_x509_trust_mem(credentials->get(), &trusted, GNUTLS_X509_FMT_PEM) <= 0)
        return err::invalid;
    return std::shared_ptr<const StreamLayerMaker>(
        std::make_shared<TlsClientMaker>(credentials, options.wss_hostname));
}

} // namespace tern
