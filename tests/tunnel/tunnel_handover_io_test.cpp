#include <gtest/gtest.h>

#include <map>

#include "tests/support/memory_message_link_io.h"
#include "tests/support/simulated_world_io.h"
#include "tunnel/userspace_tunnel_io.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint16_t port = 443;

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

UserspaceTunnelConfiguration configuration(std::uint8_t fill, std::string_view inner,
                                           const SocketAddress& listen) {
  std::array<std::uint8_t, 32> key{};
  key.fill(fill);
  UserspaceTunnelConfiguration configuration;
  configuration.private_key = PrivateKey(key);
  configuration.address = ip(inner);
  configuration.listen = listen;
  return configuration;
}

// One process on the vps.
struct Generation {
  Generation(World& world, SimulatedHost& host)
      : tunnel(host.network(), configuration(2, "10.9.0.1", {ip("192.0.2.1"), 51820})),
        listener(tunnel.listen(port)),
        world_(world) {}

  void add_home(const PublicKey& key, const std::optional<SocketAddress>& endpoint) {
    PeerConfiguration peer;
    peer.public_key = key;
    peer.allowed_ips = {*IpPrefix::parse("10.9.0.2/32")};
    peer.endpoint = endpoint;
    home = *tunnel.add_peer(peer);
  }
  void run() {
    running.emplace(world_.loop().executor(), tunnel.run(), [this] { world_.settle(); });
  }

  UserspaceTunnel tunnel;
  std::unique_ptr<Listener> listener;
  PeerId home{};
  bool finish_asked = false;
  std::vector<std::unique_ptr<Stream>> streams;

 private:
  World& world_;
  std::optional<Pending<void>> running;
};

// Processes on a vps that follow each other, and a home that dials it, 20 ms away.
class TunnelHandover : public testing::Test {
 protected:
  TunnelHandover() {
    world.set_paths(home_host, vps_host, {.delay = 10ms});
    vps().add_home(home.public_key(), std::nullopt);
    vps().run();
    PeerConfiguration to_vps;
    to_vps.public_key = vps().tunnel.public_key();
    to_vps.allowed_ips = {*IpPrefix::parse("10.9.0.1/32")};
    to_vps.endpoint = SocketAddress{ip("192.0.2.1"), 51820};
    static_cast<void>(home.add_peer(to_vps));
  }
  ~TunnelHandover() override {
    home_streams.clear();
    for (auto& one : generations) one->streams.clear();
    world.settle();
  }

  Generation& vps() { return *generations.back(); }

  // The present process hands over to a new one.
  void upgrade() {
    Generation& old = vps();
    old.tunnel.pause();
    world.settle();
    std::vector<Predecessor> predecessors;
    for (auto& known : old.tunnel.predecessors().describe()) {
      MemoryMessageLink*& link = links[known.facts.process];
      auto moved = link->give_away();
      link = moved.get();
      predecessors.push_back({known.facts, known.connections, std::move(moved)});
    }
    auto [newer, older] = MemoryMessageLink::pair();
    links[generations.size()] = newer.get();
    predecessors.push_back({{generations.size(), "old"}, old.tunnel.connections(), nullptr});
    const Timestamp timestamp = old.tunnel.last_timestamp();
    const auto endpoint = old.tunnel.peer_status(old.home)->endpoint;
    old.tunnel.hand_over(std::move(older), [&old] { old.finish_asked = true; });
    world.settle();
    predecessors.back().link = std::move(newer);

    generations.push_back(std::make_unique<Generation>(world, vps_host));
    vps().add_home(home.public_key(), endpoint);
    vps().tunnel.set_last_timestamp(timestamp);
    for (Predecessor& one : predecessors) vps().tunnel.predecessors().adopt(std::move(one));
    vps().run();
    vps().tunnel.start_handshake(vps().home, true);
  }

