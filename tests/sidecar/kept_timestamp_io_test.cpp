// The state folder keeps the newest handshake timestamp, so that an edge which remembers it takes
// the sidecar's handshakes after a restart too, even when the clock of the machine went back.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "sidecar/sidecar_io.h"
#include "tests/support/simulated_world_io.h"
#include "tunnel/crypto.h"

namespace sidestream::sidecar {
namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

tunnel::KeyPair key_pair(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return tunnel::key_pair_of(tunnel::PrivateKey(bytes));
}

LogSettings quiet() {
  LogSettings settings;
  settings.level = LogLevel::error;
  return settings;
}

class KeptTimestampTest : public testing::Test {
 protected:
  KeptTimestampTest() {
    world.set_paths(vps, home, {.delay = 10ms});
    edge.on_event([this](const tunnel::DeviceEvent& event) {
      handshakes += event.kind == tunnel::DeviceEvent::Kind::handshake_completed;
    });
    tunnel::PeerConfiguration peer;
    peer.public_key = own_keys.public_key;
    peer.allowed_ips = {*IpPrefix::parse("10.86.0.2/32")};
    static_cast<void>(edge.add_peer(peer));
  }
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "sidestream-test-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    state = std::make_unique<StateFolder>(folder);
  }
  void TearDown() override {
    run.reset();
    sidecar.reset();
    edge_run.reset();
    std::filesystem::remove_all(folder);
  }

  static tunnel::UserspaceTunnelConfiguration edge_configuration() {
    tunnel::UserspaceTunnelConfiguration configuration;
    configuration.private_key = key_pair(0x42).private_key;
    configuration.listen = {ip("192.0.2.1"), 51820};
    configuration.address = ip("10.86.0.1");
    return configuration;
  }

  // A new process on the machine at home; the edge goes on.
  void start_sidecar(const StateFolder* kept_in) {
    run.reset();
    sidecar.reset();
    EdgeEntry entry;
    entry.endpoints = {*HostPort::parse("192.0.2.1:51820")};
    entry.public_key = edge.public_key();
    entry.private_key = own_keys.private_key;
    entry.own_public_key = own_keys.public_key;
    entry.edge_address = ip("10.86.0.1");
    entry.own_address = ip("10.86.0.2");
    SidecarConfiguration configuration;
    configuration.edges = {entry};
    sidecar = std::make_unique<Sidecar>(home.boot(), SidecarSettings{"simulated"}, configuration,
                                        kept_in, log);
    run.emplace(world.loop().executor(), sidecar->run(), [this] { world.settle(); });
  }
  bool comes_up(Duration at_most) {
    const int before = handshakes;
    return world.run_until([&] { return handshakes > before; }, at_most);
  }

  World world{1};
  SimulatedHost& vps = world.add_host("vps", {ip("192.0.2.1")});
  SimulatedHost& home = world.add_host("home", {ip("192.0.2.2")});
  Log log{quiet()};
  const tunnel::KeyPair own_keys = key_pair(7);
  tunnel::UserspaceTunnel edge{vps.network(), edge_configuration()};
  std::optional<Pending<void>> edge_run{std::in_place, world.loop().executor(), edge.run(),
                                        [this] { world.settle(); }};
  int handshakes = 0;
  std::string folder;
  std::unique_ptr<StateFolder> state;
  std::unique_ptr<Sidecar> sidecar;
  std::optional<Pending<void>> run;
};

TEST_F(KeptTimestampTest, AClockSetBackIsNoObstacle) {
  start_sidecar(state.get());
  ASSERT_TRUE(comes_up(5s));
  world.advance(10min);
  home.jump_wall_clock(-5 * 365 * 24h);
  start_sidecar(state.get());
  EXPECT_TRUE(comes_up(5s));
  // Nor is it the next time, without any clock to speak of.
  start_sidecar(state.get());
  EXPECT_TRUE(comes_up(5s));
}

TEST_F(KeptTimestampTest, WithoutAFolderTheEdgeRefusesTheOldClock) {
  start_sidecar(nullptr);  // what the folder is for
  ASSERT_TRUE(comes_up(5s));
  home.jump_wall_clock(-5 * 365 * 24h);
  start_sidecar(nullptr);
  EXPECT_FALSE(comes_up(30s));
}

TEST_F(KeptTimestampTest, WhatWasSentAfterTheLastWritingCountsToo) {
  start_sidecar(state.get());
  ASSERT_TRUE(comes_up(5s));
  // For four minutes the edge hears us and we do not hear it: it remembers every one of our
  // timestamps, while no handshake of ours ends well.
  world.path(vps, home).conditions().up = false;
  world.advance(4min);
  world.path(vps, home).conditions().up = true;
  home.jump_wall_clock(-1h);
  start_sidecar(state.get());
  EXPECT_TRUE(comes_up(5s));
}

TEST_F(KeptTimestampTest, AProgramThatDiesInItsFirstHandshakeIsNotLockedOut) {
  home.jump_wall_clock(20 * 365 * 24h);
  world.path(vps, home).conditions().up = false;  // the edge hears us and we do not hear it
  start_sidecar(state.get());
  world.advance(1s);
  world.path(vps, home).conditions().up = true;
  home.jump_wall_clock(-20 * 365 * 24h);
  start_sidecar(state.get());
  EXPECT_TRUE(comes_up(5s));
  start_sidecar(state.get());
  EXPECT_TRUE(comes_up(5s));
}

TEST_F(KeptTimestampTest, ADamagedFileIsNoObstacleToARightClock) {
  start_sidecar(state.get());
  ASSERT_TRUE(comes_up(5s));
  for (const auto& file : std::filesystem::directory_iterator(folder))
    ASSERT_TRUE(state->write(file.path().filename().string(), "short"));
  world.advance(1s);
  start_sidecar(state.get());
  EXPECT_TRUE(comes_up(5s));
}

}  // namespace
}  // namespace sidestream::sidecar
