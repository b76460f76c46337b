// Two peers over hours of virtual time: the timers of section 6 as they look from outside.
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

TEST(WireGuardTimers, InitiatorRenewsASessionThatIsUsedAfter120Seconds) {
  TwoHosts hosts;
  const Instant start = hosts.network.now;
  for (int i = 0; i < 400; ++i) {
    hosts.send_right("x");
    hosts.network.run_for(1s);
  }
  EXPECT_EQ(hosts.right->received.size(), 400U);
  const auto initiations = times_of(hosts.network.take_sent(), start, MessageType::initiation);
  ASSERT_EQ(initiations.size(), 4U);
  // The first packet at or after 120 s brings it; no packet is lost on the way.
  EXPECT_EQ(initiations[1], 121s);
  EXPECT_EQ(initiations[2], 242s);
  EXPECT_EQ(initiations[3], 363s);
}

TEST(WireGuardTimers, ResponderLeavesRenewingToTheInitiator) {
  TwoHosts hosts;
  hosts.establish();
  const Instant start = hosts.network.now;
  for (int i = 0; i < 170; ++i) {
    hosts.send_left("x");
    hosts.network.run_for(1s);
  }
  EXPECT_EQ(hosts.left->received.size(), 170U);
  // The initiator's keepalives are sent under the session too, so they renew it at 120 s.
  const auto sent = hosts.network.take_sent();
  const auto initiations = times_of(sent, start, MessageType::initiation);
  ASSERT_EQ(initiations.size(), 1U);
  EXPECT_GE(initiations[0], 120s);
  EXPECT_LE(initiations[0], 132s);
  for (const Datagram& datagram : sent) {
    if (datagram.type() != MessageType::initiation) continue;
    EXPECT_EQ(datagram.from, hosts.left_address);
  }
}

TEST(WireGuardTimers, ReceivingInitiatorRenewsFrom165SecondsOn) {
  for (const auto& [age, renews] : {std::pair<Duration, bool>{164s, false}, {165s, true}}) {
    TwoHosts hosts;
    const Instant start = hosts.network.now;
    hosts.left->start_handshake(hosts.right_peer);
    hosts.network.run_until(start + age + 15ms);  // derived after 20 ms
    hosts.network.take_sent();
    hosts.send_left("x");
    hosts.network.run_for(100ms);
    EXPECT_EQ(hosts.left->received.size(), 1U);
    EXPECT_EQ(hosts.network.count_sent(MessageType::initiation), renews ? 1U : 0U);
  }
}

TEST(WireGuardTimers, ReceivingInitiatorRenewsOncePerSession) {
  TwoHosts hosts;
  hosts.establish();
  hosts.network.passes = [](const Datagram& datagram) {
    return datagram.type() == MessageType::transport;
  };
  hosts.network.run_for(166s);
  hosts.network.take_sent();
  for (int i = 0; i < 5; ++i) {
    hosts.send_left("x");
    hosts.network.run_for(1s);
  }
  EXPECT_EQ(hosts.left->received.size(), 5U);
  // The retries come from the timer, not from the packets.
  EXPECT_EQ(hosts.network.count_sent(MessageType::initiation), 1U);
}

TEST(WireGuardTimers, PassiveKeepaliveAnswersOneWayTraffic) {
  TwoHosts hosts;
  hosts.establish();
  const Instant start = hosts.network.now;
  hosts.send_right("x");
  hosts.network.run_for(1min);
  const auto sent = hosts.network.take_sent();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_TRUE(sent[1].is_keepalive());
  EXPECT_EQ(sent[1].from, hosts.right_address);
  EXPECT_EQ(sent[1].sent - start, 10s + 10ms);
}

TEST(WireGuardTimers, AnIdleTunnelIsSilent) {
  TwoHosts hosts;
  hosts.send_right("x");
  hosts.network.run_for(30s);
  hosts.network.take_sent();
  hosts.network.run_for(8min);
  EXPECT_TRUE(hosts.network.take_sent().empty());
  EXPECT_EQ(hosts.left->count(Kind::sessions_zeroed), 0U);
  hosts.network.run_for(2min);
  // 540 s after the session was derived its keys are gone on both sides.
  EXPECT_EQ(hosts.left->count(Kind::sessions_zeroed), 1U);
  EXPECT_EQ(hosts.right->count(Kind::sessions_zeroed), 1U);
  EXPECT_TRUE(hosts.network.take_sent().empty());
  EXPECT_FALSE(hosts.left->device.next_deadline());
  EXPECT_FALSE(hosts.right->device.next_deadline());
  // And comes back with the next packet.
  EXPECT_EQ(hosts.send_right("y"), Verdict::staged);
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->received.size(), 2U);
}

TEST(WireGuardTimers, KeysOf180SecondsAreNotUsed) {
  TwoHosts hosts;
  hosts.establish();
  std::vector<Datagram> late;
  hosts.network.passes = [&](const Datagram& datagram) {
    if (datagram.type() == MessageType::transport) late.push_back(datagram);
    return datagram.type() != MessageType::transport;
  };
  hosts.network.run_for(179s);
  EXPECT_EQ(hosts.send_left("sealed in time"), Verdict::sealed);
  hosts.network.run_for(2s);
  ASSERT_EQ(late.size(), 1U);
  hosts.left->handle(late[0]);
  EXPECT_TRUE(hosts.left->received.empty());
  EXPECT_EQ(hosts.send_left("too late"), Verdict::staged);
}

TEST(WireGuardTimers, PersistentKeepaliveBringsUpTheTunnelAndKeepsIt) {
  TwoHosts hosts;
  hosts.left->device.remove_peer(hosts.right_peer);
  hosts.right_peer = hosts.left->device
                         .add_peer({hosts.right_keys.public_key,
                                    hosts.preshared_key,
                                    {IpPrefix(hosts.right_inner, 32)},
                                    hosts.right_address,
                                    25s})
                         .value();
  const Instant start = hosts.network.now;
  hosts.network.run_for(10min);
  const auto sent = hosts.network.take_sent();
  const auto initiations = times_of(sent, start, MessageType::initiation);
  ASSERT_FALSE(initiations.empty());
  EXPECT_EQ(initiations[0], 0s);
  // Keepalives renew the session at 120 s as data does.
  EXPECT_EQ(initiations.size(), 5U);
  Instant last = start;
  for (const Datagram& datagram : sent) {
    EXPECT_LE(datagram.sent - last, 25s + 100ms);
    last = datagram.sent;
  }
}

TEST(WireGuardTimers, PersistentKeepaliveTriesForever) {
  TwoHosts hosts;
  hosts.left->device.remove_peer(hosts.right_peer);
  ASSERT_TRUE(hosts.left->device.add_peer(
      {hosts.right_keys.public_key, hosts.preshared_key, {}, hosts.right_address, 25s}));
  hosts.network.passes = [](const Datagram&) { return false; };
  hosts.network.run_for(1h);
  hosts.network.take_sent();
  hosts.network.run_for(30s);
  EXPECT_FALSE(hosts.network.take_sent().empty());
  EXPECT_GE(hosts.left->count(Kind::handshake_gave_up), 1U);
}

}  // namespace
}  // namespace sidestream::tunnel
