#include "tunnel/handed_connections.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tunnel/ip_packet.h"
#include "tunnel/tcp_segment.h"

namespace sidestream::tunnel {
namespace {

TcpEnds ends(std::string_view local, std::string_view remote) {
  return {*SocketAddress::parse(local), *SocketAddress::parse(remote)};
}

std::vector<std::uint8_t> packet_from(std::string_view source, std::string_view destination,
                                      bool syn) {
  const SocketAddress from = *SocketAddress::parse(source);
  const SocketAddress to = *SocketAddress::parse(destination);
  TcpSegment segment;
  segment.source_port = from.port;
  segment.destination_port = to.port;
  segment.syn = syn;
  segment.ack = !syn;
  std::vector<std::uint8_t> packet(200);
  packet.resize(write_tcp_packet(packet, from.address, to.address, segment, 0));
  return packet;
}

const TcpEnds one = ends("10.86.0.1:40000", "10.86.0.2:20000");
const TcpEnds other = ends("10.86.0.1:40001", "10.86.0.2:20000");

TEST(HandedConnections, KnowsWhoseAConnectionIs) {
  SeededRandom random(1);
  HandedConnections connections(random);
  connections.add(one, PredecessorId{1});
  connections.add(other, PredecessorId{2});
  EXPECT_EQ(connections.owner_of(one), PredecessorId{1});
  EXPECT_EQ(connections.owner_of(other), PredecessorId{2});
  EXPECT_FALSE(connections.owner_of(ends("10.86.0.1:40002", "10.86.0.2:20000")));
  EXPECT_EQ(connections.of(PredecessorId{2}), std::vector{other});
}

TEST(HandedConnections, OnlyTheOwnerGivesUpAConnection) {
  SeededRandom random(1);
  HandedConnections connections(random);
  connections.add(one, PredecessorId{1});
  connections.remove(one, PredecessorId{2});
  connections.remove(other, PredecessorId{1});
  EXPECT_EQ(connections.owner_of(one), PredecessorId{1});
  connections.remove(one, PredecessorId{1});
  EXPECT_FALSE(connections.owner_of(one));
  EXPECT_TRUE(connections.empty());
}

TEST(HandedConnections, NothingIsLeftOfAPredecessorThatEnded) {
  SeededRandom random(1);
  HandedConnections connections(random);
  connections.add(one, PredecessorId{1});
  connections.add(other, PredecessorId{2});
  connections.remove_all(PredecessorId{1});
  EXPECT_FALSE(connections.owner_of(one));
  EXPECT_TRUE(connections.owner_of(other));
}

TEST(PassingSegment, IsReadAsTheReceiverSeesIt) {
  const auto passing =
      PassingSegment::parse(packet_from("10.86.0.2:20000", "10.86.0.1:40000", false));
  ASSERT_TRUE(passing);
  EXPECT_EQ(passing->ends, one);
  EXPECT_FALSE(passing->syn);
  const auto v6 = PassingSegment::parse(packet_from("[fd00::2]:20000", "[fd00::1]:40000", true));
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->ends, ends("[fd00::1]:40000", "[fd00::2]:20000"));
  EXPECT_TRUE(v6->syn);
}

TEST(PassingSegment, EverythingElseIsNone) {
  const auto whole = packet_from("10.86.0.2:20000", "10.86.0.1:40000", true);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_FALSE(PassingSegment::parse(Bytes(whole).first(bytes))) << bytes;
  auto icmp = whole;
  icmp[9] = 1;
  EXPECT_FALSE(PassingSegment::parse(icmp));
  auto short_one = whole;
  short_one[3] = 30;  // a length that ends within the TCP header
  EXPECT_FALSE(PassingSegment::parse(short_one));
}

}  // namespace
}  // namespace sidestream::tunnel
