// A certificate chain with its private key, as a TLS server shows it.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "streams/server_name.h"
#include "streams/time.h"

namespace sidestream {

struct TlsCertificateFacts {
  std::vector<std::string> names;  // the DNS names it is for (subjectAltName only)
  WallTime not_before;
  WallTime not_after;
  std::array<std::uint8_t, 32> sha256{};  // of the leaf in DER: what wallets pin
  bool self_signed = false;
};

class TlsCertificate {
 public:
  static constexpr std::size_t chain_length_max = 16;

  // Both in PEM: the leaf first, then those that issued it; the leaf's key without a passphrase.
  // Whether it is valid today is not asked. The error says in one line what is wrong and what to
  // do; it shows nothing of a key.
  static std::expected<TlsCertificate, std::string> parse(std::string_view chain,
                                                          std::string_view key);
  TlsCertificate(TlsCertificate&&) noexcept;
  TlsCertificate& operator=(TlsCertificate&&) noexcept;
  ~TlsCertificate();

  [[nodiscard]] const TlsCertificateFacts& facts() const { return facts_; }
  // Whether clients that ask for the name accept it. Of a wildcard: whether it is for the wildcard.
  [[nodiscard]] bool covers(const ServerName& name) const;

  struct Parts;  // OpenSSL's
  [[nodiscard]] const Parts& parts() const { return *parts_; }

 private:
  TlsCertificate();

  std::unique_ptr<Parts> parts_;
  TlsCertificateFacts facts_;
};

// Groups of two hexadecimal digits with colons, as openssl and browsers print it.
[[nodiscard]] std::string fingerprint_text(const std::array<std::uint8_t, 32>& sha256);

}  // namespace sidestream
