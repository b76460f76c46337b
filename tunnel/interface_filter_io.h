// What peers may do through a WireGuard interface of the kernel's: open streams to the ports that
// are listened on, and nothing else. A table of nftables of our own, for this interface alone;
// nobody else's rules are touched, and what they refuse stays refused.
#pragma once

#include <cstdint>
#include <string>

namespace sidestream::tunnel {

class InterfaceFilter {
 public:
  // In force when it returns, in the place of what an earlier process left under this name. Throws
  // system_error (operation_not_permitted; protocol_not_supported: no nftables).
  explicit InterfaceFilter(const std::string& interface);
  ~InterfaceFilter();
  InterfaceFilter(const InterfaceFilter&) = delete;
  InterfaceFilter& operator=(const InterfaceFilter&) = delete;

  // The ports that peers may open streams to; none at first. Throws system_error.
  void open_port(std::uint16_t port);
  void close_port(std::uint16_t port) noexcept;

 private:
  const std::string table_;  // as the interface
};

}  // namespace sidestream::tunnel
