#include "tunnel/reply_queue.h"

#include <gtest/gtest.h>

#include "tunnel/ip_packet.h"

namespace sidestream::tunnel {
namespace {

const SocketAddress local = *SocketAddress::parse("10.0.0.1:80");
const SocketAddress remote = *SocketAddress::parse("10.0.0.2:4000");

std::optional<TcpSegment> next_segment(ReplyQueue& replies) {
  static std::array<std::uint8_t, 1500> buffer;
  const std::size_t bytes = replies.pop(buffer);
  if (bytes == 0) return std::nullopt;
  const auto ip = parse_ip_packet(Bytes(buffer).first(bytes));
  return *parse_tcp_segment(ip->payload, ip->source, ip->destination);
}

TEST(ReplyQueue, IsInOrderAndBounded) {
  ReplyQueue replies(2);
  for (std::uint8_t i = 1; i <= 3; ++i) replies.push(Bytes(&i, 1));
  std::array<std::uint8_t, 10> buffer{};
  EXPECT_EQ(replies.pop(buffer), 1U);
  EXPECT_EQ(buffer[0], 1);
  EXPECT_EQ(replies.pop(buffer), 1U);
  EXPECT_EQ(buffer[0], 2);
  EXPECT_EQ(replies.pop(buffer), 0U);
}

TEST(ReplyQueue, ResetsAnAcknowledgmentAtItsNumber) {
  ReplyQueue replies(10);
  TcpSegment segment;
  segment.ack = true;
  segment.acknowledgment = 77;
  reply_with_reset(replies, local, remote, segment);
  const auto reset = next_segment(replies);
  ASSERT_TRUE(reset);
  EXPECT_TRUE(reset->rst);
  EXPECT_FALSE(reset->ack);
  EXPECT_EQ(reset->sequence, 77U);
  EXPECT_EQ(reset->source_port, 80);
  EXPECT_EQ(reset->destination_port, 4000);
}

TEST(ReplyQueue, ResetsTheRestByAcknowledgingIt) {
  ReplyQueue replies(10);
  TcpSegment segment;
  segment.syn = true;
  segment.sequence = 0xffffffff;
  reply_with_reset(replies, local, remote, segment);
  const auto reset = next_segment(replies);
  ASSERT_TRUE(reset);
  EXPECT_TRUE(reset->rst && reset->ack);
  EXPECT_EQ(reset->sequence, 0U);
  EXPECT_EQ(reset->acknowledgment, 0U);
}

TEST(ReplyQueue, DoesNotResetAReset) {
  ReplyQueue replies(10);
  TcpSegment segment;
  segment.rst = true;
  reply_with_reset(replies, local, remote, segment);
  EXPECT_FALSE(next_segment(replies));
}

}  // namespace
}  // namespace sidestream::tunnel
