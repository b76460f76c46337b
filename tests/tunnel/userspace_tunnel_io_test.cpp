#include "tunnel/userspace_tunnel_io.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/simulated_world_io.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint16_t port = 443;

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

PrivateKey key_of(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return PrivateKey(bytes);
}

// A home that dials a vps, 20 ms away.
class UserspaceTunnelTest : public testing::Test {
 protected:
  UserspaceTunnelTest() {
    world.set_paths(home_host, vps_host, {.delay = 10ms});
    PeerConfiguration to_vps;
    to_vps.public_key = vps.public_key();
    to_vps.allowed_ips = {*IpPrefix::parse("10.9.0.1/32")};
    to_vps.endpoint = SocketAddress{ip("192.0.2.1"), 51820};
    to_vps.persistent_keepalive = 25s;
    vps_peer = *home.add_peer(to_vps);
    PeerConfiguration to_home;
    to_home.public_key = home.public_key();
    to_home.allowed_ips = {*IpPrefix::parse("10.9.0.2/32")};
    home_peer = *vps.add_peer(to_home);
    listener = vps.listen(port);
  }

  static UserspaceTunnelConfiguration configuration(std::uint8_t fill, std::string_view inner,
                                                    const SocketAddress& listen) {
    UserspaceTunnelConfiguration configuration;
    configuration.private_key = key_of(fill);
    configuration.address = ip(inner);
    configuration.listen = listen;
    return configuration;
  }

  // One stream from home, with what the vps's end of it has read.
  void open_stream() {
    auto accepted = world.start(listener->accept());
    auto connected = world.start(home.connect({ip("10.9.0.1"), port}, 30s));
    ASSERT_TRUE(world.run_until([&] { return accepted.done() && connected.done(); }, 30s));
    home_end = std::move(connected.result());
    vps_end = std::move(accepted.result());
  }
  Task<> write(std::size_t bytes) {
    const std::vector<std::uint8_t> text(bytes, 7);
    co_await home_end->write_all(text);
  }
  Task<> read(std::size_t bytes) {
    std::vector<std::uint8_t> text(bytes);
    for (std::size_t at = 0; at < bytes;) {
      const std::size_t count = co_await vps_end->read_some(MutableBytes(text).subspan(at));
      if (count == 0) co_return;
      at += count;
    }
  }

  // Whoever connects says something at once, and hears the same from the vps.
  Task<> ask(std::size_t bytes) {
    const std::vector<std::uint8_t> text(bytes, 7);
    auto connected = co_await home.connect_saying({ip("10.9.0.1"), port}, 30s, text);
    said_at_once = connected.written_bytes;
    home_end = std::move(connected.stream);
    co_await home_end->write_all(Bytes(text).subspan(said_at_once));
    std::vector<std::uint8_t> answer(bytes);
    co_await home_end->read_some(answer);
  }
  Task<> answer(std::size_t bytes) {
    vps_end = co_await listener->accept();
    co_await read(bytes);
    const std::vector<std::uint8_t> text(bytes, 7);
    co_await vps_end->write_all(text);
  }

  World world{1};
  SimulatedHost& home_host = world.add_host("home", {ip("198.51.100.1")});
  SimulatedHost& vps_host = world.add_host("vps", {ip("192.0.2.1")});
  UserspaceTunnel home{home_host.network(), configuration(1, "10.9.0.2", {ip("198.51.100.1"), 0})};
  UserspaceTunnel vps{vps_host.network(), configuration(2, "10.9.0.1", {ip("192.0.2.1"), 51820})};
  PeerId vps_peer{};
  PeerId home_peer{};
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> home_end;
  std::unique_ptr<Stream> vps_end;
  std::size_t said_at_once = 0;
  Pending<void> home_run{world.loop().executor(), home.run(), [this] { world.settle(); }};
  Pending<void> vps_run{world.loop().executor(), vps.run(), [this] { world.settle(); }};
};

