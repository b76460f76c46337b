#include "edge/tunnel_network.h"

#include <algorithm>
#include <array>

#include "control/ticket.h"

namespace sidestream::edge {
namespace {

using control::TicketLimits;

struct Taken {
  std::string_view network;
  std::string_view why;
};
// Networks that would meet something else on the same machines.
constexpr std::array<Taken, 8> taken_networks{{{"100.64.0.0/10", "tailnets and carriers use it"},
                                               {"fd7a:115c:a1e0::/48", "tailnets use it"},
                                               {"0.0.0.0/8", "it has no hosts"},
                                               {"127.0.0.0/8", "it never leaves a machine"},
                                               {"169.254.0.0/16", "it never leaves a link"},
                                               {"224.0.0.0/3", "it has no hosts"},
                                               {"fe80::/10", "it never leaves a link"},
                                               {"ff00::/8", "it has no hosts"}}};

bool overlaps(const IpPrefix& left, const IpPrefix& right) {
  return left.contains(right.address()) || right.contains(left.address());
}

bool has_host_bits(const IpPrefix& network, const IpAddress& address) {
  return network.address() != address;
}

unsigned host_bits(const IpPrefix& network) {
  return network.address().bits() - network.length();
}

}  // namespace

std::expected<IpPrefix, std::string> parse_tunnel_network(std::string_view text) {
  const auto network = IpPrefix::parse(text);
  if (!network || !text.contains('/'))
    return std::unexpected("expected a network such as 10.86.0.0/24");
  const auto written = IpAddress::parse(text.substr(0, text.find('/')));
  if (written && has_host_bits(*network, *written))
    return std::unexpected("this is an address in a network; write the network, " +
                           network->text());
  const bool v6 = network->address().is_v6();
  const unsigned min = v6 ? TicketLimits::v6_prefix_min : TicketLimits::v4_prefix_min;
  const unsigned max = v6 ? TicketLimits::v6_prefix_max : TicketLimits::v4_prefix_max;
  if (network->length() < min || network->length() > max)
    return std::unexpected("the prefix must be from /" + std::to_string(min) + " to /" +
                           std::to_string(max));
  for (const Taken& taken : taken_networks)
    if (overlaps(*network, *IpPrefix::parse(taken.network)))
      return std::unexpected("must not overlap " + std::string(taken.network) + ", since " +
                             std::string(taken.why) + "; take one such as 10.86.0.0/24");
  if (v6 && *network == IpPrefix(IpAddress::v6({}), network->length()))
    return std::unexpected("this is the unspecified network; take one such as fd86::/64");
  return *network;
}

IpAddress edge_address_in(const IpPrefix& network) {
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(network.address().bytes(), bytes.begin());
  if (network.address().is_v6()) {
    bytes[15] |= 1U;
    return IpAddress::v6(bytes);
  }
  return IpAddress::v4(network.address().v4_host_order() | 1U);
}

std::string sidecar_address_problem(const IpPrefix& network, const IpAddress& address) {
  if (!network.contains(address)) return "is not in the tunnel's network " + network.text();
  if (address == edge_address_in(network)) return "is the edge's own address";
  if (address == network.address()) return "is the network's own address";
  const bool is_broadcast = address.is_v4() && address.v4_host_order() ==
                                                   (network.address().v4_host_order() |
                                                    ((std::uint32_t{1} << host_bits(network)) - 1));
  return is_broadcast ? "is the network's broadcast address" : "";
}

std::uint32_t sidecar_addresses_in(const IpPrefix& network) {
  const unsigned bits = host_bits(network);
  if (bits > 31) return std::uint32_t{1} << 31U;
  // Without the network itself, the edge and, in IPv4, broadcast.
  return (std::uint32_t{1} << bits) - (network.address().is_v4() ? 3 : 2);
}

}  // namespace sidestream::edge
