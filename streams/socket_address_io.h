// Socket addresses as the kernel takes and gives them.
#pragma once

#include <sys/socket.h>

#include <boost/system/error_code.hpp>

#include "streams/ip_address.h"

namespace sidestream {

// Room for any address, with the length that is in use.
struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// For a socket of `family`: an IPv4 address becomes an IPv4-mapped one when that is AF_INET6.
[[nodiscard]] KernelAddress to_kernel(const SocketAddress& address, int family);
// An IPv4-mapped address becomes IPv4; anything but IP (a Unix socket) becomes 0.0.0.0:0.
[[nodiscard]] SocketAddress from_kernel(const KernelAddress& address);
[[nodiscard]] int family_of(const SocketAddress& address);
// What the socket is bound to; 0.0.0.0:0 when the kernel does not say.
[[nodiscard]] SocketAddress bound_address(int fd);

// Sets an integer option; false with errno when the kernel refuses.
// Whether `::` could not be bound because IPv6 is switched off; 0.0.0.0 is every address then.
bool lacks_ipv6(const SocketAddress& local, const boost::system::error_code& error);

bool set_option(int fd, int level, int option, int value);

}  // namespace sidestream
