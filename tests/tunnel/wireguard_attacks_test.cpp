// What an attacker may try: forging, replaying, racing, flooding. And what a device under load
// does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "tests/support/wireguard_network.h"
#include "tunnel/cookie.h"

namespace sidestream::tunnel {
namespace {

using Verdict = WireGuardDevice::Sealed::Verdict;
using Kind = DeviceEvent::Kind;

const SocketAddress attacker = *SocketAddress::parse("198.51.100.66:666");

// Keeps what the network carries, of one type.
std::vector<Datagram> of_type(const std::vector<Datagram>& sent, MessageType type) {
  std::vector<Datagram> list;
  std::ranges::copy_if(sent, std::back_inserter(list),
                       [&](const Datagram& datagram) { return datagram.type() == type; });
  return list;
}

TEST(WireGuardAttacks, JunkGetsNoAnswer) {
  TwoHosts hosts;
  hosts.establish();
  SeededRandom random(1);
  for (int i = 0; i < 20'000; ++i) {
    Datagram junk{hosts.network.now, attacker, hosts.right_address, {}};
    junk.bytes.resize(random.below(300));
    if (random.chance(0.5)) {
      constexpr std::array<std::size_t, 4> sizes{148, 92, 64, 32};
      const std::uint32_t type = random.below(4);
      junk.bytes.resize(sizes[type]);
      random.fill(junk.bytes);
      ByteWriter(junk.bytes).u32_le(type + 1);
    } else {
      random.fill(junk.bytes);
    }
    hosts.right->handle(junk);
  }
  hosts.network.run_for(10s);
  EXPECT_TRUE(hosts.network.take_sent().empty());
  EXPECT_TRUE(hosts.right->received.empty());
  EXPECT_FALSE(hosts.right->device.under_load(hosts.network.now));
  EXPECT_EQ(hosts.right->device.status(hosts.left_peer)->endpoint, hosts.left_address);
}

TEST(WireGuardAttacks, EachFlippedBitOfAHandshakeMeansSilence) {
  for (const MessageType type : {MessageType::initiation, MessageType::response}) {
    TwoHosts hosts;
    std::vector<Datagram> held;
    hosts.network.passes = [&](const Datagram& datagram) {
      if (datagram.type() != type) return true;
      held.push_back(datagram);
      return false;
    };
    hosts.left->start_handshake(hosts.right_peer);
    hosts.network.run_for(100ms);
    ASSERT_EQ(held.size(), 1U);
    hosts.network.take_sent();
    Host& target = type == MessageType::initiation ? *hosts.right : *hosts.left;
    // mac2 is not looked at when there is no load.
    for (std::size_t at = 0; at < held[0].bytes.size() - 16; ++at) {
      Datagram forged = held[0];
      forged.from = attacker;
      forged.bytes[at] ^= 0x01U;
      target.handle(forged);
    }
    EXPECT_TRUE(hosts.network.take_sent().empty());
    EXPECT_TRUE(target.events.empty());
    // And none of them has changed anything: the true one is accepted.
    target.handle(held[0]);
    hosts.network.passes = nullptr;
    hosts.network.run_for(100ms);
    EXPECT_FALSE(hosts.network.take_sent().empty());
    EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
  }
}

TEST(WireGuardAttacks, ReservedBytesOfDataAreZeroOrElse) {
  TwoHosts hosts;
  hosts.establish();
  hosts.network.passes = [](const Datagram&) { return false; };
  hosts.send_right("x");
  const Datagram good = hosts.network.sent.back();
  for (std::size_t at = 1; at < 4; ++at) {
    Datagram forged = good;
    forged.bytes[at] = 1;
    hosts.right->handle(forged);
  }
  EXPECT_TRUE(hosts.right->received.empty());
  hosts.right->handle(good);
  EXPECT_EQ(hosts.right->received.size(), 1U);
}

TEST(WireGuardAttacks, ReplayedDataIsDroppedAndDoesNotMoveTheEndpoint) {
  TwoHosts hosts;
  hosts.establish();
  hosts.send_right("x");
  Datagram copy = hosts.network.sent.back();
  hosts.network.run_for(1s);
  ASSERT_EQ(hosts.right->received.size(), 1U);
  copy.from = attacker;
  hosts.right->handle(copy);
  EXPECT_EQ(hosts.right->received.size(), 1U);
  EXPECT_EQ(hosts.right->device.status(hosts.left_peer)->endpoint, hosts.left_address);
}

TEST(WireGuardAttacks, ReplayedInitiationIsNotAnswered) {
  TwoHosts hosts;
  hosts.left->start_handshake(hosts.right_peer);
  Datagram copy = hosts.network.sent.back();
  hosts.network.run_for(1s);
  hosts.network.take_sent();
  for (int i = 0; i < 10; ++i) {
    copy.from = attacker;
    hosts.right->handle(copy);
    hosts.network.run_for(1min);
  }
  EXPECT_TRUE(of_type(hosts.network.take_sent(), MessageType::response).empty());
  EXPECT_EQ(hosts.right->device.status(hosts.left_peer)->endpoint, hosts.left_address);
  // The session that it belongs to was not touched either.
  EXPECT_EQ(hosts.right->count(Kind::handshake_completed), 1U);
}

TEST(WireGuardAttacks, OlderInitiationAfterANewerOneIsRefused) {
  TwoHosts hosts;
  std::vector<Datagram> held;
  hosts.network.passes = [&](const Datagram& datagram) {
    held.push_back(datagram);
    return false;
  };
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(6s);
  ASSERT_EQ(held.size(), 2U);
  hosts.network.take_sent();
  hosts.right->handle(held[1]);
  EXPECT_EQ(hosts.network.take_sent().size(), 1U);
  hosts.network.run_for(1s);
  hosts.network.take_sent();
  hosts.right->handle(held[0]);
  EXPECT_TRUE(hosts.network.take_sent().empty());
}

TEST(WireGuardAttacks, InitiationsCloserThanTwentyMillisecondsAreAFlood) {
  TwoHosts hosts;
  std::vector<Datagram> held;
  hosts.network.passes = [&](const Datagram& datagram) {
    held.push_back(datagram);
    return false;
  };
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(12s);
  ASSERT_EQ(held.size(), 3U);
  hosts.network.take_sent();
  hosts.right->handle(held[0]);
  hosts.network.run_for(19ms);
  hosts.right->handle(held[1]);
  EXPECT_EQ(hosts.network.take_sent().size(), 1U);
  hosts.network.run_for(1ms);
  hosts.right->handle(held[2]);
  EXPECT_EQ(hosts.network.take_sent().size(), 1U);
}

TEST(WireGuardAttacks, ClockThatGoesBackDoesNotLockOut) {
  TwoHosts hosts;
  hosts.establish();
  hosts.network.run_for(10s);
  hosts.left->device.set_wall_clock(hosts.network.now, WallTime{});
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 2U);
  // Nor does a restart without a clock, when the last timestamp was kept.
  const Timestamp last = hosts.left->device.last_timestamp();
  hosts.network.run_for(10s);
  hosts.restart_left();
  hosts.left->device.set_wall_clock(hosts.network.now, WallTime{});
  hosts.left->device.set_last_timestamp(last);
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
}

// A copy of a response, racing a new initiation, made Linux derive the same session twice, with its
// counters beginning again. Here a response belongs to one initiation and is gone with it.
TEST(WireGuardAttacks, Cve2026_99059DuplicateResponseRacingANewInitiation) {
  TwoHosts hosts;
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(15ms);
  const auto responses = of_type(hosts.network.take_sent(), MessageType::response);
  ASSERT_EQ(responses.size(), 1U);
  hosts.network.run_for(1s);  // the first copy makes the session
  ASSERT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
  hosts.send_right("counter 1");
  hosts.network.run_for(4s);
  hosts.network.take_sent();

  hosts.network.passes = [](const Datagram& datagram) {
    return datagram.type() == MessageType::transport;
  };
  hosts.left->handle(responses[0]);
  hosts.left->start_handshake(hosts.right_peer);
  ASSERT_EQ(hosts.network.count_sent(MessageType::initiation), 1U);
  hosts.left->handle(responses[0]);
  hosts.network.run_for(100ms);
  hosts.left->handle(responses[0]);
  EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 1U);
  // Counters go on: keepalive 0, "counter 1", now 2.
  hosts.network.take_sent();
  EXPECT_EQ(hosts.send_right("counter 2"), Verdict::sealed);
  EXPECT_EQ(TransportHeader::parse(hosts.network.sent.back().bytes)->counter, 2U);

