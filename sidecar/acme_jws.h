// The signed envelope of every ACME request (RFC 8555 section 6.2, RFC 7515).
#pragma once

#include <string>
#include <string_view>

#include "streams/secret_text.h"
#include "streams/tls_account_key.h"

namespace sidestream::sidecar {

struct AcmeEnvelope {
  std::string_view url;
  std::string_view nonce;
  std::string_view account;  // its URL; empty: it has none yet, and the public key is sent
  std::string_view payload;  // JSON; empty: POST-as-GET
};
[[nodiscard]] std::string seal_envelope(const TlsAccountKey& key, const AcmeEnvelope& envelope);

// What an authority gives to those who have an account with it elsewhere (section 7.3.4).
struct AcmeBinding {
  std::string key_id;
  SecretText key;  // base 64 for URLs
  bool operator==(const AcmeBinding&) const = default;
};
// As JSON, for newAccount at `url`. `binding.key` must be in base 64.
[[nodiscard]] std::string seal_binding(const AcmeBinding& binding, const TlsAccountKey& account,
                                       std::string_view url);

}  // namespace sidestream::sidecar
