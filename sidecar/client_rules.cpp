#include "sidecar/client_rules.h"

#include <algorithm>

#include "control/ban_list.h"
#include "streams/message_text.h"

namespace sidestream::sidecar {
namespace {

std::string plain_text(const IpPrefix& network) {
  return network.length() == network.address().bits() ? network.address().text() : network.text();
}

}  // namespace

ClientRule::ClientRule(const IpPrefix& network) : network_(control::unmapped(network)) {}

std::expected<ClientRule, std::string> ClientRule::parse(std::string_view text) {
  const auto network = IpPrefix::parse(text);
  if (!network)
    return std::unexpected(in_quotes(text) +
                           ": expected a network such as 198.51.100.0/24 or 2001:db8::/32, or an "
                           "address");
  const auto address = IpAddress::parse(text.substr(0, text.find('/')));
  if (address != network->address())
    return std::unexpected(in_quotes(text) +
                           ": this is an address in a network; write the network, " +
                           network->text() + ", or the address alone, " + address->text());
  return ClientRule(*network);
}

bool ClientRule::applies_to(const ClientFacts& client) const {
  return client.address && network_.contains(client.address->unmapped());
}

bool ClientRule::covers(const ClientRule& other) const {
  return network_.length() <= other.network_.length() &&
         network_.contains(other.network_.address());
}

std::string ClientRule::text() const {
  return plain_text(network_);
}

bool ClientRules::take(const ClientFacts& client) const {
  if (allow.empty() && deny.empty()) return true;
  if (!client.address) return false;
  const auto applies = [&client](const ClientRule& rule) { return rule.applies_to(client); };
  return std::ranges::none_of(deny, applies) &&
         (allow.empty() || std::ranges::any_of(allow, applies));
}

}  // namespace sidestream::sidecar