  // The other order: the copy of a response to an initiation that a newer one has replaced.
  TwoHosts again(2);
  std::vector<Datagram> held;
  again.network.passes = [&](const Datagram& datagram) {
    if (datagram.type() != MessageType::response) return true;
    held.push_back(datagram);
    return false;
  };
  again.left->start_handshake(again.right_peer);
  again.network.run_for(6s);
  ASSERT_EQ(held.size(), 2U);
  again.left->handle(held[0]);
  EXPECT_EQ(again.left->count(Kind::handshake_completed), 0U);
  again.left->handle(held[1]);
  again.left->handle(held[1]);
  again.left->handle(held[0]);
  EXPECT_EQ(again.left->count(Kind::handshake_completed), 1U);
}

TEST(WireGuardAttacks, LowOrderKeysAreSilent) {
  const Vector low = load_vector("wireguard.json", "low_order_public_keys");
  for (const auto& hex : low.inputs.at("hex").as_array()) {
    TwoHosts hosts;
    std::vector<Datagram> held;
    hosts.network.passes = [&](const Datagram& datagram) {
      held.push_back(datagram);
      return datagram.type() == MessageType::initiation;
    };
    hosts.left->start_handshake(hosts.right_peer);
    hosts.network.run_for(100ms);
    ASSERT_EQ(held.size(), 2U);
    hosts.network.take_sent();
    // As the ephemeral key of both messages, with a mac1 that is good.
    std::ranges::copy(bytes_of_json(hex), held[0].bytes.begin() + 8);
    std::ranges::copy(bytes_of_json(hex), held[1].bytes.begin() + 12);
    CookieJar(hosts.right_keys.public_key).write_macs(hosts.network.now, held[0].bytes);
    CookieJar(hosts.left_keys.public_key).write_macs(hosts.network.now, held[1].bytes);
    hosts.right->handle(held[0]);
    hosts.left->handle(held[1]);
    EXPECT_TRUE(hosts.network.take_sent().empty());
    EXPECT_EQ(hosts.left->count(Kind::handshake_completed), 0U);
  }
}