  // A stream from home to the present process.
  void open_stream() {
    auto accepted = world.start(vps().listener->accept());
    auto connected = world.start(home.connect({ip("10.9.0.1"), port}, 30s));
    ASSERT_TRUE(world.run_until([&] { return accepted.done() && connected.done(); }, 30s));
    home_streams.push_back(std::move(connected.result()));
    vps().streams.push_back(std::move(accepted.result()));
  }

  Task<> write(Stream& stream, std::size_t bytes) {
    std::vector<std::uint8_t> text(bytes);
    for (std::size_t at = 0; at < bytes; ++at) text[at] = static_cast<std::uint8_t>(at * 31);
    co_await stream.write_all(text);
  }
  Task<> read(Stream& stream, std::size_t bytes) {
    std::vector<std::uint8_t> text(bytes);
    std::size_t at = 0;
    while (at < bytes) {
      const std::size_t count = co_await stream.read_some(MutableBytes(text).subspan(at));
      if (count == 0) throw_error(asio::error::eof, "read");
      at += count;
    }
    for (at = 0; at < bytes; ++at)
      if (text[at] != static_cast<std::uint8_t>(at * 31))
        throw_error(make_error_code(boost::system::errc::bad_message), "a byte is wrong");
  }
  // Both ways through a stream of a generation.
  void expect_alive(std::size_t index, Stream& vps_end) {
    auto up = world.start(write(*home_streams[index], 3000));
    auto down = world.start(write(vps_end, 5000));
    auto up_read = world.start(read(vps_end, 3000));
    auto down_read = world.start(read(*home_streams[index], 5000));
    ASSERT_TRUE(world.run_until([&] { return up_read.done() && down_read.done(); }, 3s)) << index;
    EXPECT_FALSE(up_read.error()) << up_read.error().message();
    EXPECT_FALSE(down_read.error()) << down_read.error().message();
  }

  World world{1};
  SimulatedHost& home_host = world.add_host("home", {ip("198.51.100.1")});
  SimulatedHost& vps_host = world.add_host("vps", {ip("192.0.2.1")});
  UserspaceTunnel home{home_host.network(), configuration(1, "10.9.0.2", {ip("198.51.100.1"), 0})};
  std::vector<std::unique_ptr<Generation>> generations = first_generation();
  std::map<std::uint64_t, MemoryMessageLink*> links;  // the newer ends, by process
  std::vector<std::unique_ptr<Stream>> home_streams;
  Pending<void> home_run{world.loop().executor(), home.run(), [this] { world.settle(); }};

 private:
  std::vector<std::unique_ptr<Generation>> first_generation() {
    std::vector<std::unique_ptr<Generation>> first;
    first.push_back(std::make_unique<Generation>(world, vps_host));
    return first;
  }
};

