// Two peers and what happens between them: handshakes, lost messages, restarts.
#include "tunnel/wireguard_peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/wireguard_network.h"

namespace sidestream::tunnel {
namespace {

using Verdict = WireGuardDevice::Sealed::Verdict;
using Kind = DeviceEvent::Kind;

std::vector<Duration> times_of(const std::vector<Datagram>& datagrams, Instant start,
                               MessageType type) {
  std::vector<Duration> times;
  for (const Datagram& datagram : datagrams)
    if (datagram.type() == type) times.push_back(datagram.sent - start);
  return times;
}

// Drops the first `count` datagrams of a type.
std::function<bool(const Datagram&)> drop_first(MessageType type, int count) {
  return [type, count](const Datagram& datagram) mutable {
    return datagram.type() != type || count-- <= 0;
  };
}

TEST(WireGuardPeer, LostInitiationIsSentAgain) {
  TwoHosts hosts;
  hosts.network.passes = drop_first(MessageType::initiation, 1);
  hosts.send_right("x");
  hosts.network.run_for(4900ms);
  EXPECT_EQ(hosts.network.count_sent(MessageType::initiation), 1U);
  EXPECT_FALSE(hosts.network.sent[0].forget_local_address);
  hosts.network.run_for(1s);
  const auto sent = hosts.network.take_sent();
  ASSERT_EQ(times_of(sent, {}, MessageType::initiation).size(), 2U);
  // With another ephemeral key and timestamp, and perhaps from another address of ours.
  EXPECT_NE(sent[0].bytes, sent[1].bytes);
  EXPECT_FALSE(
      std::ranges::equal(Bytes(sent[0].bytes).subspan(8, 32), Bytes(sent[1].bytes).subspan(8, 32)));
  EXPECT_TRUE(sent[1].forget_local_address);
  EXPECT_EQ(hosts.right->received.size(), 1U);
}

TEST(WireGuardPeer, LostResponseBringsAnotherInitiation) {
  TwoHosts hosts;
  hosts.network.passes = drop_first(MessageType::response, 1);
  hosts.send_right("x");
  hosts.network.run_for(6s);
  EXPECT_EQ(hosts.network.count_sent(MessageType::initiation), 2U);
  EXPECT_EQ(hosts.network.count_sent(MessageType::response), 2U);
  EXPECT_EQ(hosts.right->received.size(), 1U);
  EXPECT_EQ(hosts.right->count(Kind::handshake_completed), 1U);
}

TEST(WireGuardPeer, LostConfirmationIsRepairedByTheNextPacket) {
  TwoHosts hosts;
  hosts.network.passes = drop_first(MessageType::transport, 1);
  hosts.send_right("lost");
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->count(Kind::handshake_completed), 0U);
  hosts.send_right("found");
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->count(Kind::handshake_completed), 1U);
  EXPECT_EQ(hosts.right->received.size(), 1U);
  EXPECT_EQ(hosts.network.count_sent(MessageType::initiation), 1U);
}

TEST(WireGuardPeer, UnconfirmedResponderAsksForASessionOfItsOwn) {
  TwoHosts hosts;
  // The initiator dies right after its initiation.
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(15ms);
  hosts.restart_left();
  EXPECT_EQ(hosts.send_left("x"), Verdict::staged);
  const Instant responded = hosts.network.now;
  hosts.network.run_for(10s);
  // Not within REKEY_TIMEOUT of the response.
  const auto initiations = times_of(hosts.network.take_sent(), responded, MessageType::initiation);
  ASSERT_EQ(initiations.size(), 2U);
  EXPECT_GE(initiations[1], 4990ms);
  EXPECT_LE(initiations[1], 5s);
  EXPECT_EQ(hosts.left->received.size(), 1U);
}

TEST(WireGuardPeer, GivesUpAfterTwentyInitiations) {
  TwoHosts hosts;
  hosts.network.passes = [](const Datagram&) { return false; };
  const Instant start = hosts.network.now;
  hosts.send_right("x");
  hosts.network.run_for(10min);
  const auto sent = hosts.network.take_sent();
  const auto times = times_of(sent, start, MessageType::initiation);
  ASSERT_EQ(times.size(), 20U);
  EXPECT_EQ(sent.size(), 20U);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], 5s);
    EXPECT_LE(times[i] - times[i - 1], 5333ms);
    EXPECT_TRUE(sent[i].forget_local_address);
  }
  EXPECT_EQ(hosts.left->count(Kind::handshake_gave_up), 1U);
  EXPECT_EQ(hosts.left->device.status(hosts.right_peer)->handshakes_given_up, 1U);
  // What was staged is gone.
  hosts.network.passes = nullptr;
  hosts.establish();
  EXPECT_TRUE(hosts.right->received.empty());
}

TEST(WireGuardPeer, EachPacketGivesTheSeriesNewPatience) {
  TwoHosts hosts;
  hosts.network.passes = [](const Datagram&) { return false; };
  const Instant start = hosts.network.now;
  for (int i = 0; i < 30; ++i) {
    hosts.send_right("x");
    hosts.network.run_for(10s);
  }
  EXPECT_EQ(hosts.left->count(Kind::handshake_gave_up), 0U);
  EXPECT_EQ(hosts.left->device.status(hosts.right_peer)->unanswered_since, start);
  EXPECT_LE(hosts.network.count_sent(MessageType::initiation), 60U);
}

