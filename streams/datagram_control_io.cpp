#include "streams/datagram_control_io.h"

#include <netinet/ip.h>
#include <netinet/udp.h>

#include <cstring>

namespace sidestream {
namespace {

template <typename T>
T content_of(cmsghdr* message) {
  T value{};
  const std::size_t there = message->cmsg_len - CMSG_LEN(0);
  std::memcpy(&value, CMSG_DATA(message), there < sizeof value ? there : sizeof value);
  return value;
}

IpAddress address_of(const in6_addr& address) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &address, bytes.size());
  return IpAddress::v6(bytes).unmapped();
}

void parse_one(cmsghdr* message, ReceivedControl& control) {
  const int type = message->cmsg_type;
  if (message->cmsg_level == IPPROTO_IP) {
    if (type == IP_PKTINFO) {
      const auto packet = content_of<in_pktinfo>(message);
      control.local = IpAddress::v4(ntohl(packet.ipi_spec_dst.s_addr));
      control.interface = static_cast<unsigned>(packet.ipi_ifindex);
    } else if (type == IP_TOS) {
      control.traffic_class = content_of<std::uint8_t>(message);
    }
  } else if (message->cmsg_level == IPPROTO_IPV6) {
    if (type == IPV6_PKTINFO) {
      const auto packet = content_of<in6_pktinfo>(message);
      control.local = address_of(packet.ipi6_addr);
      control.interface = packet.ipi6_ifindex;
    } else if (type == IPV6_TCLASS) {
      control.traffic_class = static_cast<std::uint8_t>(content_of<int>(message));
    }
  } else if (message->cmsg_level == IPPROTO_UDP && type == UDP_GRO) {
    const int bytes = content_of<int>(message);
    if (bytes > 0) control.segment_bytes = static_cast<std::size_t>(bytes);
  } else if (message->cmsg_level == SOL_SOCKET && type == SO_RXQ_OVFL) {
    control.dropped_total = content_of<std::uint32_t>(message);
  }
}

}  // namespace

ReceivedControl parse_control(msghdr& message) {
  ReceivedControl control;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
    parse_one(part, control);
  return control;
}

void ControlWriter::append(int level, int type, const void* content, std::size_t size) {
  if (used_ + CMSG_SPACE(size) > room_.bytes.size()) return;
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(size);
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::memcpy(&room_.bytes[used_], &header, sizeof header);
  std::memcpy(&room_.bytes[used_ + CMSG_LEN(0)], content, size);
  used_ += CMSG_SPACE(size);
}

void ControlWriter::source(const IpAddress& local, unsigned interface) {
  // An IPv4 datagram takes IP_PKTINFO on sockets of both families. The interface is left to the
  // routing table, except where an address means nothing without it.
  if (local.is_v4()) {
    in_pktinfo packet{};
    packet.ipi_spec_dst.s_addr = htonl(local.v4_host_order());
    return append(IPPROTO_IP, IP_PKTINFO, &packet, sizeof packet);
  }
  in6_pktinfo packet{};
  std::memcpy(&packet.ipi6_addr, local.bytes().data(), sizeof packet.ipi6_addr);
  if (IN6_IS_ADDR_LINKLOCAL(&packet.ipi6_addr)) packet.ipi6_ifindex = interface;
  append(IPPROTO_IPV6, IPV6_PKTINFO, &packet, sizeof packet);
}

void ControlWriter::traffic_class(std::uint8_t value, bool v4) {
  const int content = value;
  if (v4) return append(IPPROTO_IP, IP_TOS, &content, sizeof content);
  append(IPPROTO_IPV6, IPV6_TCLASS, &content, sizeof content);
}

void ControlWriter::segment_bytes(std::uint16_t value) {
  append(IPPROTO_UDP, UDP_SEGMENT, &value, sizeof value);
}

void ControlWriter::attach(msghdr& message) const {
  message.msg_control = used_ > 0 ? room_.bytes.data() : nullptr;
  message.msg_controllen = used_;
}

}  // namespace sidestream