TEST_F(TunnelHandover, AStreamGoesOnInTheOldProcess) {
  open_stream();
  auto reading = world.start(read(*vps().streams[0], 400'000));
  auto writing = world.start(write(*home_streams[0], 400'000));
  world.advance(35ms);
  ASSERT_FALSE(reading.done());
  upgrade();
  ASSERT_TRUE(world.run_until([&] { return reading.done(); }, 3s));
  EXPECT_FALSE(reading.error()) << reading.error().message();
  expect_alive(0, *generations[0]->streams[0]);
}

TEST_F(TunnelHandover, ANewStreamComesToTheNewProcessWithinASecond) {
  open_stream();
  world.advance(5s);
  upgrade();
  const Instant began = world.now();
  open_stream();
  EXPECT_LT(world.now() - began, 1s);
  expect_alive(1, *generations[1]->streams[0]);
}

TEST_F(TunnelHandover, FiveUpgradesKeepAStreamOfEach) {
  for (int upgrades = 0; upgrades < 5; ++upgrades) {
    open_stream();
    upgrade();
    world.advance(2s);
  }
  open_stream();
  for (std::size_t i = 0; i < generations.size(); ++i) expect_alive(i, *generations[i]->streams[0]);
  const auto status = vps().tunnel.predecessors().status();
  ASSERT_EQ(status.size(), 5U);
  for (const PredecessorStatus& one : status) EXPECT_EQ(one.streams, 1U);
}

TEST_F(TunnelHandover, NoConnectionOfAPredecessorIsTakenAgain) {
  open_stream();
  upgrade();
  const auto taken = generations[0]->tunnel.connections();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_TRUE(vps().tunnel.predecessors().has(taken[0]));
  home_streams.clear();
  generations[0]->streams.clear();
  world.advance(3s);
  EXPECT_TRUE(generations[0]->tunnel.connections().empty());
  EXPECT_FALSE(vps().tunnel.predecessors().has(taken[0]));
  EXPECT_EQ(vps().tunnel.predecessors().streams(), 0U);
}

TEST_F(TunnelHandover, TheOldProcessMayOpenAStreamThatItHadPromised) {
  open_stream();
  auto listener = home.listen(20000);
  upgrade();
  auto accepted = world.start(listener->accept());
  auto connected = world.start(generations[0]->tunnel.connect({ip("10.9.0.2"), 20000}, 3s));
  ASSERT_TRUE(world.run_until([&] { return accepted.done() && connected.done(); }, 3s));
  home_streams.push_back(std::move(accepted.result()));
  generations[0]->streams.push_back(std::move(connected.result()));
  expect_alive(1, *generations[0]->streams[1]);
}

TEST_F(TunnelHandover, StreamsOfAPredecessorThatDiedEndAsReset) {
  open_stream();
  upgrade();
  world.advance(2s);
  std::string ended;
  vps().tunnel.predecessors().on_end([&](const PredecessorFacts& facts) { ended = facts.version; });
  links[1]->close();  // as when its process is killed
  world.settle();
  EXPECT_EQ(ended, "old");
  EXPECT_TRUE(vps().tunnel.predecessors().status().empty());
  auto broken = world.start(home_streams[0]->wait_broken());
  auto writing = world.start(write(*home_streams[0], 10));
  ASSERT_TRUE(world.run_until([&] { return broken.done(); }, 1s));
  EXPECT_EQ(broken.error(), asio::error::connection_reset);
}

TEST_F(TunnelHandover, APredecessorEndsWithItsSuccessor) {
  open_stream();
  upgrade();
  auto broken = world.start(generations[0]->streams[0]->wait_broken());
  world.advance(1s);
  EXPECT_FALSE(generations[0]->finish_asked);
  links[1]->close();
  world.settle();
  EXPECT_TRUE(generations[0]->finish_asked);
  ASSERT_TRUE(broken.done());
  EXPECT_EQ(broken.error(), asio::error::connection_reset);
}

TEST_F(TunnelHandover, APredecessorFinishesWhenItIsTold) {
  open_stream();
  upgrade();
  vps().tunnel.predecessors().finish();
  world.settle();
  EXPECT_TRUE(generations[0]->finish_asked);
}

TEST_F(TunnelHandover, APredecessorLosesWhatWentToALostPeer) {
  open_stream();
  upgrade();
  auto broken = world.start(generations[0]->streams[0]->wait_broken());
  vps().tunnel.predecessors().handle_peer_lost(ip("10.9.0.3"));
  world.settle();
  EXPECT_FALSE(broken.done());
  vps().tunnel.predecessors().handle_peer_lost(ip("10.9.0.2"));
  world.settle();
  ASSERT_TRUE(broken.done());
  EXPECT_EQ(broken.error(), asio::error::connection_reset);
}

TEST_F(TunnelHandover, AHandOverThatIsCalledOffLosesNothing) {
  open_stream();
  auto reading = world.start(read(*vps().streams[0], 400'000));
  auto writing = world.start(write(*home_streams[0], 400'000));
  world.advance(35ms);
  vps().tunnel.pause();
  world.advance(1s);
  EXPECT_FALSE(reading.done());
  vps().tunnel.resume();
  ASSERT_TRUE(world.run_until([&] { return reading.done(); }, 3s));
  EXPECT_FALSE(reading.error());
}

}  // namespace
}  // namespace sidestream::tunnel