TEST(WireGuardPeer, SimultaneousInitiationsBothSucceed) {
  TwoHosts hosts;
  hosts.send_right("to the right");
  hosts.send_left("to the left");
  hosts.network.run_for(1s);
  ASSERT_EQ(hosts.right->received.size(), 1U);
  ASSERT_EQ(hosts.left->received.size(), 1U);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(hosts.send_right("x"), Verdict::sealed);
    EXPECT_EQ(hosts.send_left("x"), Verdict::sealed);
    hosts.network.run_for(1s);
  }
  EXPECT_EQ(hosts.right->received.size(), 301U);
  EXPECT_EQ(hosts.left->received.size(), 301U);
}

TEST(WireGuardPeer, RestartedInitiatorComesBackAtOnce) {
  TwoHosts hosts;
  hosts.establish();
  hosts.network.run_for(1s);
  hosts.restart_left();
  hosts.send_right("back");
  hosts.network.run_for(1s);
  ASSERT_EQ(hosts.right->received.size(), 1U);
  EXPECT_EQ(hosts.send_left("welcome"), Verdict::sealed);
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.left->received.size(), 1U);
}

TEST(WireGuardPeer, RestartOfTheOtherSideIsNoticedAfterFifteenSeconds) {
  TwoHosts hosts;
  hosts.establish();
  hosts.restart_right();
  const Instant start = hosts.network.now;
  for (int i = 0; i < 200; ++i) {
    hosts.send_right("x");
    hosts.network.run_for(100ms);
  }
  const auto sent = hosts.network.take_sent();
  const auto initiations = times_of(sent, start, MessageType::initiation);
  ASSERT_EQ(initiations.size(), 1U);
  EXPECT_GE(initiations[0], 15s);
  EXPECT_LE(initiations[0], 15333ms);
  EXPECT_GE(hosts.right->received.size(), 40U);
}

TEST(WireGuardPeer, ImpatientHandshakesComeAfterASecondAndThenSlower) {
  TwoHosts hosts;
  hosts.establish();
  hosts.network.run_for(1min);
  hosts.network.passes = [](const Datagram&) { return false; };
  const Instant start = hosts.network.now;
  for (int i = 0; i < 40; ++i) {
    hosts.left->start_handshake(hosts.right_peer, true);
    hosts.network.run_for(100ms);
  }
  EXPECT_THAT(times_of(hosts.network.take_sent(), start, MessageType::initiation),
              testing::ElementsAre(0s, 1s, 3500ms));
  hosts.network.run_for(1min);
  hosts.network.take_sent();
  for (int i = 0; i < 40; ++i) {
    hosts.left->start_handshake(hosts.right_peer);
    hosts.network.run_for(100ms);
  }
  EXPECT_LE(hosts.network.count_sent(MessageType::initiation), 1U);
}

// Each initiation replaces the one before, and with it what its response would have been good for.
TEST(WireGuardPeer, ImpatienceLeavesTimeForASlowPath) {
  TwoHosts hosts;
  hosts.network.delay = 1200ms;
  for (int i = 0; i < 100 && hosts.left->count(Kind::handshake_completed) == 0; ++i) {
    hosts.left->start_handshake(hosts.right_peer, true);
    hosts.network.run_for(100ms);
  }
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
  EXPECT_LE(hosts.network.count_sent(MessageType::initiation), 3U);
}

TEST(WireGuardPeer, PresharedKeyCountsFromTheNextHandshake) {
  TwoHosts hosts;
  hosts.establish();
  PresharedKey other;
  other.reveal()[0] = 1;
  hosts.left->device.set_preshared_key(hosts.right_peer, other);
  hosts.send_right("old session");
  hosts.network.run_for(30s);
  EXPECT_EQ(hosts.right->received.size(), 1U);
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);  // the first one only
  hosts.right->device.set_preshared_key(hosts.left_peer, other);
  hosts.network.run_for(10s);
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 2U);
}

TEST(WireGuardPeer, DroppedSessionsAreNotUsedAgain) {
  TwoHosts hosts;
  hosts.establish();
  hosts.left->device.drop_sessions();
  hosts.right->send(ipv4_packet(hosts.right_inner, hosts.left_inner, "for the old session"));
  hosts.network.run_for(100ms);
  EXPECT_TRUE(hosts.left->received.empty());
  EXPECT_EQ(hosts.send_right("new session"), Verdict::staged);
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->received.size(), 1U);
}

// Loss, repetition and reordering of everything.
TEST(WireGuardPeer, SurvivesABadNetwork) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    TwoHosts hosts(seed);
    hosts.network.loss = 0.2;
    hosts.network.duplication = 0.2;
    hosts.network.delay_variation = 300ms;
    for (int i = 0; i < 1500; ++i) {
      hosts.send_right(std::to_string(i));
      hosts.send_left(std::to_string(i));
      hosts.network.run_for(1s);
    }
    // Nothing comes twice, and most of it comes.
    for (Host* host : {hosts.left, hosts.right}) {
      auto received = host->received;
      std::ranges::sort(received);
      EXPECT_EQ(std::ranges::adjacent_find(received), received.end()) << "seed " << seed;
      EXPECT_GE(received.size(), 1100U) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace sidestream::tunnel
