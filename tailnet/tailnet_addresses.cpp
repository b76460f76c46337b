#include "tailnet/tailnet_addresses.h"

#include <algorithm>

namespace sidestream::tailnet {
namespace {

bool in(const IpAddress& address, std::string_view prefix) {
  return IpPrefix::parse(prefix)->contains(address.unmapped());
}

}  // namespace

bool is_carrier_range(const IpAddress& address) {
  return in(address, "100.64.0.0/10");
}

bool is_tailnet_range(const IpAddress& address) {
  return (is_carrier_range(address) && !in(address, "100.115.92.0/23")) ||
         in(address, "fd7a:115c:a1e0::/48");
}

std::vector<InterfaceAddress> carrier_addresses(const std::vector<InterfaceAddress>& all,
                                                const std::vector<IpAddress>& own) {
  std::vector<InterfaceAddress> found;
  for (const InterfaceAddress& one : all) {
    const bool is_own = std::ranges::find(own, one.address) != own.end();
    // Without the daemon's word the name is what tells.
    const bool by_name = own.empty() && one.interface.starts_with("tailscale");
    if (is_carrier_range(one.address) && !is_own && !by_name) found.push_back(one);
  }
  return found;
}

}  // namespace sidestream::tailnet
