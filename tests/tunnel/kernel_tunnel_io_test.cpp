#include "tunnel/kernel_tunnel_io.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_world_io.h"

namespace sidestream::tunnel {
namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

PublicKey peer_key() {
  PublicKey key;
  key.bytes.fill(9);
  return key;
}

// What the kernel was asked for, and what it says.
struct Kernel {
  std::vector<std::string> asked;
  std::vector<WireGuardInterface::Peer> peers;
  bool ours = true;
};

class FakeInterface final : public WireGuardInterface {
 public:
  explicit FakeInterface(Kernel& kernel) : kernel_(kernel) {}
  ~FakeInterface() override { kernel_.asked.emplace_back("gone"); }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] bool is_ours() const override { return kernel_.ours; }
  void set_peer(const PeerConfiguration& peer) override { note("set", peer); }
  void call_peer(const PeerConfiguration& peer) override { note("call", peer); }
  void remove_peer(const PeerConfiguration& peer) override { note("remove", peer); }
  [[nodiscard]] std::vector<Peer> peers() const override { return kernel_.peers; }
  [[nodiscard]] std::uint16_t port() const override { return 51820; }
  void choose_new_port() override { kernel_.asked.emplace_back("new port"); }
  void open_stream_port(std::uint16_t /*port*/) override {}
  void close_stream_port(std::uint16_t /*port*/) noexcept override {}

 private:
  void note(std::string what, const PeerConfiguration& peer) {
    if (peer.endpoint) what += " " + peer.endpoint->text();
    kernel_.asked.push_back(std::move(what));
  }

  Kernel& kernel_;
  const std::string name_ = "fake0";
};

class KernelTunnelTest : public testing::Test {
 protected:
  KernelTunnelTest() {
    tunnel.on_event([this](const DeviceEvent& event) { events.push_back(event.kind); });
    PeerConfiguration configuration;
    configuration.public_key = peer_key();
    configuration.allowed_ips = {*IpPrefix::parse("10.9.0.1/32")};
    configuration.persistent_keepalive = 25s;
    peer = *tunnel.add_peer(configuration);
  }

  static UserspaceTunnelConfiguration configuration() {
    UserspaceTunnelConfiguration configuration;
    std::array<std::uint8_t, 32> key{};
    key.fill(1);
    configuration.private_key = PrivateKey(key);
    configuration.address = ip("10.9.0.2");
    return configuration;
  }
  // The peer answers now, from this address.
  void answer(const SocketAddress& from) {
    WireGuardInterface::Peer seen;
    seen.public_key = peer_key();
    seen.endpoint = from;
    seen.last_handshake = host.network().timers().wall_now();
    seen.received_bytes = 7;
    kernel.peers = {seen};
  }
  static constexpr auto completed = DeviceEvent::Kind::handshake_completed;
  static constexpr auto gave_up = DeviceEvent::Kind::handshake_gave_up;

  World world{1};
  SimulatedHost& host = world.add_host("home", {ip("198.51.100.1")});
  Kernel kernel;
  std::vector<DeviceEvent::Kind> events;
  KernelTunnel tunnel{host.network(), configuration(), std::make_unique<FakeInterface>(kernel)};
  PeerId peer{};
  const SocketAddress edge{ip("192.0.2.1"), 51820};
  Pending<void> run{world.loop().executor(), tunnel.run(), [this] { world.settle(); }};
};

TEST_F(KernelTunnelTest, AnAnswerIsSeenSoonAfterACall) {
  tunnel.set_endpoint(peer, edge);
  tunnel.start_handshake(peer, true);
  EXPECT_EQ(kernel.asked,
            (std::vector<std::string>{"set", "set 192.0.2.1:51820", "call 192.0.2.1:51820"}));
  world.advance(30ms);
  EXPECT_TRUE(tunnel.peer_status(peer)->unanswered_since);
  answer(edge);
  world.advance(100ms);
  EXPECT_EQ(events, (std::vector{completed}));
  EXPECT_EQ(tunnel.peer_status(peer)->handshakes, 1U);
  EXPECT_EQ(tunnel.peer_status(peer)->traffic.received_bytes, 7U);
  EXPECT_FALSE(tunnel.peer_status(peer)->unanswered_since);
}

TEST_F(KernelTunnelTest, NoAnswerIsGivenUpAfter90Seconds) {
  tunnel.set_endpoint(peer, edge);
  tunnel.start_handshake(peer, true);
  world.advance(85s);
  EXPECT_TRUE(events.empty());
  tunnel.start_handshake(peer, true);  // which counts from the first one on
  world.advance(10s);
  EXPECT_EQ(events, (std::vector{gave_up}));
  EXPECT_EQ(tunnel.peer_status(peer)->handshakes_given_up, 1U);
}

TEST_F(KernelTunnelTest, APeerThatRoamedIsCalledWhereItIs) {
  tunnel.set_endpoint(peer, edge);
  const SocketAddress elsewhere{ip("192.0.2.9"), 7};
  answer(elsewhere);
  world.advance(3s);
  EXPECT_EQ(tunnel.peer_status(peer)->endpoint, elsewhere);
  tunnel.start_handshake(peer, true);
  EXPECT_EQ(kernel.asked.back(), "call 192.0.2.9:7");
}

TEST_F(KernelTunnelTest, WhatSomebodyElseManagesIsBelieved) {
  kernel.ours = false;
  tunnel.start_handshake(peer, true);
  world.advance(100ms);
  EXPECT_EQ(events, (std::vector{completed}));
  EXPECT_EQ(tunnel.mode_text(), "interface (fake0)");
}

TEST_F(KernelTunnelTest, PeersAreAddedOnceAndRemoved) {
  PeerConfiguration again;
  again.public_key = peer_key();
  EXPECT_EQ(tunnel.add_peer(again).error(), AddPeerError::already_there);
  again.public_key = tunnel.public_key();
  EXPECT_EQ(tunnel.add_peer(again).error(), AddPeerError::own_key);
  tunnel.remove_peer(peer);
  EXPECT_EQ(kernel.asked.back(), "remove");
  EXPECT_FALSE(tunnel.peer_status(peer));
}

TEST_F(KernelTunnelTest, NobodyIsBehindAnotherAddress) {
  auto connecting = world.start(tunnel.connect({ip("10.9.0.3"), 443}, 5s));
  world.settle();
  EXPECT_EQ(connecting.error(), asio::error::host_unreachable);
}

TEST_F(KernelTunnelTest, ItStaysWithTheProcess) {
  EXPECT_FALSE(tunnel.handover_obstacle().empty());
}

}  // namespace
}  // namespace sidestream::tunnel
