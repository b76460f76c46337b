// The kernel's interfaces, addresses and routes, by rtnetlink (rtnetlink(7)). Errors are
// system_error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "streams/ip_address.h"

namespace sidestream::tunnel {

struct InterfaceFacts {
  int index = 0;
  std::string kind;   // "wireguard", …; empty: a device
  std::string alias;  // what its maker wrote on it
};
[[nodiscard]] std::optional<InterfaceFacts> find_interface(const std::string& name);

struct InterfaceAddress {
  int index = 0;  // of the interface
  IpAddress address;
};
[[nodiscard]] std::vector<InterfaceAddress> interface_addresses();

void set_interface_alias(int index, const std::string& alias);
void bring_interface_up(int index, std::size_t mtu);
// Alone, without its network.
void add_interface_address(int index, const IpAddress& address);
// Through the interface, without a gateway. Adding one that is there already throws file_exists,
// removing one that is not there is nothing.
void add_interface_route(int index, const IpPrefix& to);
void remove_interface_route(int index, const IpPrefix& to) noexcept;

}  // namespace sidestream::tunnel
