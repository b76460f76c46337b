// The fatal alerts that a router sends to a TLS client instead of a handshake (RFC 8446 section
// 6), as whole records. Nothing of TLS is spoken besides.
#pragma once

#include <array>
#include <cstdint>

namespace sidestream {

// RFC 8446 section 6.2.
enum class TlsAlert : std::uint8_t {
  handshake_failure = 40,
  decode_error = 50,
  unrecognized_name = 112,
};

// A record of type alert with the legacy version of TLS 1.2, which every client reads.
[[nodiscard]] constexpr std::array<std::uint8_t, 7> serialize_tls_alert(TlsAlert alert) {
  constexpr std::uint8_t content_type_alert = 21;
  constexpr std::uint8_t level_fatal = 2;
  return {content_type_alert, 3, 3, 0, 2, level_fatal, static_cast<std::uint8_t>(alert)};
}

}  // namespace sidestream
