#include "tests/support/simulated_datagram_io.h"

#include <set>

#include "tests/streams/simulation_fixture_io.h"

namespace sidestream {
namespace {

TEST_F(Simulation, DatagramsGoThroughTheNatAndBack) {
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto client = home_.network().open_udp({ip("::"), 0});
  send(*client, {ip("192.0.2.1"), 51820}, "hello");
  world_.advance(1s);
  EXPECT_EQ(receive(*server), "hello");
  EXPECT_EQ(last_remote_.text(), "198.51.100.1:40000");
  send(*server, last_remote_, "answer");
  world_.advance(1s);
  EXPECT_EQ(receive(*client), "answer");
  EXPECT_EQ(last_remote_.text(), "192.0.2.1:51820");
}

TEST_F(Simulation, RebindingNatLosesWhatComesToTheOldPort) {
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto client = home_.network().open_udp({ip("::"), 0});
  send(*client, {ip("192.0.2.1"), 51820}, "a");
  world_.advance(1s);
  EXPECT_EQ(receive(*server), "a");
  const SocketAddress old = last_remote_;
  nat_.rebind();
  send(*server, old, "lost");
  world_.advance(1s);
  EXPECT_EQ(receive(*client), "");
  send(*client, {ip("192.0.2.1"), 51820}, "b");
  world_.advance(1s);
  EXPECT_EQ(receive(*server), "b");
  EXPECT_NE(last_remote_, old);
}

TEST_F(Simulation, NatForgetsAndFilters) {
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto stranger = edge_.network().open_udp({ip("::"), 7});
  const auto client = home_.network().open_udp({ip("::"), 0});
  send(*client, {ip("192.0.2.1"), 51820}, "a");
  world_.advance(1s);
  receive(*server);
  const SocketAddress outside = last_remote_;
  send(*stranger, outside, "unasked");
  world_.advance(1s);
  EXPECT_EQ(receive(*client), "");
  world_.advance(31s);
  send(*server, outside, "too late");
  world_.advance(1s);
  EXPECT_EQ(receive(*client), "");
}

TEST_F(Simulation, LossDuplicationAndReorderingHappenAsOftenAsAsked) {
  world_.set_paths(home_, edge_, {.loss = 0.1, .duplicate = 0.05, .reorder = 0.1});
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto client = home_.network().open_udp({ip("::"), 0});
  int received = 0;
  int reordered = 0;
  std::set<int> seen;
  int last = -1;
  for (int i = 0; i < 10'000; ++i) {
    send(*client, {ip("192.0.2.1"), 51820}, std::to_string(100'000 + i));
    world_.advance(1ms);
    for (const DatagramSocket::Batch& batch : server->receive()) {
      for (MutableBytes rest = batch.bytes; !rest.empty(); rest = rest.subspan(6)) {
        const int number = std::stoi(std::string(text_of(rest.first(6))));
        ++received;
        seen.insert(number);
        if (number < last) ++reordered;
        last = number;
      }
    }
  }
  world_.advance(1s);
  EXPECT_NEAR(static_cast<double>(seen.size()), 9000, 150);
  EXPECT_NEAR(static_cast<double>(received), 9450, 200);
  EXPECT_GT(reordered, 500);
}

TEST_F(Simulation, RateLimitDelaysAndDrops) {
  world_.set_paths(home_, edge_,
                   {.delay = 0ms, .bytes_per_second = 100'000, .queue_bytes = 10'000});
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto client = home_.network().open_udp({ip("::"), 0});
  for (int i = 0; i < 100; ++i) send(*client, {ip("192.0.2.1"), 51820}, std::string(1000, 'x'));
  world_.advance(50ms);
  const std::size_t early = receive(*server).size();
  EXPECT_NEAR(static_cast<double>(early), 5000, 1000);
  world_.advance(1s);
  EXPECT_NEAR(static_cast<double>(early + receive(*server).size()), 11'000, 1001);
}

TEST_F(Simulation, FilterSeesAndDropsDatagrams) {
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto client = home_.network().open_udp({ip("::"), 0});
  int sent = 0;
  world_.set_filter([&sent](const World::DatagramView&) { return ++sent != 2; });
  for (const char* text : {"a", "b", "c"}) send(*client, {ip("192.0.2.1"), 51820}, text);
  world_.advance(1s);
  EXPECT_EQ(receive(*server), "ac");
}

TEST_F(Simulation, BatchesAreSplitAndPutTogetherAgain) {
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto client = home_.network().open_udp({ip("::"), 0});
  std::vector<std::uint8_t> bytes(10'500, 7);
  client->send({.remote = {ip("192.0.2.1"), 51820}, .bytes = bytes, .segment_bytes = 1000});
  world_.advance(1s);
  const auto batches = server->receive();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].bytes.size(), 10'500U);
  EXPECT_EQ(batches[0].segment_bytes, 1000U);
  EXPECT_EQ(server->counters().received, 11U);
}

TEST_F(Simulation, AddressThatIsGoneIsNotSentFrom) {
  const auto server = edge_.network().open_udp({ip("::"), 51820});
  const auto client = home_.network().open_udp({ip("::"), 0});
  edge_.add_address(ip("192.0.2.2"));
  send(*client, {ip("192.0.2.2"), 51820}, "a");
  world_.advance(1s);
  receive(*server);
  const SocketAddress home = last_remote_;
  nat_.options().filter = false;
  send(*server, home, "from the same");
  world_.advance(1s);
  receive(*client);
  EXPECT_EQ(last_remote_.address.text(), "192.0.2.2");
  edge_.remove_address(ip("192.0.2.2"));
  send(*server, home, "from the other");
  world_.advance(1s);
  receive(*client);
  EXPECT_EQ(last_remote_.address.text(), "192.0.2.1");
}

}  // namespace
}  // namespace sidestream
