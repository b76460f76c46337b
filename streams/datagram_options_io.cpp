// How a UDP socket is opened; what is done with it is in datagram_socket_io.cpp.
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/utsname.h>

#include <cerrno>
#include <compare>
#include <cstdio>

#include "streams/datagram_socket_io.h"

namespace sidestream {
namespace {

struct KernelVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

KernelVersion kernel_version() {
  utsname system{};
  KernelVersion version;
  if (::uname(&system) == 0)
    std::sscanf(system.release, "%d.%d.%d", &version.major, &version.minor, &version.patch);
  return version;
}

// These corrupt the headers of batches of equal datagrams.
bool segments_wrongly(const KernelVersion& version) {
  return version >= KernelVersion{7, 0, 0} && version <= KernelVersion{7, 1, 4};
}
// Before this one, datagrams were coalesced that must not be.
constexpr KernelVersion coalesces_well_from{5, 12, 0};

void set_options(int fd, int family, const DatagramSocketLimits& limits) {
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, limits.receive_buffer_bytes))
    set_option(fd, SOL_SOCKET, SO_RCVBUF, limits.receive_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_SNDBUF, limits.send_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  let_fragment(fd, family, true);  // as the kernel's own WireGuard does
  set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
  if (family == AF_INET) {
    set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    return;
  }
  set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

UniqueFd open_and_bind(const SocketAddress& local, const DatagramSocketLimits& limits) {
  const int family = family_of(local);
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw_error(last_system_error(), "socket");
  set_options(fd.get(), family, limits);
  const KernelAddress address = to_kernel(local, family);
  if (::bind(fd.get(), address.get(), address.length) != 0)
    throw_error(last_system_error(), "bind");
  return fd;
}

bool segments(int fd) {
  int segment_bytes = 0;
  socklen_t length = sizeof segment_bytes;
  return !segments_wrongly(kernel_version()) &&
         ::getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment_bytes, &length) == 0;
}

std::unique_ptr<DatagramSocket> open_one(const asio::any_io_executor& executor,
                                         const SocketAddress& local,
                                         const DatagramSocketLimits& limits,
                                         const DatagramOffload& offload) {
  UniqueFd fd = open_and_bind(local, limits);
  const bool segment_sends = offload.segment_sends && segments(fd.get());
  if (offload.coalesce_receives && kernel_version() >= coalesces_well_from)
    set_option(fd.get(), IPPROTO_UDP, UDP_GRO, 1);
  return std::make_unique<KernelDatagramSocket>(executor, std::move(fd), family_of(local),
                                                segment_sends);
}

}  // namespace

void let_fragment(int fd, int family, bool allowed) {
  set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, allowed ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE);
  if (family == AF_INET) return;
  set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
             allowed ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE);
}

std::unique_ptr<DatagramSocket> adopt_datagram_socket(const asio::any_io_executor& executor,
                                                      UniqueFd fd) {
  int family = AF_INET;
  socklen_t length = sizeof family;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &family, &length) != 0)
    throw_error(last_system_error(), "SO_DOMAIN");
  const bool segment_sends = segments(fd.get());
  return std::make_unique<KernelDatagramSocket>(executor, std::move(fd), family, segment_sends);
}

std::unique_ptr<DatagramSocket> open_datagram_socket(const asio::any_io_executor& executor,
                                                     const SocketAddress& local,
                                                     const DatagramSocketLimits& limits,
                                                     const DatagramOffload& offload) {
  try {
    return open_one(executor, local, limits, offload);
  } catch (const system_error& error) {
    if (!lacks_ipv6(local, error.code())) throw;
  }
  return open_one(executor, SocketAddress{IpAddress(), local.port}, limits, offload);
}

}  // namespace sidestream
