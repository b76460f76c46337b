// What ends TLS for the clients of one service: its certificates, its rules, its ticket keys.
//
// TLS 1.3 and 1.2 with forward secrecy; no compression, no renegotiation, no early data (0-RTT can
// be replayed). Sessions are resumed by tickets.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/tls_certificate.h"
#include "streams/tls_session.h"
#include "streams/tls_ticket_keys.h"

namespace sidestream {

struct TlsServerSettings {
  // RFC 7301, in the order of preference. A client that offers others only is refused, one that
  // offers none is served. Empty: whatever is offered stays unanswered.
  std::vector<std::string> alpn{};
  // Tells sessions of different servers apart; 1 to 32 bytes.
  std::string session_context = "sidestream";
};

// RFC 8737: the protocol of whoever validates that a name is ours.
inline constexpr std::string_view acme_tls_alpn = "acme-tls/1";

class TlsServer {
 public:
  // `ticket_keys` outlives it.
  TlsServer(TlsServerSettings settings, const TlsTicketKeys& ticket_keys);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // What new handshakes show; connections that live keep what they have. For a client's server
  // name the one that is for it (an exact name before a wildcard), else the first one. None:
  // clients are refused.
  void set_certificates(std::vector<TlsCertificate> certificates);
  [[nodiscard]] const std::vector<TlsCertificate>& certificates() const;

  // Only clients with a certificate of these authorities (PEM) are let in from now on; those that
  // were let in before stay. The error is one line for a person, and nothing has changed then.
  std::expected<void, std::string> require_client_certificates(std::string_view authorities);

  // What is shown to who asks for exactly this protocol by ALPN and for a name that it is for; such
  // a handshake carries no data. Nobody else sees it.
  void set_challenges(std::vector<TlsCertificate> certificates);
  [[nodiscard]] bool has_challenges() const;

  // The server's side of a new connection. The server outlives its handshake.
  [[nodiscard]] std::unique_ptr<TlsSession> accept();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether the handshake of a session was one for a challenge.
[[nodiscard]] bool is_challenge(const TlsSession& session);

// Checks authorities as require_client_certificates does; how many there are.
[[nodiscard]] std::expected<std::size_t, std::string> count_authorities(std::string_view pem);

}  // namespace sidestream
