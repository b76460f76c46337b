// The parts of ICMP (RFC 792, RFC 1191) and ICMPv6 (RFC 4443) that a host with TCP needs: it
// answers echo requests, sends some of its own (tunnel/path_mtus.h) and hears errors about the
// segments it sent.
#pragma once

#include <cstdint>
#include <optional>

#include "streams/bytes.h"
#include "tunnel/ip_packet.h"
#include "tunnel/tcp_segment.h"

namespace sidestream::tunnel {

// An error about a TCP segment of ours, as the packet inside it says.
struct IcmpError {
  enum class Kind { packet_too_big, unreachable };
  Kind kind;
  std::size_t mtu = 0;  // packet_too_big: of the next hop; 0: it did not say
  SocketAddress local;  // who sent the segment that the error is about
  SocketAddress remote;
  std::uint32_t sequence = 0;
};

struct IcmpMessage {
  enum class Kind { echo_request, echo_reply, error };
  Kind kind;
  Bytes echo;  // of both: all behind the checksum (identifier, number, text)
  IcmpError error{};
};

// nullopt for all that is broken or that this host has no use for.
std::optional<IcmpMessage> parse_icmp(const IpPacket& packet);

// Writes the answer to an echo request, IP header included. Returns its length; 0: no room.
std::size_t write_icmp_echo_reply(MutableBytes into, const IpPacket& request, Bytes echo);

// Writes an echo request that is as long as `into`, IP header included. Returns its length; 0: too
// short.
std::size_t write_icmp_echo_request(MutableBytes into, const IpAddress& source,
                                    const IpAddress& destination, std::uint16_t identifier,
                                    std::uint16_t number);
// By its type alone.
[[nodiscard]] bool is_icmp_echo_request(const IpPacket& packet);

}  // namespace sidestream::tunnel
