// Which addresses a tailnet can have (net/tsaddr of Tailscale; headscale takes parts of the same).
// Carriers number their customers out of the same IPv4 block (RFC 6598), so that an address in it
// is no proof of a tailnet.
#pragma once

#include <string>
#include <vector>

#include "streams/ip_address.h"

namespace sidestream::tailnet {

// 100.64.0.0/10 without 100.115.92.0/23, or fd7a:115c:a1e0::/48.
[[nodiscard]] bool is_tailnet_range(const IpAddress& address);
// RFC 6598.
[[nodiscard]] bool is_carrier_range(const IpAddress& address);

struct InterfaceAddress {
  std::string interface;
  IpAddress address;
};

// Those in the carriers' block that are not the tailnet's: of interfaces that are not the daemon's.
// `own` are the daemon's addresses.
[[nodiscard]] std::vector<InterfaceAddress> carrier_addresses(
    const std::vector<InterfaceAddress>& all, const std::vector<IpAddress>& own);

}  // namespace sidestream::tailnet
