// Who may give certificates for a name, by its CAA records (RFC 8659, RFC 8657), and whether that
// leaves out everyone but us.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/dns_message.h"

namespace sidestream::cli {

struct CaaWish {
  std::string name{};
  // What the authority is called in CAA records; empty: it does not say, and any name may be its.
  std::vector<std::string> issuers{};
  std::string account{};               // its URL; empty: not known yet
  std::string method = "tls-alpn-01";  // by which we prove the name
};

struct CaaJudgement {
  enum class Kind : std::uint8_t {
    closed,     // only our account gets certificates
    open,       // others who hold the edge get them too
    forbidden,  // we do not
  };
  Kind kind;
  std::string why;  // the end of a sentence that begins with the name
};
// `records` are those that count for the name; empty: there are none.
[[nodiscard]] CaaJudgement judge_caa(std::span<const CaaRecord> records, const CaaWish& wish);

// The line that closes the door, as it stands in a zone file. The account must be known.
[[nodiscard]] std::string caa_line(const CaaWish& wish);

}  // namespace sidestream::cli
