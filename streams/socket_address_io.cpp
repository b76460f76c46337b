#include "streams/socket_address_io.h"

#include <netinet/in.h>

#include <algorithm>
#include <boost/system/errc.hpp>
#include <cstring>

namespace sidestream {

int family_of(const SocketAddress& address) {
  return address.address.is_v6() ? AF_INET6 : AF_INET;
}

KernelAddress to_kernel(const SocketAddress& address, int family) {
  KernelAddress result;
  const Bytes bytes = address.address.bytes();
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    if (address.address.is_v4()) std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.length = sizeof v4;
    return result;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  if (address.address.is_v6()) {
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  } else {
    v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(&v6.sin6_addr.s6_addr[12], bytes.data(), bytes.size());
  }
  std::memcpy(&result.storage, &v6, sizeof v6);
  result.length = sizeof v6;
  return result;
}

SocketAddress from_kernel(const KernelAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    return {IpAddress::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
  }
  if (address.storage.ss_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return {IpAddress::v6(bytes).unmapped(), ntohs(v6.sin6_port)};
}

SocketAddress bound_address(int fd) {
  KernelAddress address;
  if (::getsockname(fd, address.get(), &address.length) != 0) return {};
  return from_kernel(address);
}

bool lacks_ipv6(const SocketAddress& local, const boost::system::error_code& error) {
  return local.address.is_v6() && local.address.is_unspecified() &&
         (error == boost::system::errc::address_family_not_supported ||
          error == boost::system::errc::address_not_available);
}

bool set_option(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

}  // namespace sidestream
