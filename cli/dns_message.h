// Asking a name server one question and reading its answer (RFC 1035 section 4, RFC 8659), as far
// as the doctor has to: addresses, and who may give certificates.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "streams/server_name.h"

namespace sidestream::cli {

enum class DnsType : std::uint16_t { a = 1, aaaa = 28, caa = 257 };

struct CaaRecord {
  bool critical = false;
  std::string tag;    // lower case: `issue`, `issuewild`, `iodef`, …
  std::string value;  // as it is, any bytes
  bool operator==(const CaaRecord&) const = default;
};

struct DnsAnswer {
  static constexpr unsigned no_such_name = 3;

  unsigned code = 0;  // 0: good
  bool truncated = false;
  std::vector<IpAddress> addresses{};  // also those behind an alias
  std::vector<CaaRecord> caa{};
  bool operator==(const DnsAnswer&) const = default;
};

// A query with recursion, and room for answers of 1232 bytes (RFC 6891). `name` is no wildcard.
[[nodiscard]] std::vector<std::uint8_t> serialize_dns_query(std::uint16_t id,
                                                            const ServerName& name, DnsType type);
// The error is the end of a sentence. An answer to another question is one.
[[nodiscard]] std::expected<DnsAnswer, std::string> parse_dns_answer(Bytes message,
                                                                     std::uint16_t id,
                                                                     const ServerName& name,
                                                                     DnsType type);

}  // namespace sidestream::cli
