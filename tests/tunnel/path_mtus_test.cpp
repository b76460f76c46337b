// A TCP stack on a path that drops what is too large for it, without a word.
#include "tunnel/path_mtus.h"

#include <gtest/gtest.h>

#include "tests/support/tcp_pair.h"

namespace sidestream::tunnel {
namespace {

class PathMtusTest : public testing::TestWithParam<bool> {
 protected:
  static constexpr std::uint16_t port = 80;

  static TcpPair::Setup setup(bool v6) {
    TcpPair::Setup setup;
    setup.upward.delay = setup.downward.delay = 20ms;
    setup.upward.bytes_per_second = 2'500'000;
    setup.upward.queue_bytes_max = 100'000;
    setup.v6 = v6;
    return setup;
  }
  void set_carried(std::size_t bytes) {
    LinkQuality quality = setup(GetParam()).upward;
    quality.packet_bytes_max = bytes;
    pair.upward().set_quality(quality);
  }
  void connect() {
    ASSERT_TRUE(pair.server().listen(port));
    client = *pair.client().connect(pair.now(), pair.server_at(port));
    run(500ms);
    ASSERT_TRUE(server);
  }
  void run(Duration time) {
    pair.run(
        pair.now() + time,
        [this](bool of_client, const StackEvent& event) {
          if (!of_client && event.kind == StackEvent::Kind::accepted) server = event.connection;
        },
        [] { return false; }, [this] { return act(); });
  }
  // The client writes without end, the server reads.
  Instant act() {
    const std::vector<std::uint8_t> text(65536);
    if (uploading) pair.client().write(pair.now(), client, text);
    std::vector<std::uint8_t> room(65536);
    while (server) {
      const auto got = pair.server().read(pair.now(), *server, room);
      if (got.bytes == 0) break;
      received += got.bytes;
    }
    return Instant::max();
  }
  [[nodiscard]] std::size_t known() { return pair.client().path_mtu(pair.server_at(0).address); }

  TcpPair pair{setup(GetParam())};
  ConnectionId client{};
  std::optional<ConnectionId> server;
  bool uploading = false;
  std::uint64_t received = 0;
};

INSTANTIATE_TEST_SUITE_P(BothFamilies, PathMtusTest, testing::Bool());

TEST_P(PathMtusTest, AreFoundOutBeforeTheFirstStream) {
  set_carried(1300);
  pair.client().search_path_mtu(pair.now(), pair.server_at(0).address);
  run(300ms);
  EXPECT_EQ(known(), 1296U);
  const auto change = pair.client().poll_path_mtu();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->remote, pair.server_at(0).address);
  EXPECT_EQ(change->mtu, 1296U);
  connect();
  uploading = true;
  run(1s);
  EXPECT_GT(received, 1'000'000U);
}

TEST_P(PathMtusTest, AreFoundOutWhenALiveStreamGetsNoAnswer) {
  connect();
  uploading = true;
  run(1s);
  EXPECT_EQ(known(), 1420U);
  set_carried(1300);
  const std::uint64_t before = received;
  run(2s);
  EXPECT_EQ(known(), 1296U);
  EXPECT_GT(received, before + 2'000'000U) << "of the 5 MB that the line carries";
  set_carried(0);
  pair.client().search_path_mtu(pair.now(), pair.server_at(0).address);
  run(1s);
  EXPECT_EQ(known(), 1420U);
}

TEST_P(PathMtusTest, StayWhenNothingIsCarriedAtAll) {
  connect();
  uploading = true;
  run(100ms);
  set_carried(1);
  run(20s);
  EXPECT_EQ(known(), 1420U);
}

}  // namespace
}  // namespace sidestream::tunnel
