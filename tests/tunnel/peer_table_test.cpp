#include "tunnel/peer_table.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

constexpr Instant start{std::chrono::hours(1)};

struct PeerTableTest : testing::Test {
  SeededRandom random{1};
  KeyPair own = generate_key_pair(random);
  SessionIndices indices;
  Tai64nClock timestamps;
  StagedBudget budget{1U << 20U};
  PeerSurroundings surroundings{own, 1420, 128, random, indices, timestamps, budget};
  DeviceLimits limits;
  PeerTable table{surroundings, limits};

  PeerConfiguration configuration(const char* prefix, Duration persistent_keepalive = {}) {
    return {generate_key_pair(random).public_key,
            {},
            {*IpPrefix::parse(prefix)},
            SocketAddress::parse("192.0.2.1:1"),
            persistent_keepalive};
  }
};

TEST_F(PeerTableTest, FindsPeersByAllTheirNames) {
  const PeerConfiguration first = configuration("10.0.0.0/24");
  const PeerConfiguration second = configuration("10.0.0.7/32");
  const PeerId first_id = table.add(first).value();
  const PeerId second_id = table.add(second).value();
  EXPECT_NE(first_id, second_id);
  EXPECT_NE(first_id, PeerId{});
  EXPECT_EQ(table.find(first_id)->id(), first_id);
  EXPECT_EQ(table.find(second.public_key)->id(), second_id);
  EXPECT_EQ(table.find_by_address(*IpAddress::parse("10.0.0.7"))->id(), second_id);
  EXPECT_EQ(table.find_by_address(*IpAddress::parse("10.0.0.8"))->id(), first_id);
  EXPECT_EQ(table.find_by_address(*IpAddress::parse("10.0.1.8")), nullptr);
  EXPECT_TRUE(table.owns(*table.find(second_id), *IpAddress::parse("10.0.0.7")));
  EXPECT_FALSE(table.owns(*table.find(first_id), *IpAddress::parse("10.0.0.7")));
  const SessionIndex index = indices.take(random, second_id);
  EXPECT_EQ(table.find_by_index(index.value())->id(), second_id);
  EXPECT_EQ(table.find_by_index(index.value() + 1), nullptr);
}

TEST_F(PeerTableTest, PeersStandInEachQueueOnce) {
  const PeerId id = table.add(configuration("10.0.0.1/32")).value();
  PeerTable::Member& member = *table.find(id);
  EXPECT_EQ(table.initiating(), nullptr);
  member.start_handshake(start, false);
  table.refresh(start, member);
  table.refresh(start, member);
  EXPECT_EQ(table.initiating(), &member);
  table.stop_initiating();
  EXPECT_EQ(table.initiating(), nullptr);
  EXPECT_EQ(table.transmitting(), nullptr);
  EXPECT_EQ(table.reporting(), nullptr);
}

TEST_F(PeerTableTest, DueIsTheEarliest) {
  EXPECT_EQ(table.next_deadline(), Instant::max());
  const PeerId quiet = table.add(configuration("10.0.0.1/32")).value();
  const PeerId busy = table.add(configuration("10.0.0.2/32", 25s)).value();
  EXPECT_EQ(table.due(start)->id(), busy);
  table.find(busy)->handle_timeout(start);
  table.refresh(start, *table.find(busy));
  EXPECT_EQ(table.due(start), nullptr);
  EXPECT_EQ(table.next_deadline(), start + 25s);
  EXPECT_EQ(table.transmitting()->id(), busy);
  std::vector<std::uint8_t> buffer(datagram_bytes_for(1420));
  table.find(quiet)->start_handshake(start, false);
  table.refresh(start, *table.find(quiet));
  ASSERT_TRUE(table.initiating()->poll_initiation(start, buffer));
  table.refresh(start, *table.find(quiet));
  EXPECT_GE(table.next_deadline(), start + 5s);
  EXPECT_LE(table.next_deadline(), start + 5333ms);
}

TEST_F(PeerTableTest, RemovedPeersAreGoneFromEverywhere) {
  const PeerConfiguration one = configuration("10.0.0.1/32", 25s);
  const PeerId id = table.add(one).value();
  PeerTable::Member& member = *table.find(id);
  member.start_handshake(start, false);
  member.handle_timeout(start);
  table.refresh(start, member);
  std::vector<std::uint8_t> buffer(datagram_bytes_for(1420));
  ASSERT_TRUE(member.poll_initiation(start, buffer));
  EXPECT_EQ(indices.size(), 1U);
  table.remove(id);
  table.remove(id);
  EXPECT_EQ(indices.size(), 0U);
  EXPECT_EQ(table.find(id), nullptr);
  EXPECT_EQ(table.find(one.public_key), nullptr);
  EXPECT_EQ(table.find_by_address(*IpAddress::parse("10.0.0.1")), nullptr);
  EXPECT_EQ(table.initiating(), nullptr);
  EXPECT_EQ(table.transmitting(), nullptr);
  EXPECT_EQ(table.next_deadline(), Instant::max());
}

}  // namespace
}  // namespace sidestream::tunnel
