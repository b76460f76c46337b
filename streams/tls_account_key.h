// The key of an ACME account: ES256, that is ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4),
// and the other sums that ACME is made of.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "streams/bytes.h"
#include "streams/secret_text.h"
#include "streams/tls_openssl.h"

namespace sidestream {

class TlsAccountKey {
 public:
  static TlsAccountKey generate();
  // PEM. The error is one line for a person and shows nothing of the key.
  static std::expected<TlsAccountKey, std::string> parse(std::string_view pem);
  [[nodiscard]] SecretText pem() const;

  // The signature as JWS wants it: r and s, 32 bytes each.
  [[nodiscard]] std::array<std::uint8_t, 64> sign(std::string_view text) const;
  // The public key as a JSON Web Key, its members in the order of RFC 7638.
  [[nodiscard]] std::string jwk() const;
  // RFC 7638, in base 64 for URLs.
  [[nodiscard]] std::string thumbprint() const;

 private:
  explicit TlsAccountKey(KeyOwner key) : key_(std::move(key)) {}
  KeyOwner key_;
};

[[nodiscard]] std::array<std::uint8_t, 32> sha256_of(std::string_view text);
[[nodiscard]] std::array<std::uint8_t, 32> hmac_sha256(Bytes key, std::string_view text);

}  // namespace sidestream
