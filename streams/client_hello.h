// Reads a TLS ClientHello as it arrives, in any fragmentation over TCP segments and TLS records,
// in order to learn the server name and nothing else (RFC 8446 sections 4.1.2 and 5.1, RFC 6066
// section 3, RFC 7301). What is encrypted in it (ECH) stays unread: the outer name routes.
//
// The reading is strict, because what the edge reads must be what the server behind it reads: a
// hello with two server names, a NUL in one, or a record that is no part of it is malformed.
// It is not a judge of the rest: versions, cipher suites and other extensions are not looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/bytes.h"
#include "streams/server_name.h"

namespace sidestream {

struct ClientHelloLimits {
  std::size_t hello_bytes_max = 64UL * 1024;  // of the message; post-quantum ones have about 2,000
  // Any hello of today in records of one byte. Their headers are forwarded too: 20 KB at most.
  std::size_t records_max = 4096;
  std::size_t alpn_max = 16;  // protocols that are kept; the rest is checked and forgotten
};

struct ClientHello {
  // None: the client sent no name, or an IPv6 literal, which is no host name (RFC 6066).
  std::optional<ServerName> server_name;
  std::vector<std::string> alpn;  // in the client's order; any bytes
};

// Whether it offers nothing but the protocol by which an authority looks at a name (RFC 8737
// section 3). That is a claim: anybody can say so.
[[nodiscard]] bool is_for_challenge(const ClientHello& hello);

class ClientHelloParser {
 public:
  enum class Verdict : std::uint8_t {
    need_more,
    hello,
    not_tls,    // decided at the first byte, or at the second
    malformed,  // began as TLS, and no TLS library would go on either
    too_large,
  };

  explicit ClientHelloParser(const ClientHelloLimits& limits = {}) : limits_(limits) {}

  // The next bytes of the stream. Once the verdict is not need_more it stays. Bytes behind the
  // hello's last record (early data) are not looked at. Nothing is kept of the records' framing:
  // the caller forwards the bytes that it has read.
  Verdict feed(Bytes bytes);

  [[nodiscard]] Verdict verdict() const { return verdict_; }
  // Valid when the verdict is hello.
  [[nodiscard]] const ClientHello& hello() const { return hello_; }
  // What was wrong, for a log line; empty unless malformed or too_large.
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  static constexpr std::size_t record_header_bytes = 5;
  static constexpr std::size_t message_header_bytes = 4;

  void feed_record_header(std::uint8_t byte);
  void check_message_header();
  void parse_message();
  bool parse_extensions(ByteReader extensions);
  bool parse_server_name(Bytes extension);
  bool parse_alpn(Bytes extension);
  bool fail(Verdict verdict, std::string_view why);
  [[nodiscard]] std::size_t message_bytes_missing() const;

  ClientHelloLimits limits_;
  Verdict verdict_ = Verdict::need_more;
  std::string_view why_;
  ClientHello hello_;

  std::array<std::uint8_t, record_header_bytes> record_header_{};
  std::size_t record_header_used_ = 0;
  std::size_t record_bytes_left_ = 0;
  std::size_t records_ = 0;
  std::vector<std::uint8_t> message_;  // the handshake message without record headers
  std::size_t message_bytes_ = 0;      // its whole length, once its header was read
};

}  // namespace sidestream
