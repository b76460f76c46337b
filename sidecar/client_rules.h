// Which clients a service takes: `allow` and `deny`, asked before a byte goes anywhere.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/ip_address.h"

namespace sidestream::sidecar {

// What is known of a client when its stream comes. Whatever else rules may ask for joins the
// address here.
struct ClientFacts {
  std::optional<IpAddress> address;  // none: the edge did not say it
};

// One entry of `allow` or `deny`: a network. An IPv4-mapped IPv6 network is the IPv4 network that
// it holds, so that there is one way to mean a client.
class ClientRule {
 public:
  explicit ClientRule(const IpPrefix& network);
  // `198.51.100.0/24`, `2001:db8::/32`, or an address alone. The error begins with the text in
  // quotes.
  static std::expected<ClientRule, std::string> parse(std::string_view text);

  [[nodiscard]] bool applies_to(const ClientFacts& client) const;
  // Whether it applies to everybody to whom the other one does.
  [[nodiscard]] bool covers(const ClientRule& other) const;
  [[nodiscard]] std::string text() const;
  bool operator==(const ClientRule&) const = default;

 private:
  IpPrefix network_;
};

struct ClientRules {
  static constexpr std::size_t rules_max = 1000;  // of either kind

  std::vector<ClientRule> allow;  // empty: everybody
  std::vector<ClientRule> deny;   // wins

  // A client of whom too little is known is taken only where there are no rules.
  [[nodiscard]] bool take(const ClientFacts& client) const;
  bool operator==(const ClientRules&) const = default;
};

}  // namespace sidestream::sidecar
