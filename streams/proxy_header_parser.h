// Reads a PROXY header of either version as it arrives. Only for streams from a sender that is
// trusted to say who the client is: anyone else can write anything there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "streams/bytes.h"
#include "streams/proxy_header.h"

namespace sidestream {

struct ProxyHeaderLimits {
  std::size_t v2_bytes_max = 4096;  // of the whole header; the format itself allows 65551
  // NGINX writes TCP6 with an IPv4 address when the two families differ. The specification does
  // not know that.
  bool mixed_families_in_v1 = false;
};

class ProxyHeaderParser {
 public:
  enum class Verdict : std::uint8_t {
    need_more,
    header,
    not_proxy,  // decided at the first byte that neither signature has there
    malformed,
    too_large,
  };
  struct Fed {
    Verdict verdict;
    std::size_t consumed;  // how many of the bytes belong to the header; the rest is payload
  };

  explicit ProxyHeaderParser(const ProxyHeaderLimits& limits = {}) : limits_(limits) {}

  // The next bytes of the stream. Once the verdict is not need_more it stays, and nothing more is
  // consumed.
  Fed feed(Bytes bytes);

  [[nodiscard]] Verdict verdict() const { return verdict_; }
  // Whether a byte has come.
  [[nodiscard]] bool begun() const { return !seen_.empty(); }
  // Valid when the verdict is header.
  [[nodiscard]] const ProxyHeader& header() const { return header_; }
  // What was wrong, for a log line; empty unless malformed or too_large.
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  void feed_byte(std::uint8_t byte);
  void feed_v1_byte();
  void feed_v2_byte();
  void parse_v1_line(std::string_view line);
  void parse_v2_header();
  bool parse_v2_addresses(ByteReader& body);
  bool parse_v2_tlvs(ByteReader tlvs);
  [[nodiscard]] bool crc32c_matches(std::size_t offset, std::size_t bytes) const;
  bool fail(Verdict verdict, std::string_view why);

  ProxyHeaderLimits limits_;
  Verdict verdict_ = Verdict::need_more;
  std::string_view why_;
  ProxyHeader header_;
  std::vector<std::uint8_t> seen_;
  std::size_t v2_bytes_ = 0;  // the whole header's length, once known
};

}  // namespace sidestream
