// Asking an authority for a certificate: a new key, and the request that it signs (RFC 2986).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "streams/secret_text.h"
#include "streams/tls_certificate.h"

namespace sidestream {

struct TlsRequest {
  SecretText key;                 // PEM, P-256
  std::vector<std::uint8_t> der;  // the request
};

// For these DNS names, of which there is at least one.
[[nodiscard]] TlsRequest make_certificate_request(const std::vector<std::string>& names);

// How an authority calls a certificate when it is asked when to renew it (RFC 9773 section 4.1);
// empty: it has no authority's key identifier.
[[nodiscard]] std::string renewal_name(const TlsCertificate& certificate);

}  // namespace sidestream
