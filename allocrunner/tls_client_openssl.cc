#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "allocrunner/tls_client.h"

namespace gaggle::allocrunner {

namespace {

template <auto kFree>
struct Freed {
    template <class T>
    void operator()(T* what) const {
        kFree(what);
    }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL_free>>;

/// The newest reason in OpenSSL's queue of this thread, which is emptied.
std::string last_reason() {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == nullptr ? "no reason given" : reason;
}

/// Made with the first check over https; nobody else pays for it.
SSL_CTX* shared_context() {
    static const Context kContext = [] {
        Context made(SSL_CTX_new(TLS_client_method()));
        if (!made) return made;
        SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
        SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
        SSL_CTX_set_default_verify_paths(made.get());
        return made;
    }();
    return kContext.get();
}

bool expects(SSL* session, const CheckTls& tls, const std::string& host) {
    if (!tls.server_name.empty() && SSL_set_tlsext_host_name(session, tls.server_name.c_str()) != 1)
        return false;
    if (tls.skip_verify) return true;
    SSL_set_verify(session, SSL_VERIFY_PEER, nullptr);
    if (!tls.server_name.empty()) return SSL_set1_host(session, tls.server_name.c_str()) == 1;
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
}

}  // namespace

struct TlsClient::Impl {
    Session session;
    BIO* in = nullptr;  ///< both are the session's
    BIO* out = nullptr;
    std::string waiting;  ///< to be said after the handshake
    std::string text;

    Result<void> advance() {
        ERR_clear_error();
        if (!SSL_is_init_finished(session.get())) {
            const int done = SSL_do_handshake(session.get());
            if (done != 1) return judge(done, "its TLS handshake failed");
        }
        if (!waiting.empty()) {
            const int said =
                SSL_write(session.get(), waiting.data(), static_cast<int>(waiting.size()));
            if (said <= 0) return judge(said, "TLS failed while the request was sent");
            waiting.clear();
        }
        for (;;) {
            char bytes[4096];
            const int got = SSL_read(session.get(), bytes, sizeof bytes);
            if (got <= 0) return judge(got, "TLS failed while the answer was read");
            text.append(bytes, static_cast<std::size_t>(got));
        }
    }

    /// Wanting more bytes is no failure, and neither is a server that has said all.
    Result<void> judge(int result, const char* what) {
        const int error = SSL_get_error(session.get(), result);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ||
            error == SSL_ERROR_ZERO_RETURN)
            return {};
        const long verdict = SSL_get_verify_result(session.get());
        if (verdict != X509_V_OK && !SSL_is_init_finished(session.get())) {
            ERR_clear_error();
            return {Errc::denied, std::string("its certificate was not accepted: ") +
                                      X509_verify_cert_error_string(verdict)};
        }
        return {Errc::corrupt, std::string(what) + ": " + last_reason()};
    }
};

TlsClient::TlsClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsClient::TlsClient(TlsClient&&) noexcept = default;
TlsClient& TlsClient::operator=(TlsClient&&) noexcept = default;
TlsClient::~TlsClient() = default;

Result<TlsClient> TlsClient::open(const CheckTls& tls, const std::string& host) {
    auto impl = std::make_unique<Impl>();
    SSL_CTX* context = shared_context();
    impl->session.reset(context == nullptr ? nullptr : SSL_new(context));
    impl->in = BIO_new(BIO_s_mem());
    impl->out = BIO_new(BIO_s_mem());
    if (!impl->session || impl->in == nullptr || impl->out == nullptr) {
        BIO_free(impl->in);
        BIO_free(impl->out);
        return Error{Errc::unavailable, "begin TLS: " + last_reason()};
    }
    SSL_set_bio(impl->session.get(), impl->in, impl->out);
    if (!expects(impl->session.get(), tls, host))
        return Error{Errc::invalid, "\"" + (tls.server_name.empty() ? host : tls.server_name) +
                                        "\" cannot be the name of a TLS server"};
    SSL_set_connect_state(impl->session.get());
    TRY(impl->advance());
    return TlsClient(std::move(impl));
}

Result<void> TlsClient::say(std::string text) {
    INVARIANT(impl_->waiting.empty());
    impl_->waiting = std::move(text);
    return impl_->advance();
}

Result<void> TlsClient::receive(std::string_view bytes) {
    BIO_write(impl_->in, bytes.data(), static_cast<int>(bytes.size()));
    return impl_->advance();
}

bool TlsClient::established() const { return SSL_is_init_finished(impl_->session.get()) == 1; }

std::string TlsClient::take_outgoing() {
    std::string bytes(BIO_ctrl_pending(impl_->out), '\0');
    const int got = BIO_read(impl_->out, bytes.data(), static_cast<int>(bytes.size()));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

std::string TlsClient::take_text() { return std::exchange(impl_->text, {}); }

}  // namespace gaggle::allocrunner
