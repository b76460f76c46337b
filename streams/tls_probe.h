// Asks whether the other side speaks TLS, by going through a handshake over memory: a packet
// machine for health checks. It deliberately does not verify the certificate: whether to trust it
// is for the clients to decide, who see the same one. Carries no data, ever.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streams/bytes.h"

namespace sidestream {

class TlsProbe {
 public:
  enum class Verdict { need_more, speaks_tls, failed };

  // `server_name` is sent as SNI; empty: none is sent.
  explicit TlsProbe(std::string_view server_name);
  ~TlsProbe();
  TlsProbe(const TlsProbe&) = delete;
  TlsProbe& operator=(const TlsProbe&) = delete;

  // What is to be sent now; empty when there is nothing.
  [[nodiscard]] std::vector<std::uint8_t> poll_transmit();
  Verdict feed(Bytes received);
  // Why it failed, for a person.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  struct Session;
  std::unique_ptr<Session> session_;
  std::string reason_;
};

}  // namespace sidestream
