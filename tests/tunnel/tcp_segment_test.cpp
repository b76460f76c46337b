#include "tunnel/tcp_segment.h"

#include <gtest/gtest.h>

#include <vector>

#include "tunnel/ip_packet.h"

namespace sidestream::tunnel {
namespace {

const IpAddress from = *IpAddress::parse("10.0.0.1");
const IpAddress to = *IpAddress::parse("10.0.0.2");

std::vector<std::uint8_t> write(const TcpSegment& segment, std::size_t payload_bytes = 0) {
  const std::size_t headers =
      ip_header_bytes(from) + tcp_header_bytes + tcp_options_bytes(segment.options);
  std::vector<std::uint8_t> packet(headers + payload_bytes, 0x77);
  EXPECT_EQ(write_tcp_packet(packet, from, to, segment, payload_bytes), packet.size());
  packet.erase(packet.begin(), packet.begin() + ipv4_header_bytes);
  return packet;
}

auto parse(Bytes bytes) {
  return parse_tcp_segment(bytes, from, to);
}

// A segment with these bytes as options, rightly summed.
std::vector<std::uint8_t> with_options(std::vector<std::uint8_t> options) {
  options.resize((options.size() + 3) / 4 * 4);
  TcpSegment plain;
  plain.source_port = 1;
  plain.destination_port = 2;
  std::vector<std::uint8_t> bytes = write(plain);
  bytes.insert(bytes.end(), options.begin(), options.end());
  bytes[12] = static_cast<std::uint8_t>(bytes.size() / 4 << 4U);
  bytes[16] = bytes[17] = 0;
  pseudo_header_checksum(from, to, IpProtocol::tcp, bytes.size())
      .add(bytes)
      .store(MutableBytes(bytes).subspan(16, 2));
  return bytes;
}

TEST(TcpSegment, ReadsWhatItWrites) {
  TcpSegment segment;
  segment.source_port = 4000;
  segment.destination_port = 443;
  segment.sequence = 0xfffffffe;
  segment.acknowledgment = 0x12345678;
  segment.window = 777;
  segment.syn = segment.ack = segment.psh = true;
  segment.options.mss = 1380;
  segment.options.window_scale = 7;
  segment.options.sack_permitted = true;
  segment.options.timestamps = TcpTimestamps{1, 2};
  const auto bytes = write(segment, 5);
  EXPECT_EQ(bytes.size() % 4, 1U);
  const auto parsed = parse(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->source_port, 4000);
  EXPECT_EQ(parsed->destination_port, 443);
  EXPECT_EQ(parsed->sequence, 0xfffffffeU);
  EXPECT_EQ(parsed->acknowledgment, 0x12345678U);
  EXPECT_EQ(parsed->window, 777);
  EXPECT_TRUE(parsed->syn && parsed->ack && parsed->psh);
  EXPECT_FALSE(parsed->fin || parsed->rst);
  EXPECT_EQ(parsed->options.mss, 1380);
  EXPECT_EQ(parsed->options.window_scale, 7);
  EXPECT_TRUE(parsed->options.sack_permitted);
  EXPECT_EQ(parsed->options.timestamps, (TcpTimestamps{1, 2}));
  EXPECT_EQ(parsed->payload.size(), 5U);
  EXPECT_EQ(parsed->length(), 6U);
}

TEST(TcpSegment, CarriesThreeBlocksBesideTimestamps) {
  TcpSegment segment;
  segment.source_port = segment.destination_port = 1;
  segment.options.timestamps = TcpTimestamps{1, 2};
  for (std::uint32_t i = 0; i < 3; ++i) segment.options.add_sack({i, i + 1});
  EXPECT_EQ(tcp_options_bytes(segment.options), tcp_options_bytes_max);
  const auto parsed = parse(write(segment));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->options.sack().size(), 3U);
  EXPECT_EQ(parsed->options.sack()[2], (SackBlock{2, 3}));
}

TEST(TcpSegment, HasRoomForFourBlocks) {
  TcpOptions options;
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(options.add_sack({i, i + 1}));
  EXPECT_FALSE(options.add_sack({9, 10}));
  EXPECT_EQ(tcp_options_bytes(options), 36U);
}

TEST(TcpSegment, SkipsWhatItDoesNotKnow) {
  const auto parsed = parse(with_options({1, 1, 253, 6, 9, 9, 9, 9, 254, 2, 3, 3, 5, 0, 99, 99}));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->options.window_scale, 5);
}

TEST(TcpSegment, RefusesOptionsThatLie) {
  for (const std::vector<std::uint8_t>& options :
       std::vector<std::vector<std::uint8_t>>{{1, 1, 1, 2},
                                              {2, 0, 5, 5},
                                              {2, 1, 5, 5},
                                              {2, 3, 5, 1},
                                              {2, 8, 5, 5},
                                              {3, 4, 5, 5},
                                              {4, 3, 5, 1},
                                              {5, 2, 1, 1},
                                              {5, 9, 1, 1, 1, 1, 1, 1, 1},
                                              {8, 9, 1, 1, 1, 1, 1, 1, 1},
                                              {253, 1, 0, 0},
                                              {253, 255, 0, 0}})
    EXPECT_EQ(parse(with_options(options)).error(), TcpSegmentError::option);
}

TEST(TcpSegment, RefusesWhatIsCutShort) {
  TcpSegment segment;
  segment.source_port = segment.destination_port = 1;
  segment.options.timestamps = TcpTimestamps{1, 2};
  const auto bytes = write(segment);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(parse(Bytes(bytes).first(length)));
}

TEST(TcpSegment, RefusesAHeaderShorterThanItself) {
  TcpSegment segment;
  segment.source_port = segment.destination_port = 1;
  auto bytes = write(segment);
  bytes[12] = 4 << 4;
  EXPECT_EQ(parse(bytes).error(), TcpSegmentError::header_length);
}

TEST(TcpSegment, RefusesPortZero) {
  TcpSegment segment;
  segment.source_port = 1;
  EXPECT_EQ(parse(write(segment)).error(), TcpSegmentError::port);
}

TEST(TcpSegment, ChecksTheAddressesToo) {
  TcpSegment segment;
  segment.source_port = segment.destination_port = 1;
  const auto bytes = write(segment, 3);
  EXPECT_TRUE(parse(bytes));
  EXPECT_EQ(parse_tcp_segment(bytes, from, from).error(), TcpSegmentError::checksum);
}

TEST(TcpSegment, ReadsTheEightBytesThatAnErrorQuotes) {
  const std::uint8_t bytes[] = {0, 80, 1, 0, 0, 0, 0, 9};
  const auto quoted = parse_quoted_tcp_segment(bytes);
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->source_port, 80);
  EXPECT_EQ(quoted->destination_port, 256);
  EXPECT_EQ(quoted->sequence, 9U);
  EXPECT_FALSE(parse_quoted_tcp_segment(Bytes(bytes).first(7)));
}

}  // namespace
}  // namespace sidestream::tunnel
