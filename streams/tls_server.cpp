#include "streams/tls_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "streams/tls_authorities.h"
#include "streams/tls_certificate_parts.h"
#include "streams/tls_offer.h"
#include "streams/tls_ticket_seal.h"

namespace sidestream {
namespace {

// For TLS 1.2; those of TLS 1.3 are all good. Forward secrecy and AEAD only.
constexpr const char* ciphers_of_tls_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";

bool show(SSL* ssl, const TlsCertificate& certificate) {
  const TlsCertificate::Parts& parts = certificate.parts();
  STACK_OF(X509)* issuers = sk_X509_new_null();
  if (issuers == nullptr) return false;
  for (const X509Owner& issuer : parts.issuers) sk_X509_push(issuers, issuer.get());
  constexpr int override_others = 1;
  const int done =
      SSL_use_cert_and_key(ssl, parts.leaf.get(), parts.key.get(), issuers, override_others);
  sk_X509_free(issuers);  // the list only
  return done == 1;
}

const TlsCertificate* certificate_for(const std::vector<TlsCertificate>& certificates,
                                      const std::optional<ServerName>& name) {
  if (name) {
    for (const std::optional<ServerName>& wanted : {name, name->wildcard()}) {
      if (!wanted) continue;
      for (const TlsCertificate& one : certificates)
        if (std::ranges::find(one.facts().names, wanted->text()) != one.facts().names.end())
          return &one;
    }
  }
  return certificates.empty() ? nullptr : &certificates.front();
}

std::string wire_form(const std::vector<std::string>& protocols) {
  std::string form;
  for (const std::string& protocol : protocols)
    form += static_cast<char>(protocol.size()) + protocol;
  return form;
}

}  // namespace

struct TlsServer::State {
  TlsServerSettings settings;
  const TlsTicketKeys& ticket_keys;
  std::string alpn = wire_form(settings.alpn);
  std::vector<TlsCertificate> certificates{};
  std::vector<TlsCertificate> challenges{};
  SslContextOwner context = owned<SslContextOwner>(SSL_CTX_new(TLS_server_method()));

  static State& of(SSL* ssl) {
    return *static_cast<State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }

  const TlsCertificate* challenge_for(SSL* ssl) const {
    const auto name = offered_name(ssl);
    if (challenges.empty() || !name) return nullptr;
    const auto found = std::ranges::find_if(
        challenges, [&](const TlsCertificate& one) { return one.covers(*name); });
    return found == challenges.end() ? nullptr : &*found;
  }

  static int on_client_hello(SSL* ssl, int* alert, void*) {
    const State& state = of(ssl);
    if (offers_only(ssl, acme_tls_alpn)) {
      // RFC 8737 section 3: nothing else may be agreed on, and no data carried.
      if (state.challenge_for(ssl) == nullptr) {
        *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
      }
      SSL_set_app_data(ssl, const_cast<State*>(&state));  // marks it
      SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
      SSL_set_options(ssl, SSL_OP_NO_TICKET);
    } else if (state.certificates.empty()) {
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  static int on_certificate(SSL* ssl, void*) {
    const State& state = of(ssl);
    const bool challenge = SSL_get_app_data(ssl) != nullptr;
    const TlsCertificate* certificate =
        challenge ? state.challenge_for(ssl)
                  : certificate_for(state.certificates, offered_name(ssl));
    return certificate != nullptr && show(ssl, *certificate) ? 1 : 0;
  }

  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                     const unsigned char* offered, unsigned offered_size, void*) {
    const State& state = of(ssl);
    const std::string own =
        SSL_get_app_data(ssl) != nullptr ? wire_form({std::string(acme_tls_alpn)}) : state.alpn;
    if (own.empty()) return SSL_TLSEXT_ERR_NOACK;
    unsigned char* selected = nullptr;
    const int outcome = SSL_select_next_proto(
        &selected, chosen_size, reinterpret_cast<const unsigned char*>(own.data()),
        static_cast<unsigned>(own.size()), offered, offered_size);
    if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    // What the peer offered stays where it is until the handshake is over; `own` does not.
    const std::string_view name(reinterpret_cast<const char*>(selected), *chosen_size);
    const std::string_view theirs(reinterpret_cast<const char*>(offered), offered_size);
    *chosen = offered + theirs.find(static_cast<char>(name.size()) + std::string(name)) + 1;
    return SSL_TLSEXT_ERR_OK;
  }

  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int seals) {
    const TlsTicketKeys& keys = of(ssl).ticket_keys;
    return seals == 1 ? seal_ticket(keys, name, iv, cipher, mac)
                      : open_ticket(keys, name, iv, cipher, mac);
  }

  void prepare() {
    SSL_CTX* const made = context.get();
    SSL_CTX_set_app_data(made, this);
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_cipher_list(made, ciphers_of_tls_1_2);
    char groups[] = "X25519:P-256:P-384";  // OpenSSL's macro takes no constant
    SSL_CTX_set1_groups_list(made, groups);
    SSL_CTX_set_max_early_data(made, 0);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(made, static_cast<long>(ticket_keys.limits().lifetime.count()));
    SSL_CTX_set_session_id_context(
        made, reinterpret_cast<const unsigned char*>(settings.session_context.data()),
        static_cast<unsigned>(settings.session_context.size()));
    SSL_CTX_set_client_hello_cb(made, &on_client_hello, nullptr);
    SSL_CTX_set_cert_cb(made, &on_certificate, nullptr);
    SSL_CTX_set_alpn_select_cb(made, &on_alpn, nullptr);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(made, &on_ticket);
  }
};

TlsServer::TlsServer(TlsServerSettings settings, const TlsTicketKeys& ticket_keys)
    : state_(std::make_unique<State>(std::move(settings), ticket_keys)) {
  state_->prepare();
}

TlsServer::~TlsServer() = default;

void TlsServer::set_certificates(std::vector<TlsCertificate> certificates) {
  state_->certificates = std::move(certificates);
}

const std::vector<TlsCertificate>& TlsServer::certificates() const {
  return state_->certificates;
}

std::expected<void, std::string> TlsServer::require_client_certificates(
    std::string_view authorities) {
  auto known = TlsAuthorities::parse(authorities);
  if (!known) return std::unexpected(known.error());
  SSL_CTX* const context = state_->context.get();
  SSL_CTX_set1_verify_cert_store(context, known->store());
  SSL_CTX_set0_CA_list(context, known->names());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

void TlsServer::set_challenges(std::vector<TlsCertificate> certificates) {
  state_->challenges = std::move(certificates);
}

bool TlsServer::has_challenges() const {
  return !state_->challenges.empty();
}

std::unique_ptr<TlsSession> TlsServer::accept() {
  SslOwner ssl = owned<SslOwner>(SSL_new(state_->context.get()));
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsSession>(std::move(ssl));
}

bool is_challenge(const TlsSession& session) {
  return SSL_get_app_data(session.ssl()) != nullptr;
}

}  // namespace sidestream
