// Many peers and many handshakes: what a device under load does, and that a thousand peers are no
// problem.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/wireguard_network.h"
#include "tunnel/cookie.h"
#include "tunnel/noise.h"

namespace sidestream::tunnel {
namespace {

using Kind = DeviceEvent::Kind;

// Initiations with a good mac1 from nobody in particular: what an attacker can make who knows the
// public key.
class Flood {
 public:
  explicit Flood(const PublicKey& target) : jar_(target) {}

  Datagram next(Instant now, const SocketAddress& to) {
    Datagram datagram{now, {IpAddress::v4(0xc6336400U + random_.below(256)), 666}, to, {}};
    datagram.bytes.resize(initiation_bytes);
    random_.fill(datagram.bytes);
    ByteWriter(datagram.bytes).u32_le(1);
    jar_.write_macs(now, datagram.bytes);
    return datagram;
  }

 private:
  SeededRandom random_{99};
  CookieJar jar_;
};

// So small that a few messages are a load.
DeviceLimits easily_loaded() {
  DeviceLimits limits;
  limits.handshakes_per_turn_max = 2;
  limits.handshake_queue_max = 16;
  limits.under_load_from = 2;
  return limits;
}

void put_under_load(TwoHosts& hosts, Flood& flood) {
  for (int i = 0; i < 8; ++i)
    hosts.right->handle(flood.next(hosts.network.now, hosts.right_address));
  ASSERT_TRUE(hosts.right->device.under_load(hosts.network.now));
}

TEST(WireGuardLoad, CookieRoundTrip) {
  TwoHosts hosts(1, easily_loaded());
  Flood flood(hosts.right_keys.public_key);
  // A flood that never ends, from somewhere.
  const Instant start = hosts.network.now;
  hosts.left->start_handshake(hosts.right_peer);
  for (int i = 0; i < 1000; ++i) {
    for (int k = 0; k < 4; ++k)
      hosts.right->handle(flood.next(hosts.network.now, hosts.right_address));
    hosts.network.run_for(10ms);
    if (hosts.left->count(Kind::handshake_completed) > 0) break;
  }
  // The first initiation got a cookie, the second proved the address with it.
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
  EXPECT_GE(hosts.network.now - start, 5s);
  EXPECT_LE(hosts.network.now - start, 6s);
  std::vector<Datagram> initiations;
  std::size_t cookies = 0;
  for (const Datagram& datagram : hosts.network.take_sent()) {
    if (datagram.type() == MessageType::initiation) initiations.push_back(datagram);
    if (datagram.type() != MessageType::cookie_reply) continue;
    EXPECT_EQ(datagram.traffic_class, 0);
    if (datagram.to == hosts.left_address) ++cookies;
  }
  EXPECT_EQ(cookies, 1U);
  ASSERT_EQ(initiations.size(), 2U);
  const auto mac2_is_zero = [](const Datagram& datagram) {
    return std::ranges::all_of(Bytes(datagram.bytes).last(16),
                               [](std::uint8_t byte) { return byte == 0; });
  };
  EXPECT_TRUE(mac2_is_zero(initiations[0]));
  EXPECT_FALSE(mac2_is_zero(initiations[1]));
  // A cookie reply is not proof of where the peer is, and brings nothing out at once.
  EXPECT_EQ(hosts.left->count(Kind::endpoint_changed), 0U);
}

TEST(WireGuardLoad, ResponsesAreAskedForCookiesToo) {
  TwoHosts hosts(1, easily_loaded());
  Flood flood(hosts.left_keys.public_key);
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(15ms);  // the response is on its way
  for (int i = 0; i < 8; ++i) hosts.left->handle(flood.next(hosts.network.now, hosts.left_address));
  ASSERT_TRUE(hosts.left->device.under_load(hosts.network.now));
  hosts.network.run_for(50ms);
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 0U);
  const auto to_right = std::ranges::count_if(hosts.network.sent, [&](const Datagram& datagram) {
    return datagram.type() == MessageType::cookie_reply && datagram.to == hosts.right_address;
  });
  EXPECT_EQ(to_right, 1);
  // The next response carries mac2.
  for (int i = 0; i < 100 && hosts.left->count(Kind::handshake_completed) == 0; ++i) {
    for (int k = 0; k < 8; ++k)
      hosts.left->handle(flood.next(hosts.network.now, hosts.left_address));
    hosts.network.run_for(100ms);
  }
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
}

TEST(WireGuardLoad, CookieOfAnotherAddressIsNotGood) {
  TwoHosts hosts(1, easily_loaded());
  Flood flood(hosts.right_keys.public_key);
  put_under_load(hosts, flood);
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(100ms);
  // It has a cookie now, and moves.
  hosts.left->address = *SocketAddress::parse("203.0.113.9:9");
  hosts.network.run_for(4700ms);
  put_under_load(hosts, flood);
  hosts.network.take_sent();
  hosts.network.run_for(500ms);
  EXPECT_EQ(hosts.network.count_sent(MessageType::initiation), 1U);
  EXPECT_EQ(hosts.network.count_sent(MessageType::response), 0U);
}

TEST(WireGuardLoad, ProvenSourcesAreLimitedInNumber) {
  TwoHosts hosts(1, easily_loaded());
  Flood flood(hosts.right_keys.public_key);
  put_under_load(hosts, flood);
  // One source with a cookie sends a lot.
  CookieJar jar(hosts.right_keys.public_key);
  const auto source = *SocketAddress::parse("203.0.113.9:9");
  Datagram datagram = flood.next(hosts.network.now, hosts.right_address);
  datagram.from = source;
  jar.write_macs(hosts.network.now, datagram.bytes);
  hosts.network.take_sent();
  hosts.right->handle(datagram);
  ASSERT_EQ(hosts.network.sent.size(), 1U);
  ASSERT_TRUE(jar.take_reply(hosts.network.now, *CookieReply::parse(hosts.network.sent[0].bytes)));
  jar.write_macs(hosts.network.now, datagram.bytes);
  hosts.network.take_sent();
  for (int i = 0; i < 1000; ++i) hosts.right->handle(datagram);
  // Neither cookies nor anything else: five were queued, the others dropped.
  EXPECT_TRUE(hosts.network.take_sent().empty());
  hosts.network.run_for(3s);
  EXPECT_FALSE(hosts.right->device.under_load(hosts.network.now));
}

TEST(WireGuardLoad, FloodCostsABoundedNumberOfHandshakes) {
  DeviceLimits limits;
  TwoHosts hosts(1, limits);
  Flood flood(hosts.right_keys.public_key);
  hosts.network.take_sent();
  for (int i = 0; i < 3000; ++i) {
    // Not drained after each datagram, as a driver that reads a whole batch first.
    Datagram datagram = flood.next(hosts.network.now, hosts.right_address);
    hosts.right->device.handle_datagram(hosts.network.now, datagram.from, datagram.bytes);
  }
  EXPECT_TRUE(hosts.right->device.under_load(hosts.network.now));
  hosts.right->drain();
  EXPECT_EQ(hosts.network.count_sent(MessageType::cookie_reply), limits.cookie_replies_max);
  EXPECT_EQ(hosts.network.take_sent().size(), limits.cookie_replies_max);
  EXPECT_TRUE(hosts.right->device.next_deadline());
  hosts.network.run_for(2s);
  EXPECT_FALSE(hosts.right->device.under_load(hosts.network.now));
}

TEST(WireGuardLoad, DataGoesOnDuringAFlood) {
  TwoHosts hosts;
  Flood flood(hosts.right_keys.public_key);
  hosts.establish();
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 100; ++k)
      hosts.right->handle(flood.next(hosts.network.now, hosts.right_address));
    hosts.send_right("x");
    hosts.network.run_for(10ms);
  }
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->received.size(), 100U);
}

