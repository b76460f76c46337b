#include "streams/tls_client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "streams/ip_address.h"
#include "streams/tls_authorities.h"

namespace sidestream {

TlsClient::TlsClient(SslContextOwner context) : context_(std::move(context)) {}
TlsClient::TlsClient(TlsClient&&) noexcept = default;
TlsClient& TlsClient::operator=(TlsClient&&) noexcept = default;
TlsClient::~TlsClient() = default;

std::expected<TlsClient, std::string> TlsClient::make(const TlsClientSettings& settings) {
  auto trusted = settings.authorities ? TlsAuthorities::parse(*settings.authorities)
                                      : TlsAuthorities::of_system();
  if (!trusted) return std::unexpected(trusted.error());
  SslContextOwner context = owned<SslContextOwner>(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const made = context.get();
  SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set1_cert_store(made, trusted->store());
  // An authority in the middle that somebody has chosen to trust is enough.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(made), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
  SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  std::string alpn;
  for (const std::string& protocol : settings.alpn)
    alpn += static_cast<char>(protocol.size()) + protocol;
  if (!alpn.empty())
    SSL_CTX_set_alpn_protos(made, reinterpret_cast<const unsigned char*>(alpn.data()),
                            static_cast<unsigned>(alpn.size()));
  return TlsClient(std::move(context));
}

std::unique_ptr<TlsSession> TlsClient::connect(const std::string& host) const {
  SslOwner ssl = owned<SslOwner>(SSL_new(context_.get()));
  X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl.get());
  const auto address = IpAddress::parse(host);
  const bool known = address ? X509_VERIFY_PARAM_set1_ip_asc(rules, address->text().c_str()) == 1
                             : SSL_set1_host(ssl.get(), host.c_str()) == 1 &&
                                   SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  // Without a name to compare with, every certificate would do.
  if (host.empty() || !known) throw std::bad_alloc();
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set_connect_state(ssl.get());
  return std::make_unique<TlsSession>(std::move(ssl));
}

}  // namespace sidestream
