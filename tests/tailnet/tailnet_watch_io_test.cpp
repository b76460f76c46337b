#include "tailnet/tailnet_watch_io.h"

#include <gtest/gtest.h>

#include "tests/tailnet/fake_daemon_io.h"

namespace sidestream::tailnet {
namespace {

using Reach = TailnetStanding::Reach;

class TailnetWatchIoTest : public testing::Test {
 protected:
  ~TailnetWatchIoTest() override { world_.run(group_.stop()); }

  void begin() {
    group_.spawn(watch_.run(), [](const std::exception_ptr&) { FAIL() << "it ended"; });
  }
  bool becomes(Reach reach, Duration at_most) {
    return world_.run_until([&] { return watch_.standing().reach() == reach; }, at_most);
  }
  bool has_address(const std::string& text, Duration at_most) {
    return world_.run_until(
        [&] {
          const auto& own = watch_.standing().status().self.addresses;
          return !own.empty() && own.front().text() == text;
        },
        at_most);
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.168.1.10")});
  FakeDaemon daemon_{world_, home_, "/tmp/tailscaled.sock"};
  LocalApi api_{home_.network(), {"/tmp/tailscaled.sock"}};
  std::size_t changes_ = 0;
  TailnetWatch watch_{home_.network(), api_, [this] { ++changes_; }};
  TaskGroup group_{world_.loop().executor()};
};

// TS-02
TEST_F(TailnetWatchIoTest, ASocketThatComesLaterIsFoundWithinFiveSeconds) {
  begin();
  EXPECT_TRUE(becomes(Reach::absent, 1s));
  world_.advance(1h);
  daemon_.start();
  EXPECT_TRUE(becomes(Reach::answers, 5s));
  EXPECT_TRUE(watch_.standing().ready());
}

TEST_F(TailnetWatchIoTest, FollowsTheBus) {
  daemon_.start();
  begin();
  EXPECT_TRUE(has_address("100.64.0.1", 1s));
  world_.advance(1s);
  daemon_.answers["status?peers=false"].body = FakeDaemon::running("100.64.0.7");
  daemon_.emit("{\"SelfChange\":{\"Name\":\"home.tn.test.\"}}\n");
  EXPECT_TRUE(has_address("100.64.0.7", 200ms));
  daemon_.emit(
      R"({"Health":{"Warnings":{"no-derp-home":{"Text":"Alone.","ImpactsConnectivity":true}}}})"
      "\n");
  world_.advance(1s);
  EXPECT_EQ(watch_.standing().problem(), "Tailscale says: Alone.");
  daemon_.emit("{\"Health\":{\"Warnings\":null}}\n");
  world_.advance(1s);
  EXPECT_TRUE(watch_.standing().ready());
}

// TS-05
TEST_F(TailnetWatchIoTest, AnHourOfSilenceThenAnEndlessLineThenOneCutInTheMiddle) {
  daemon_.start();
  begin();
  EXPECT_TRUE(becomes(Reach::answers, 1s));
  world_.advance(1h);
  EXPECT_EQ(watch_.sessions(), 1U);
  daemon_.answers["status?peers=false"].body = FakeDaemon::running("100.64.0.8");
  daemon_.emit(R"({"State":6,"NetMap":")" + std::string(5'000'000, 'x') + "\"}\n");
  EXPECT_TRUE(has_address("100.64.0.8", 1s));
  EXPECT_EQ(watch_.sessions(), 1U);
  daemon_.emit("{\"Sta");
  daemon_.cut_bus();
  world_.advance(1s);
  EXPECT_EQ(watch_.sessions(), 2U);
  EXPECT_EQ(watch_.standing().reach(), Reach::answers) << "a bus that ends is no daemon that does";
}

// TS-03
TEST_F(TailnetWatchIoTest, AThousandRestartsLeaveNothingBehind) {
  daemon_.start();
  begin();
  EXPECT_TRUE(becomes(Reach::answers, 1s));
  world_.advance(1s);
  for (int i = 0; i < 1000; ++i) {
    daemon_.stop();
    if (i % 10 == 0) world_.advance(2s);
    daemon_.start();
    ASSERT_TRUE(world_.run_until(
        [&] { return watch_.sessions() == static_cast<std::uint64_t>(i) + 2; }, 6s))
        << i;
  }
  world_.advance(100ms);
  EXPECT_LE(daemon_.open_streams(), 1U);
  EXPECT_TRUE(watch_.standing().ready());
}

TEST_F(TailnetWatchIoTest, AnOldDaemonWithoutBusOrPreferencesIsAsked) {
  daemon_.has_bus = false;
  daemon_.answers.erase("prefs");
  daemon_.start();
  begin();
  EXPECT_TRUE(has_address("100.64.0.1", 1s));
  daemon_.answers["status?peers=false"].body = FakeDaemon::running("100.64.0.9");
  EXPECT_TRUE(has_address("100.64.0.9", 6s));
}

TEST_F(TailnetWatchIoTest, ADaemonThatSaysNothingOrNonsense) {
  daemon_.silent = true;
  daemon_.start();
  begin();
  EXPECT_TRUE(becomes(Reach::no_answer, 11s));
  daemon_.stop();
  daemon_.silent = false;
  daemon_.garbage = true;
  daemon_.start();
  world_.advance(20s);
  EXPECT_EQ(watch_.standing().reach(), Reach::no_answer);
  daemon_.garbage = false;
  EXPECT_TRUE(becomes(Reach::answers, 5s));
}

}  // namespace
}  // namespace sidestream::tailnet
