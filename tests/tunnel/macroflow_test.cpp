#include "tunnel/macroflow.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sidestream::tunnel {
namespace {

// Writes down what it is told.
class Recorder final : public CongestionControl {
 public:
  Recorder(std::string& told, const std::size_t& window) : told_(told), window_(window) {}
  void on_ack(const AckSample& /*sample*/) override {}
  void on_loss(Instant /*now*/, std::size_t /*in_flight*/) override { told_ += "loss "; }
  void on_recovered(Instant /*now*/) override { told_ += "recovered "; }
  void on_timeout(Instant /*now*/, std::size_t /*in_flight*/) override { told_ += "timeout "; }
  void on_spurious_loss(Instant /*now*/) override { told_ += "spurious "; }
  void on_sent(std::size_t /*bytes*/) override {}
  void on_idle(Instant /*now*/, Duration /*idle*/, Duration /*rto*/) override { told_ += "idle "; }
  void set_mss(std::size_t /*mss*/) override {}
  [[nodiscard]] std::size_t window() const override { return window_; }
  [[nodiscard]] std::uint64_t pacing_rate() const override { return 1'000'000; }

 private:
  std::string& told_;
  const std::size_t& window_;
};

class MacroflowTest : public testing::Test {
 protected:
  std::string told;
  std::size_t window = 100'000;
  Instant now{10s};
  Macroflow line{now, std::make_unique<Recorder>(told, window)};
  Macroflow::Part one;
  Macroflow::Part two;
};

TEST_F(MacroflowTest, CountsWhatAllHaveInFlight) {
  line.set_in_flight(one, 1000);
  line.set_in_flight(two, 500);
  EXPECT_EQ(line.in_flight_bytes(), 1500U);
  EXPECT_EQ(line.window_share(), window / 2);
  line.set_in_flight(one, 200);
  EXPECT_EQ(line.in_flight_bytes(), 700U);
  line.leave(one);
  EXPECT_EQ(line.in_flight_bytes(), 500U);
  EXPECT_EQ(line.window_share(), window);
  line.leave(two);
  EXPECT_EQ(line.window_share(), window);
}

TEST_F(MacroflowTest, LeavesASegmentToEachStreamWhateverTheModelSays) {
  window = 10'000;
  std::array<Macroflow::Part, 20> parts;
  for (auto& part : parts) line.set_in_flight(part, 600);
  EXPECT_EQ(line.may_send(now, 600, false), Macroflow::Verdict::now);
  // 20 times 1,400 bytes.
  line.set_in_flight(parts[0], 17'000);
  EXPECT_EQ(line.may_send(now, 600, false), Macroflow::Verdict::window);
}

TEST_F(MacroflowTest, LeavesItToSixtyFourAtMost) {
  window = 10'000;
  std::array<Macroflow::Part, 200> parts;
  for (auto& part : parts) line.set_in_flight(part, 600);
  EXPECT_EQ(line.may_send(now, 600, false), Macroflow::Verdict::window);
}

TEST_F(MacroflowTest, OneEpisodeOfLossesForAll) {
  line.on_loss(one, now, 0);
  line.on_loss(two, now, 0);
  line.on_recovered(one, now);
  EXPECT_EQ(told, "loss ");
  line.on_recovered(two, now);
  EXPECT_EQ(told, "loss recovered ");
  line.on_recovered(two, now);
  EXPECT_EQ(told, "loss recovered ");
}

TEST_F(MacroflowTest, AStreamThatEndsInItsEpisodeEndsIt) {
  line.on_loss(one, now, 0);
  line.leave(one);
  EXPECT_EQ(told, "loss recovered ");
}

TEST_F(MacroflowTest, ALossThatWasNoneIsUndoneUnlessAnotherOneIs) {
  line.on_loss(one, now, 0);
  line.on_loss(two, now, 0);
  line.on_spurious_loss(one, now);
  EXPECT_EQ(told, "loss ");
  line.on_spurious_loss(two, now);
  EXPECT_EQ(told, "loss spurious ");
  line.on_spurious_loss(two, now);  // after its end
  EXPECT_EQ(told, "loss spurious spurious ");
}

TEST_F(MacroflowTest, ATimeoutWhileOthersArriveIsALoss) {
  line.set_in_flight(one, 1000);
  line.set_in_flight(two, 1000);
  line.on_delivered(two, now - 100ms);
  line.on_delivered(one, now - 50ms);
  line.on_timeout(one, now, 2000, 300ms);
  EXPECT_EQ(told, "loss ");
}

TEST_F(MacroflowTest, ATimeoutWhileNothingElseArrivesIsOne) {
  line.set_in_flight(one, 1000);
  line.on_delivered(one, now - 50ms);
  line.on_timeout(one, now, 1000, 300ms);
  EXPECT_EQ(told, "timeout ");
  line.set_in_flight(two, 1000);
  line.on_delivered(two, now - 400ms);
  line.on_delivered(one, now - 50ms);
  line.on_timeout(one, now, 2000, 300ms);
  EXPECT_EQ(told, "timeout timeout ");
  line.on_recovered(one, now);
  EXPECT_EQ(told, "timeout timeout recovered ");
}

TEST_F(MacroflowTest, TheWindowIsOfAllTogether) {
  line.set_in_flight(one, window - 500);
  EXPECT_EQ(line.may_send(now, 500, false), Macroflow::Verdict::now);
  EXPECT_EQ(line.may_send(now, 501, false), Macroflow::Verdict::window);
  EXPECT_EQ(line.may_send(now, 501, true), Macroflow::Verdict::now);
  line.set_in_flight(two, 20'000);
  EXPECT_EQ(line.may_send(now, 1, true), Macroflow::Verdict::window);
}

TEST_F(MacroflowTest, ThePaceIsOfAllTogether) {
  line.set_in_flight(one, 5000);
  line.on_sent(now, 12'000);  // 4 ms of catching up are free, then 1 ms
  EXPECT_EQ(line.may_send(now, 1000, false), Macroflow::Verdict::pace);
  EXPECT_EQ(line.paced_until(), now + 8ms);
  EXPECT_EQ(line.may_send(now, 1000, true), Macroflow::Verdict::now);
  line.on_sent(now, 5000);
  EXPECT_EQ(line.may_send(now, 1000, true), Macroflow::Verdict::pace);
}

TEST_F(MacroflowTest, OnlyAnEmptyLineIsIdle) {
  line.on_sent(now, 1000);
  line.set_in_flight(one, 1000);
  line.start_flight(now + 10s, 10'000, 300ms, 40ms);
  EXPECT_EQ(told, "");
  line.set_in_flight(one, 0);
  line.start_flight(now + 100ms, 10'000, 300ms, 40ms);
  EXPECT_EQ(told, "");
  line.start_flight(now + 10s, 10'000, 300ms, 40ms);
  EXPECT_EQ(told, "idle ");
  line.on_sent(now + 10s, 10'000);  // which need not wait
  EXPECT_EQ(line.may_send(now + 10s, 1000, false), Macroflow::Verdict::now);
}

}  // namespace
}  // namespace sidestream::tunnel
