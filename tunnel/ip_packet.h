// IPv4 (RFC 791) and IPv6 (RFC 8200) packets as this host speaks them: no fragments, no options,
// no extension headers.
#pragma once

#include <cstdint>
#include <expected>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "tunnel/internet_checksum.h"

namespace sidestream::tunnel {

enum class IpProtocol : std::uint8_t { icmp_v4 = 1, tcp = 6, icmp_v6 = 58 };

struct IpPacket {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint8_t traffic_class = 0;
  Bytes payload;  // into the packet; what follows the length in the header is cut off
};

enum class IpPacketError { truncated, version, header, checksum, fragment, address };

// Checks everything that the header claims, the IPv4 header checksum included, and that the source
// is an address that can be answered.
std::expected<IpPacket, IpPacketError> parse_ip_packet(Bytes packet);

// The same for the packet that an ICMP error quotes: it may be cut off anywhere behind its header
// and routers may have changed its checksum.
std::expected<IpPacket, IpPacketError> parse_quoted_ip_packet(Bytes packet);

[[nodiscard]] std::size_t ip_header_bytes(const IpAddress& address);

// Writes the header of a packet whose payload, `payload_bytes` long, stands behind it. `into` has
// room for ip_header_bytes(source). Both addresses are of one family. Sets don't-fragment.
void write_ip_header(MutableBytes into, const IpAddress& source, const IpAddress& destination,
                     IpProtocol protocol, std::size_t payload_bytes);

// The pseudo-header of TCP and ICMPv6 (RFC 9293 section 3.1, RFC 8200 section 8.1), summed.
InternetChecksum pseudo_header_checksum(const IpAddress& source, const IpAddress& destination,
                                        IpProtocol protocol, std::size_t payload_bytes);

}  // namespace sidestream::tunnel
