// Both ends of TLS in memory, and what is between them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "streams/tls_client.h"
#include "streams/tls_self_signed.h"
#include "streams/tls_server.h"
#include "tests/support/seeded_random.h"

namespace sidestream {

inline constexpr WallTime tls_test_time = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

// Certificate and key in one PEM.
inline std::string self_signed_pem(const std::string& name, WallTime now = tls_test_time) {
  std::array<std::uint8_t, 16> serial{1, 2, 3};
  return std::string(make_self_signed(name, now, serial).reveal());
}

inline TlsCertificate certificate_of(const std::string& pem) {
  auto certificate = TlsCertificate::parse(pem, pem);
  if (!certificate) throw std::logic_error(certificate.error());
  return std::move(*certificate);
}

inline std::string everything_from(TlsSession& session) {
  std::string text(1024 * 1024, '\0');
  text.resize(session.read({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  return text;
}

class TlsPair {
 public:
  static constexpr const char* host = "home.example.com";

  explicit TlsPair(TlsServerSettings settings = {}, std::vector<std::string> client_alpn = {})
      : server_(std::move(settings), keys_),
        client_(std::move(*TlsClient::make({.authorities = pem_, .alpn = client_alpn}))) {
    std::vector<TlsCertificate> certificates;
    certificates.push_back(certificate_of(pem_));
    server_.set_certificates(std::move(certificates));
    begin();
  }

  // A new connection.
  void begin(const std::string& name = host) {
    near = client_.connect(name);
    far = server_.accept();
  }

  // Whether both finish.
  bool shake_hands(std::size_t at_once = 1U << 20U) {
    using Progress = TlsSession::Progress;
    for (int flight = 0; flight < 10; ++flight) {
      const Progress left = near->handshake();
      deliver(*near, *far, at_once);
      const Progress right = far->handshake();
      deliver(*far, *near, at_once);
      if (left == Progress::failed || right == Progress::failed) return false;
      if (left == Progress::done && right == Progress::done) return true;
    }
    return false;
  }

  // Carries what one side has to say to the other, `at_once` bytes at a time.
  static void deliver(TlsSession& from, TlsSession& to, std::size_t at_once) {
    const auto records = from.poll_transmit();
    for (Bytes rest(records); !rest.empty();) {
      const Bytes part = rest.first(std::min(at_once, rest.size()));
      to.feed(part);
      while (to.has_input() && to.problem().empty()) {
        const auto progress = to.handshake();
        // What follows a finished handshake: tickets, alerts.
        if (progress == TlsSession::Progress::done) to.look();
        if (progress == TlsSession::Progress::failed) return;
      }
      rest = rest.subspan(part.size());
    }
  }

  // What arrives at `to` of what `from` has to say.
  static std::string transfer(TlsSession& from, TlsSession& to, std::size_t at_once = 1U << 20U) {
    std::string text;
    const auto records = from.poll_transmit();
    for (Bytes rest(records); !rest.empty();) {
      const Bytes part = rest.first(std::min(at_once, rest.size()));
      to.feed(part);
      do {
        text += everything_from(to);
      } while (to.look() == TlsSession::Readable::bytes);
      rest = rest.subspan(part.size());
    }
    return text;
  }

  [[nodiscard]] TlsServer& server() { return server_; }
  [[nodiscard]] SeededRandom& random() { return random_; }
  [[nodiscard]] TlsTicketKeys& keys() { return keys_; }
  [[nodiscard]] const std::string& pem() const { return pem_; }

  std::unique_ptr<TlsSession> near;  // the client's
  std::unique_ptr<TlsSession> far;   // the server's

 private:
  SeededRandom random_{1};
  TlsTicketKeys keys_{random_};
  std::string pem_ = self_signed_pem(host);
  TlsServer server_;
  TlsClient client_;
};

}  // namespace sidestream