TEST(WireGuardLoad, AThousandPeers) {
  WireGuardNetwork network;
  const KeyPair edge_keys = generate_key_pair(network.random);
  const SocketAddress edge_address = *SocketAddress::parse("192.0.2.1:51820");
  Host& edge = network.add_host(edge_address, edge_keys.private_key);
  const IpAddress edge_inner = *IpAddress::parse("10.86.0.1");
  struct Sidecar {
    Host* host;
    IpAddress inner;
  };
  std::vector<Sidecar> sidecars;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const KeyPair keys = generate_key_pair(network.random);
    const IpAddress inner = IpAddress::v4(0x0a560100U + i);
    const SocketAddress address{IpAddress::v4(0xcb007100U + i), 1000};
    Host& host = network.add_host(address, keys.private_key);
    ASSERT_TRUE(edge.device.add_peer({keys.public_key, {}, {IpPrefix(inner, 32)}, {}}));
    ASSERT_TRUE(
        host.device.add_peer({edge_keys.public_key, {}, {IpPrefix(edge_inner, 32)}, edge_address}));
    sidecars.push_back({&host, inner});
  }
  // All at once, as after a restart of the edge.
  for (const Sidecar& sidecar : sidecars)
    sidecar.host->send(ipv4_packet(sidecar.inner, edge_inner, "up"));
  network.run_for(10s);
  EXPECT_EQ(edge.received.size(), 1000U);
  for (const Sidecar& sidecar : sidecars)
    EXPECT_EQ(edge.send(ipv4_packet(edge_inner, sidecar.inner, "down")),
              WireGuardDevice::Sealed::Verdict::sealed);
  network.run_for(1s);
  for (const Sidecar& sidecar : sidecars) EXPECT_EQ(sidecar.host->received.size(), 1U);
  EXPECT_LE(network.count_sent(MessageType::initiation), 2000U);
}

TEST(WireGuardLoad, OwnInitiationsAreSpreadOverTurns) {
  SeededRandom random(1);
  DeviceLimits limits;
  limits.handshakes_per_turn_max = 16;
  WireGuardDevice device(generate_key_pair(random).private_key, 1420, random, limits);
  const Instant start{std::chrono::hours(1)};
  for (std::uint32_t i = 0; i < 100; ++i) {
    const SocketAddress endpoint{IpAddress::v4(0xcb007100U + i), 1000};
    const auto peer = device.add_peer({generate_key_pair(random).public_key, {}, {}, endpoint});
    device.start_handshake(start, peer.value());
  }
  std::vector<std::uint8_t> buffer(datagram_bytes_for(1420));
  Instant now = start;
  std::size_t sent = 0;
  for (int turn = 0; turn < 7; ++turn) {
    std::size_t in_turn = 0;
    while (device.poll_transmit(now, buffer)) ++in_turn;
    EXPECT_LE(in_turn, 16U);
    sent += in_turn;
    now = device.next_deadline().value();
    device.handle_timeout(now);
  }
  EXPECT_EQ(sent, 100U);
  EXPECT_GE(now - start, 60ms);
}

}  // namespace
}  // namespace sidestream::tunnel