TEST(WireGuardAttacks, UnknownPeerIsNotAnswered) {
  TwoHosts hosts;
  hosts.right->device.remove_peer(hosts.left_peer);
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(2min);
  for (const Datagram& datagram : hosts.network.sent) EXPECT_EQ(datagram.from, hosts.left_address);
}

// ---- roaming
// --------------------------------------------------------------------------------------

TEST(WireGuardRoaming, AuthenticDataMovesTheEndpoint) {
  TwoHosts hosts;
  hosts.establish();
  hosts.left->address = *SocketAddress::parse("[2001:db8::5]:5");
  hosts.send_right("from elsewhere");
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->device.status(hosts.left_peer)->endpoint, hosts.left->address);
  EXPECT_EQ(hosts.right->count(Kind::endpoint_changed), 1U);
  hosts.send_left("follows");
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.left->received.size(), 1U);
}

TEST(WireGuardRoaming, HandshakesMoveTheEndpointToo) {
  TwoHosts hosts;
  const auto elsewhere = *SocketAddress::parse("203.0.113.9:9");
  hosts.left->address = elsewhere;
  hosts.left->start_handshake(hosts.right_peer);
  hosts.network.run_for(15ms);
  EXPECT_EQ(hosts.right->device.status(hosts.left_peer)->endpoint, elsewhere);
  EXPECT_EQ(hosts.network.sent.back().to, elsewhere);
  // The response came from another address than the one that was asked.
  const auto moved = *SocketAddress::parse("203.0.113.10:10");
  Datagram response = hosts.network.sent.back();
  response.from = moved;
  hosts.left->handle(response);
  EXPECT_EQ(hosts.left->device.status(hosts.right_peer)->endpoint, moved);
}

TEST(WireGuardRoaming, MappedAddressesAreIPv4) {
  TwoHosts hosts;
  hosts.left->start_handshake(hosts.right_peer);
  Datagram initiation = hosts.network.take_sent().back();
  initiation.from = *SocketAddress::parse("[::ffff:203.0.113.9]:9");
  hosts.right->handle(initiation);
  EXPECT_EQ(hosts.right->device.status(hosts.left_peer)->endpoint,
            *SocketAddress::parse("203.0.113.9:9"));
}

TEST(WireGuardRoaming, ResponderNeedsNoEndpointBeforehand) {
  TwoHosts hosts;
  hosts.right->device.remove_peer(hosts.left_peer);
  hosts.left_peer = hosts.right->device
                        .add_peer({hosts.left_keys.public_key,
                                   hosts.preshared_key,
                                   {IpPrefix(hosts.left_inner, 32)},
                                   {},
                                   25s})
                        .value();
  EXPECT_EQ(hosts.send_left("x"), Verdict::no_endpoint);
  hosts.network.run_for(1min);
  EXPECT_TRUE(hosts.network.take_sent().empty());
  hosts.send_right("x");
  hosts.network.run_for(1s);
  EXPECT_EQ(hosts.right->received.size(), 1U);
  EXPECT_EQ(hosts.send_left("x"), Verdict::sealed);
  hosts.right->device.set_endpoint(hosts.left_peer, attacker);
  EXPECT_EQ(hosts.right->device.status(hosts.left_peer)->endpoint, attacker);
  EXPECT_EQ(hosts.right->count(Kind::endpoint_changed), 1U);  // not for what we set ourselves
}

}  // namespace
}  // namespace sidestream::tunnel