TEST_F(UserspaceTunnelTest, AStreamOutlivesSilenceWithTextOnItsWay) {
  open_stream();
  world.set_up(home_host, vps_host, false);
  auto writing = world.start(write(10'000));
  auto reading = world.start(read(10'000));
  world.advance(stream_patience_default - 1min);
  world.set_up(home_host, vps_host, true);
  ASSERT_TRUE(world.run_until([&] { return reading.done(); }, 70s));
  EXPECT_FALSE(writing.error());
  EXPECT_FALSE(reading.error());
}

// The filter of the world is a path that carries no larger datagrams and does not say so.
TEST_F(UserspaceTunnelTest, FindsOutHowLargePacketsMayBe) {
  constexpr std::size_t datagram_bytes_max = 1340;
  world.set_filter([](const World::DatagramView& datagram) {
    return datagram.bytes.size() <= datagram_bytes_max;
  });
  std::map<std::string, std::size_t> told;
  const auto tell = [&told](const PathMtuChange& change) {
    told[change.remote.text()] = change.mtu;
  };
  home.on_path_mtu(tell);
  vps.on_path_mtu(tell);
  home.start_handshake(vps_peer, false);
  world.advance(500ms);
  const std::size_t carried = (datagram_bytes_max - keepalive_bytes) / 16 * 16;
  EXPECT_EQ(told["10.9.0.1"], carried);
  EXPECT_EQ(told["10.9.0.2"], carried);
  open_stream();
  auto writing = world.start(write(1'000'000));
  auto reading = world.start(read(1'000'000));
  EXPECT_TRUE(world.run_until([&] { return reading.done(); }, 2s));
}

TEST_F(UserspaceTunnelTest, FindsOutInTheMiddleOfAStreamThatPacketsAreTooLarge) {
  open_stream();
  auto writing = world.start(write(20'000'000));
  auto reading = world.start(read(20'000'000));
  world.advance(100ms);
  ASSERT_FALSE(reading.done());
  world.set_filter(
      [](const World::DatagramView& datagram) { return datagram.bytes.size() <= 1340; });
  EXPECT_TRUE(world.run_until([&] { return reading.done(); }, 6s));
}

TEST_F(UserspaceTunnelTest, AStreamBreaksWhenThePathStaysSilent) {
  open_stream();
  world.set_up(home_host, vps_host, false);
  auto writing = world.start(write(10'000));
  auto broken = world.start(home_end->wait_broken());
  EXPECT_FALSE(world.run_until([&] { return broken.done(); }, stream_patience_default - 1min));
  EXPECT_TRUE(world.run_until([&] { return broken.done(); }, 2min));
  EXPECT_EQ(broken.error(), asio::error::timed_out);
}

TEST_F(UserspaceTunnelTest, TheFirstByteOfAnAnswerCostsOneRoundTrip) {
  open_stream();  // and with it a session
  auto answering = world.start(answer(1800));
  auto asking = world.start(ask(1800));
  const Instant began = world.now();
  ASSERT_TRUE(world.run_until([&] { return asking.done(); }, 5s));
  EXPECT_EQ(said_at_once, 1800U);
  EXPECT_EQ(world.now() - began, 20ms);
}

TEST_F(UserspaceTunnelTest, WhatIsTooLongToGoAtOnceFollows) {
  open_stream();
  auto answering = world.start(answer(9000));
  auto asking = world.start(ask(9000));
  ASSERT_TRUE(world.run_until([&] { return asking.done(); }, 5s));
  EXPECT_EQ(said_at_once, 4096U);
}

TEST_F(UserspaceTunnelTest, HandshakesAreMoreUrgentThanPackets) {
  std::map<std::uint8_t, std::set<std::uint8_t>> classes;  // by type of message
  world.set_filter([&](const World::DatagramView& view) {
    classes[view.bytes[0]].insert(view.traffic_class);
    return true;
  });
  open_stream();
  const std::set<std::uint8_t> urgent{handshake_traffic_class};
  EXPECT_EQ(classes[1], urgent);
  EXPECT_EQ(classes[2], urgent);
  EXPECT_EQ(classes[4], std::set<std::uint8_t>{0});
}

TEST_F(UserspaceTunnelTest, ASuspendedMachineComesBackWithNewSessions) {
  open_stream();
  world.advance(1min);
  const auto before = home.peer_status(vps_peer)->last_handshake;
  home_host.sleep(900ms);  // nobody notices
  auto first = world.start(write(100));
  world.advance(1s);
  EXPECT_EQ(home.peer_status(vps_peer)->last_handshake, before);
  home_host.sleep(1h);
  const Instant awake = world.now();
  auto reading = world.start(read(200));
  auto second = world.start(write(100));
  ASSERT_TRUE(world.run_until([&] { return reading.done(); }, 2s));
  EXPECT_GE(home.peer_status(vps_peer)->last_handshake, awake);
}

}  // namespace
}  // namespace sidestream::tunnel
