// TCP segments on the wire (RFC 9293 section 3.1) with the options of RFC 9293, 2018 and 7323.
// Options that are not known are skipped, urgent data is not told apart from other data.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "tunnel/tcp_limits.h"

namespace sidestream::tunnel {

struct TcpTimestamps {
  std::uint32_t value = 0;  // TSval
  std::uint32_t echo = 0;   // TSecr
  bool operator==(const TcpTimestamps&) const = default;
};

// A SACK block as it stands in the option: [begin, end) in wire numbers.
struct SackBlock {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const SackBlock&) const = default;
};

struct TcpOptions {
  std::optional<std::uint16_t> mss;
  std::optional<std::uint8_t> window_scale;
  std::optional<TcpTimestamps> timestamps;
  bool sack_permitted = false;
  std::uint8_t sack_count = 0;
  std::array<SackBlock, sack_blocks_max> sack_storage{};

  [[nodiscard]] std::span<const SackBlock> sack() const {
    return std::span(sack_storage).first(sack_count);
  }
  bool add_sack(SackBlock block);  // false: no room
};

struct TcpSegment {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgment = 0;
  bool fin = false;
  bool syn = false;
  bool rst = false;
  bool psh = false;
  bool ack = false;
  std::uint16_t window = 0;  // as on the wire, not scaled
  TcpOptions options;
  Bytes payload;

  // SEG.LEN: SYN and FIN count.
  [[nodiscard]] std::size_t length() const { return payload.size() + syn + fin; }
};

enum class TcpSegmentError { truncated, header_length, option, port, checksum };

// The checksum is taken over the pseudo-header of `source` and `destination` too.
std::expected<TcpSegment, TcpSegmentError> parse_tcp_segment(Bytes from, const IpAddress& source,
                                                             const IpAddress& destination);
// The part of a segment that an ICMP error quotes: at least ports and sequence number.
struct QuotedTcpSegment {
  std::uint16_t source_port;
  std::uint16_t destination_port;
  std::uint32_t sequence;
};
std::optional<QuotedTcpSegment> parse_quoted_tcp_segment(Bytes from);

[[nodiscard]] std::size_t tcp_options_bytes(const TcpOptions& options);

// Writes IP header, TCP header and checksums of a segment whose payload, `payload_bytes` long,
// already stands at its place in `packet`: behind ip_header_bytes + tcp_header_bytes +
// tcp_options_bytes. `segment.payload` is not looked at. Returns the length of the packet.
std::size_t write_tcp_packet(MutableBytes packet, const IpAddress& source,
                             const IpAddress& destination, const TcpSegment& segment,
                             std::size_t payload_bytes);

}  // namespace sidestream::tunnel
