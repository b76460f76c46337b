#include "streams/tls_probe.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <new>

namespace sidestream {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

}  // namespace

struct TlsProbe::Session {
  std::unique_ptr<SSL_CTX, FreeContext> context{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, FreeSsl> ssl;
  BIO* received = nullptr;     // owned by ssl
  BIO* to_transmit = nullptr;  // owned by ssl

  Verdict advance(std::string& reason) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl.get());
    if (result == 1) return Verdict::speaks_tls;
    if (SSL_get_error(ssl.get(), result) == SSL_ERROR_WANT_READ) return Verdict::need_more;
    const char* why = ERR_reason_error_string(ERR_peek_last_error());
    reason = why != nullptr ? why : "the handshake ended early";
    ERR_clear_error();
    return Verdict::failed;
  }
};

TlsProbe::TlsProbe(std::string_view server_name) : session_(std::make_unique<Session>()) {
  if (!session_->context) throw std::bad_alloc();
  SSL_CTX_set_verify(session_->context.get(), SSL_VERIFY_NONE, nullptr);
  // An old server is alive as well.
  SSL_CTX_set_min_proto_version(session_->context.get(), TLS1_2_VERSION);
  session_->ssl.reset(SSL_new(session_->context.get()));
  session_->received = BIO_new(BIO_s_mem());
  session_->to_transmit = BIO_new(BIO_s_mem());
  if (!session_->ssl || session_->received == nullptr || session_->to_transmit == nullptr)
    throw std::bad_alloc();
  SSL_set_bio(session_->ssl.get(), session_->received, session_->to_transmit);
  SSL_set_connect_state(session_->ssl.get());
  if (!server_name.empty())
    SSL_set_tlsext_host_name(session_->ssl.get(), std::string(server_name).c_str());
  session_->advance(reason_);
}

TlsProbe::~TlsProbe() = default;

std::vector<std::uint8_t> TlsProbe::poll_transmit() {
  std::vector<std::uint8_t> bytes(BIO_ctrl_pending(session_->to_transmit));
  if (bytes.empty()) return bytes;
  const int read = BIO_read(session_->to_transmit, bytes.data(), static_cast<int>(bytes.size()));
  bytes.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  return bytes;
}

TlsProbe::Verdict TlsProbe::feed(Bytes received) {
  BIO_write(session_->received, received.data(), static_cast<int>(received.size()));
  return session_->advance(reason_);
}

}  // namespace sidestream
