// What a PostgreSQL client says before its ClientHello: it asks whether the server speaks TLS
// (SSLRequest) or GSSAPI encryption (GSSENCRequest), and waits for one byte. PostgreSQL's manual,
// sections "SSL Session Encryption", "GSSAPI Session Encryption" and "Message Formats".
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "streams/bytes.h"

namespace sidestream {

// Both requests are their length, 8, and a number that is no version of the protocol.
inline constexpr std::array<std::uint8_t, 8> postgres_ssl_request{0,    0,    0,    8,
                                                                  0x04, 0xd2, 0x16, 0x2f};
inline constexpr std::array<std::uint8_t, 8> postgres_gss_request{0,    0,    0,    8,
                                                                  0x04, 0xd2, 0x16, 0x30};
inline constexpr std::uint8_t postgres_willing = 'S';
inline constexpr std::uint8_t postgres_unwilling = 'N';

// The server's side of it, with TLS and without GSSAPI.
class PostgresOpening {
 public:
  enum class Verdict : std::uint8_t {
    need_more,
    // Answer postgres_unwilling and go on feeding: the client asks for something else now.
    gss_request,
    ssl_request,  // answer postgres_willing; everything behind that is TLS
    // Not a request: bytes() belong to whatever else the stream carries.
    other,
    // Bytes came behind a request and before its answer, which no client sends and somebody on the
    // way may have put there (CVE-2021-23222).
    premature,
  };

  // The next bytes of the stream. Not after ssl_request, other or premature.
  Verdict feed(Bytes received);
  // What was fed and is part of no request that was answered.
  [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
  bool gss_refused_ = false;
};

}  // namespace sidestream
