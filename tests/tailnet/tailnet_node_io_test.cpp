#include "tailnet/tailnet_node_io.h"

#include <gtest/gtest.h>

#include "tests/tailnet/fake_daemon_io.h"

namespace sidestream::tailnet {
namespace {

class TailnetNodeIoTest : public testing::Test {
 protected:
  ~TailnetNodeIoTest() override { world_.run(group_.stop()); }

  void begin() {
    group_.spawn(node_.run(), [](const std::exception_ptr&) { FAIL() << "it ended"; });
  }
  [[nodiscard]] std::size_t told(const std::string& event) const {
    std::size_t count = 0;
    for (std::size_t at = lines_.find(event); at != std::string::npos;
         at = lines_.find(event, at + 1))
      ++count;
    return count;
  }
  std::string page() {
    control::MetricsPage page;
    add_tailnet_metrics(page, &node_);
    return page.text();
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.168.1.10")});
  FakeDaemon daemon_{world_, home_, "/tmp/tailscaled.sock"};
  std::string lines_;
  Log log_{LogSettings{}, world_.timers(), [this](std::string_view line) { lines_ += line; }};
  const std::vector<IpAddress> peers_ = {*IpAddress::parse("192.0.2.7"),
                                         *IpAddress::parse("100.64.0.2")};
  TailnetNode node_{home_.network(), {"/tmp/tailscaled.sock"}, peers_, log_};
  TaskGroup group_{world_.loop().executor()};
};

TEST_F(TailnetNodeIoTest, TellsEachChangeOnce) {
  daemon_.start();
  begin();
  world_.advance(5min);
  EXPECT_EQ(told("tailnet ready"), 1U) << lines_;
  daemon_.answers["status?peers=false"].body = R"({"BackendState":"Stopped"})";
  daemon_.emit("{\"State\":4}\n");
  world_.advance(5min);
  EXPECT_EQ(told("tailnet not ready"), 1U) << lines_;
  EXPECT_TRUE(page().contains("sidestream_tailnet_state{state=\"Stopped\"} 1\n")) << page();
  EXPECT_TRUE(page().contains("sidestream_tailnet_ready 0\n"));
  daemon_.answers["status?peers=false"].body = FakeDaemon::running("100.64.0.5");
  daemon_.emit("{\"State\":6}\n");
  world_.advance(1s);
  EXPECT_EQ(told("tailnet ready"), 2U) << lines_;
}

// TS-21
TEST_F(TailnetNodeIoTest, AKeyThatExpiresIsWarnedOfDaily) {
  daemon_.answers["status?peers=false"].body =
      R"({"BackendState":"Running","TailscaleIPs":["100.64.0.1"],)"
      R"("Self":{"KeyExpiry":"2026-01-14T00:00:00Z"}})";
  daemon_.start();
  begin();
  world_.advance(49h);
  EXPECT_EQ(told("tailnet needs care"), 3U) << lines_;
  EXPECT_TRUE(page().contains("sidestream_tailnet_key_expiry_timestamp_seconds 1.7683488e+09\n") ||
              page().contains("sidestream_tailnet_key_expiry_timestamp_seconds 1768348800\n"))
      << page();
}

// TS-22
TEST_F(TailnetNodeIoTest, PathsOfPeersAreLookedAt) {
  const std::string ping = "ping?type=disco&ip=100.64.0.2";
  daemon_.answers[ping] = {.body = R"({"LatencySeconds":0.2,"DERPRegionCode":"hs"})"};
  daemon_.start();
  begin();
  ASSERT_EQ(node_.document().paths.size(), 1U) << "the other one is no node";
  world_.advance(2min);
  EXPECT_EQ(node_.document().paths.front().relay, "hs");
  EXPECT_EQ(told("tailnet path is relayed"), 1U) << lines_;
  EXPECT_TRUE(page().contains("sidestream_tailnet_path_direct{peer=\"100.64.0.2\"} 0\n"));
  daemon_.answers[ping] = {.body = R"({"LatencySeconds":0.01,"Endpoint":"192.0.2.1:41641"})"};
  world_.advance(31s);
  EXPECT_EQ(node_.document().paths.front().endpoint, "192.0.2.1:41641");
  EXPECT_EQ(node_.document().paths.front().relay, "");
  EXPECT_EQ(node_.document().paths.front().round_trip, 10ms);
  daemon_.answers[ping] = {.body = R"({"Err":"no such peer"})"};
  world_.advance(31s);
  EXPECT_EQ(node_.document().paths.front().problem, "no such peer");
}

}  // namespace
}  // namespace sidestream::tailnet
