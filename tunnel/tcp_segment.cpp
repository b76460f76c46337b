#include "tunnel/tcp_segment.h"

#include "tunnel/internet_checksum.h"
#include "tunnel/ip_packet.h"

namespace sidestream::tunnel {
namespace {

enum Flag : std::uint8_t { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16 };
enum Option : std::uint8_t {
  end = 0,
  nop = 1,
  mss = 2,
  scale = 3,
  permitted = 4,
  sack = 5,
  ts = 8
};

bool read_option(ByteReader body, std::uint8_t kind, TcpOptions& options) {
  switch (kind) {
    case Option::mss:
      if (body.size() != 2) return false;
      options.mss = body.u16();
      return true;
    case Option::scale:
      if (body.size() != 1) return false;
      options.window_scale = body.u8();
      return true;
    case Option::permitted:
      options.sack_permitted = true;
      return body.empty();
    case Option::sack:
      if (body.empty() || body.size() % 8 != 0) return false;
      while (!body.empty()) {
        const std::uint32_t first = body.u32();
        options.add_sack({first, body.u32()});
      }
      return true;
    case Option::ts: {
      if (body.size() != 8) return false;
      const std::uint32_t value = body.u32();
      options.timestamps = TcpTimestamps{value, body.u32()};
      return true;
    }
    default:
      return true;
  }
}

// An option that runs over the end, or one of ours with a wrong length, makes the whole segment
// bad: what its sender meant cannot be known (RFC 9293 section 3.1, MUST-7).
bool read_options(ByteReader reader, TcpOptions& options) {
  while (!reader.empty()) {
    const std::uint8_t kind = reader.u8();
    if (kind == Option::end) return true;
    if (kind == Option::nop) continue;
    const std::size_t length = reader.u8();
    if (length < 2) return false;
    const Bytes body = reader.take(length - 2);
    if (reader.failed() || !read_option(ByteReader(body), kind, options)) return false;
  }
  return !reader.failed();
}

// Every option is padded to a multiple of four, so that the numbers in them are aligned.
void write_options(ByteWriter& writer, const TcpOptions& options) {
  if (options.mss) {
    writer.u16(Option::mss << 8U | 4U);
    writer.u16(*options.mss);
  }
  if (options.window_scale) {
    writer.u24(Option::nop << 16U | Option::scale << 8U | 3U);
    writer.u8(*options.window_scale);
  }
  if (options.sack_permitted) writer.u32(0x01010000U | Option::permitted << 8U | 2U);
  if (options.timestamps) {
    writer.u32(0x01010000U | Option::ts << 8U | 10U);
    writer.u32(options.timestamps->value);
    writer.u32(options.timestamps->echo);
  }
  if (options.sack_count != 0) {
    writer.u32(0x01010000U | Option::sack << 8U | (2U + 8U * options.sack_count));
    for (const SackBlock& block : options.sack()) {
      writer.u32(block.begin);
      writer.u32(block.end);
    }
  }
}

}  // namespace

bool TcpOptions::add_sack(SackBlock block) {
  if (sack_count == sack_storage.size()) return false;
  sack_storage[sack_count++] = block;
  return true;
}

std::expected<TcpSegment, TcpSegmentError> parse_tcp_segment(Bytes from, const IpAddress& source,
                                                             const IpAddress& destination) {
  if (from.size() < tcp_header_bytes) return std::unexpected(TcpSegmentError::truncated);
  ByteReader reader(from);
  TcpSegment segment;
  segment.source_port = reader.u16();
  segment.destination_port = reader.u16();
  segment.sequence = reader.u32();
  segment.acknowledgment = reader.u32();
  const std::size_t header_bytes = std::size_t{reader.u8()} / 16 * 4;
  const std::uint8_t flags = reader.u8();
  segment.fin = (flags & Flag::fin) != 0;
  segment.syn = (flags & Flag::syn) != 0;
  segment.rst = (flags & Flag::rst) != 0;
  segment.psh = (flags & Flag::psh) != 0;
  segment.ack = (flags & Flag::ack) != 0;
  segment.window = reader.u16();
  if (header_bytes < tcp_header_bytes || header_bytes > from.size())
    return std::unexpected(TcpSegmentError::header_length);
  if (segment.source_port == 0 || segment.destination_port == 0)
    return std::unexpected(TcpSegmentError::port);
  if (!pseudo_header_checksum(source, destination, IpProtocol::tcp, from.size()).add(from).good())
    return std::unexpected(TcpSegmentError::checksum);
  const Bytes options = from.subspan(tcp_header_bytes, header_bytes - tcp_header_bytes);
  if (!read_options(ByteReader(options), segment.options))
    return std::unexpected(TcpSegmentError::option);
  segment.payload = from.subspan(header_bytes);
  return segment;
}

std::optional<QuotedTcpSegment> parse_quoted_tcp_segment(Bytes from) {
  ByteReader reader(from);
  const std::uint16_t source_port = reader.u16();
  const std::uint16_t destination_port = reader.u16();
  const std::uint32_t sequence = reader.u32();
  if (reader.failed()) return std::nullopt;
  return QuotedTcpSegment{source_port, destination_port, sequence};
}

std::size_t tcp_options_bytes(const TcpOptions& options) {
  return (options.mss ? 4U : 0U) + (options.window_scale ? 4U : 0U) +
         (options.sack_permitted ? 4U : 0U) + (options.timestamps ? 12U : 0U) +
         (options.sack_count != 0 ? 4U + 8U * options.sack_count : 0U);
}

std::size_t write_tcp_packet(MutableBytes packet, const IpAddress& source,
                             const IpAddress& destination, const TcpSegment& segment,
                             std::size_t payload_bytes) {
  const std::size_t header_bytes = tcp_header_bytes + tcp_options_bytes(segment.options);
  const std::size_t segment_bytes = header_bytes + payload_bytes;
  write_ip_header(packet, source, destination, IpProtocol::tcp, segment_bytes);
  const std::size_t ip_bytes = ip_header_bytes(source);
  const MutableBytes tcp = packet.subspan(ip_bytes, segment_bytes);
  ByteWriter writer(tcp);
  writer.u16(segment.source_port);
  writer.u16(segment.destination_port);
  writer.u32(segment.sequence);
  writer.u32(segment.acknowledgment);
  writer.u8(static_cast<std::uint8_t>(header_bytes / 4 << 4U));
  writer.u8(
      static_cast<std::uint8_t>((segment.fin ? Flag::fin : 0) | (segment.syn ? Flag::syn : 0) |
                                (segment.rst ? Flag::rst : 0) | (segment.psh ? Flag::psh : 0) |
                                (segment.ack ? Flag::ack : 0)));
  writer.u16(segment.window);
  writer.u32(0);  // checksum and urgent pointer
  write_options(writer, segment.options);
  pseudo_header_checksum(source, destination, IpProtocol::tcp, segment_bytes)
      .add(tcp)
      .store(tcp.subspan(16, 2));
  return ip_bytes + segment_bytes;
}

}  // namespace sidestream::tunnel
