#include "tunnel/wireguard_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "tests/support/wireguard_network.h"

namespace sidestream::tunnel {
namespace {

using Verdict = WireGuardDevice::Sealed::Verdict;
using Kind = DeviceEvent::Kind;

std::vector<MessageType> types(const std::vector<Datagram>& datagrams) {
  std::vector<MessageType> list;
  for (const Datagram& datagram : datagrams) list.push_back(datagram.type().value());
  return list;
}

TEST(WireGuardDevice, FirstPacketBringsTheSessionWithIt) {
  TwoHosts hosts;
  EXPECT_EQ(hosts.send_right("hello"), Verdict::staged);
  hosts.network.run_for(1s);
  ASSERT_EQ(hosts.right->received.size(), 1U);
  EXPECT_EQ(hosts.right->received[0], ipv4_packet(hosts.left_inner, hosts.right_inner, "hello"));
  const auto sent = hosts.network.take_sent();
  EXPECT_THAT(types(sent), testing::ElementsAre(MessageType::initiation, MessageType::response,
                                                MessageType::transport));
  EXPECT_EQ(sent[0].traffic_class, 0x88);
  EXPECT_EQ(sent[1].traffic_class, 0x88);
  EXPECT_EQ(sent[2].traffic_class, 0);
  // 20 + 5 bytes, padded to 32.
  EXPECT_EQ(sent[2].bytes.size(), 32U + keepalive_bytes);
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
  EXPECT_EQ(hosts.right->count(Kind::handshake_completed), 1U);

  EXPECT_EQ(hosts.send_right("again"), Verdict::sealed);
  EXPECT_EQ(hosts.send_left("answer"), Verdict::sealed);
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->received.size(), 2U);
  ASSERT_EQ(hosts.left->received.size(), 1U);
  EXPECT_EQ(hosts.left->received[0], ipv4_packet(hosts.right_inner, hosts.left_inner, "answer"));
}

TEST(WireGuardDevice, InitiatorWithNothingToSendConfirmsWithAKeepalive) {
  TwoHosts hosts;
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(1s);
  const auto sent = hosts.network.take_sent();
  EXPECT_THAT(types(sent), testing::ElementsAre(MessageType::initiation, MessageType::response,
                                                MessageType::transport));
  EXPECT_TRUE(sent[2].is_keepalive());
  EXPECT_TRUE(hosts.right->received.empty());
}

TEST(WireGuardDevice, ResponderStagesUntilTheSessionIsConfirmed) {
  TwoHosts hosts;
  hosts.network.passes = [](const Datagram& datagram) { return !datagram.is_keepalive(); };
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(100ms);
  EXPECT_EQ(hosts.send_left("too early"), Verdict::staged);
  EXPECT_EQ(hosts.right->count(Kind::handshake_completed), 0U);
  hosts.network.run_for(100ms);
  EXPECT_TRUE(hosts.left->received.empty());
  EXPECT_EQ(hosts.send_right("confirms"), Verdict::sealed);
  hosts.network.run_for(100ms);
  ASSERT_EQ(hosts.left->received.size(), 1U);
  EXPECT_EQ(hosts.left->received[0], ipv4_packet(hosts.right_inner, hosts.left_inner, "too early"));
  EXPECT_EQ(hosts.network.count_sent(MessageType::initiation), 1U);
}

TEST(WireGuardDevice, StagedPacketsKeepTheirOrderAndTheOldestAreDropped) {
  TwoHosts hosts;
  hosts.limits.staged_packets_max = 128;
  for (int i = 0; i < 200; ++i) EXPECT_EQ(hosts.send_right(std::to_string(i)), Verdict::staged);
  hosts.network.run_for(1s);
  ASSERT_EQ(hosts.right->received.size(), 128U);
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(hosts.right->received[static_cast<std::size_t>(i)],
              ipv4_packet(hosts.left_inner, hosts.right_inner, std::to_string(72 + i)));
}

TEST(WireGuardDevice, PacketsThatCannotBeSentAreRefused) {
  TwoHosts hosts;
  const auto elsewhere = *IpAddress::parse("10.0.0.3");
  EXPECT_EQ(hosts.left->send(ipv4_packet(hosts.left_inner, elsewhere, "x")), Verdict::no_route);
  EXPECT_EQ(hosts.left->send({}), Verdict::no_route);
  EXPECT_EQ(hosts.left->send(std::vector<std::uint8_t>(60)), Verdict::no_route);
  const std::string long_text(1420 - 20, 'x');
  EXPECT_EQ(hosts.send_right(long_text), Verdict::staged);
  EXPECT_EQ(hosts.send_right(long_text + "x"), Verdict::no_route);
  const auto third = hosts.left->device.add_peer(
      {generate_key_pair(hosts.network.random).public_key, {}, {IpPrefix(elsewhere, 32)}, {}});
  ASSERT_TRUE(third);
  EXPECT_EQ(hosts.left->send(ipv4_packet(hosts.left_inner, elsewhere, "x")), Verdict::no_endpoint);
}

TEST(WireGuardDevice, PeersAreCheckedWhenTheyAreAdded) {
  TwoHosts hosts;
  WireGuardDevice& device = hosts.left->device;
  EXPECT_EQ(device.public_key(), hosts.left_keys.public_key);
  EXPECT_EQ(device.add_peer({hosts.left_keys.public_key, {}, {}, {}}).error(),
            AddPeerError::own_key);
  EXPECT_EQ(device.add_peer({hosts.right_keys.public_key, {}, {}, {}}).error(),
            AddPeerError::already_there);
  const Vector low = load_vector("wireguard.json", "low_order_public_keys");
  for (const auto& text : low.inputs.at("base64").as_array())
    EXPECT_EQ(device.add_peer({*PublicKey::parse(text_of_json(text)), {}, {}, {}}).error(),
              AddPeerError::low_order_key);
  EXPECT_EQ(device.find_peer(hosts.right_keys.public_key), hosts.right_peer);
  EXPECT_EQ(device.route(hosts.right_inner), hosts.right_peer);
  device.remove_peer(hosts.right_peer);
  device.remove_peer(PeerId{77});
  EXPECT_FALSE(device.find_peer(hosts.right_keys.public_key));
  EXPECT_FALSE(device.route(hosts.right_inner));
  EXPECT_FALSE(device.status(hosts.right_peer));
  const auto again = device.add_peer({hosts.right_keys.public_key, {}, {}, {}});
  ASSERT_TRUE(again);
  EXPECT_NE(*again, hosts.right_peer);
}

TEST(WireGuardDevice, LimitsOfPeersAndPrefixesHold) {
  SeededRandom random(1);
  DeviceLimits limits;
  limits.peers_max = 2;
  limits.allowed_ips_max = 3;
  WireGuardDevice device(generate_key_pair(random).private_key, 1420, random, limits);
  const std::vector<IpPrefix> two{*IpPrefix::parse("10.0.0.0/24"), *IpPrefix::parse("10.1.0.0/24")};
  EXPECT_TRUE(device.add_peer({generate_key_pair(random).public_key, {}, two, {}}));
  EXPECT_EQ(device.add_peer({generate_key_pair(random).public_key, {}, two, {}}).error(),
            AddPeerError::too_many);
  EXPECT_TRUE(device.add_peer({generate_key_pair(random).public_key, {}, {}, {}}));
  EXPECT_EQ(device.add_peer({generate_key_pair(random).public_key, {}, {}, {}}).error(),
            AddPeerError::too_many);
}

TEST(WireGuardDevice, RemovedPeerIsSilentAtOnce) {
  TwoHosts hosts;
  hosts.establish();
  hosts.right->device.remove_peer(hosts.left_peer);
  EXPECT_EQ(hosts.send_right("x"), Verdict::sealed);
  hosts.network.run_for(10min);
  EXPECT_TRUE(hosts.right->received.empty());
  for (const Datagram& datagram : hosts.network.sent) EXPECT_EQ(datagram.from, hosts.left_address);
  EXPECT_FALSE(hosts.right->device.next_deadline());
}

TEST(WireGuardDevice, OnlyTheOwnersAddressesComeOut) {
  TwoHosts hosts;
  hosts.establish();
  const auto foreign = *IpAddress::parse("10.0.0.9");
  hosts.left->send(ipv4_packet(foreign, hosts.right_inner, "forged source"));
  hosts.network.run_for(1s);
  EXPECT_TRUE(hosts.right->received.empty());
  // It was authentic, though: it counts as traffic of the peer.
  EXPECT_GT(hosts.right->device.status(hosts.left_peer)->traffic.received_bytes, 0U);
}

TEST(WireGuardDevice, TrafficClassesOutside) {
  const Vector encapsulate = load_vector("wireguard.json", "ecn_encapsulate");
  ASSERT_EQ(encapsulate.inputs.at("inner").as_array().size(), 4U);
  TwoHosts hosts;
  hosts.establish();
  // DSCP stays inside, CE is sent as ECT(0).
  for (const auto& [inner, outer] : {std::pair{0xb8, 0}, {0xb9, 1}, {0xba, 2}, {0xbb, 2}}) {
    hosts.left->send(
        ipv4_packet(hosts.left_inner, hosts.right_inner, "x", static_cast<std::uint8_t>(inner)));
    EXPECT_EQ(hosts.network.sent.back().traffic_class, outer);
  }
  // Congestion marked on the way comes out inside.
  hosts.network.run_for(1s);
  hosts.right->received.clear();
  const auto packet = ipv4_packet(hosts.left_inner, hosts.right_inner, "x", 0x02);
  hosts.network.passes = [](const Datagram&) { return false; };
  hosts.left->send(packet);
  Datagram marked = hosts.network.sent.back();
  marked.traffic_class = 3;
  hosts.right->handle(marked);
  ASSERT_EQ(hosts.right->received.size(), 1U);
  EXPECT_EQ(hosts.right->received[0], ipv4_packet(hosts.left_inner, hosts.right_inner, "x", 0x03));
}

TEST(WireGuardDevice, StatusTellsWhatHappened) {
  TwoHosts hosts;
  const auto status = [&] { return *hosts.left->device.status(hosts.right_peer); };
  EXPECT_EQ(status().endpoint, hosts.right_address);
  EXPECT_FALSE(status().last_handshake);
  EXPECT_FALSE(status().unanswered_since);
  const Instant start = hosts.network.now;
  hosts.left->start_handshake(hosts.right_peer);
  EXPECT_EQ(status().unanswered_since, start);
  hosts.network.run_for(1s);
  EXPECT_EQ(status().last_handshake, start + 20ms);
  EXPECT_FALSE(status().unanswered_since);
  EXPECT_EQ(status().traffic.sent_bytes, initiation_bytes + keepalive_bytes);
  EXPECT_EQ(status().traffic.received_bytes, response_bytes);
  const auto other = *hosts.right->device.status(hosts.left_peer);
  EXPECT_EQ(other.traffic.sent_bytes, response_bytes);
  EXPECT_EQ(other.traffic.received_bytes, initiation_bytes + keepalive_bytes);
  EXPECT_EQ(other.last_handshake, start + 30ms);
  EXPECT_EQ(other.traffic.sent_datagrams, 1U);
  EXPECT_EQ(other.traffic.received_datagrams, 2U);
  EXPECT_EQ(other.handshakes, 1U);
  EXPECT_EQ(other.handshakes_given_up, 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
