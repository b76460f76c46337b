// What goes to a TLS server and trusts it only when its certificate is good: there is no way to
// leave verification out.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/tls_session.h"

namespace sidestream {

struct TlsClientSettings {
  // Authorities in PEM that are trusted instead of the system's; a certificate among them that
  // signed itself is trusted as it is.
  std::optional<std::string> authorities{};
  std::vector<std::string> alpn{};  // offered; empty: none
};

class TlsClient {
 public:
  // The error is one line for a person.
  static std::expected<TlsClient, std::string> make(const TlsClientSettings& settings);
  TlsClient(TlsClient&&) noexcept;
  TlsClient& operator=(TlsClient&&) noexcept;
  ~TlsClient();

  // The client's side of a new connection to a server that has to show a certificate for `host`, a
  // name or an address in text form. A name is sent as server name (RFC 6066).
  [[nodiscard]] std::unique_ptr<TlsSession> connect(const std::string& host) const;

 private:
  explicit TlsClient(SslContextOwner context);
  SslContextOwner context_;
};

}  // namespace sidestream
