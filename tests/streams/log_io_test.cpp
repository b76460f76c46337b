#include "streams/log_io.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

class LogTest : public ::testing::Test {
 protected:
  Log make_log(const LogSettings& settings = {}) {
    return Log(settings, loop_.timers(),
               [this](std::string_view line) { lines_.emplace_back(line); });
  }

  VirtualLoop loop_;
  std::vector<std::string> lines_;
};

TEST_F(LogTest, OneEventIsOneLineWithTheTimeOfTheClock) {
  const Log log = make_log();
  log.info("sidecar started");
  loop_.advance(1500ms);
  log.warn("backend refused", {{"service", "ssh"}});
  EXPECT_EQ(lines_, (std::vector<std::string>{
                        "2026-01-01T01:00:00.000Z info  sidecar started",
                        "2026-01-01T01:00:01.500Z warn  backend refused service=ssh"}));
}

TEST_F(LogTest, FieldsOfTheLogComeFirst) {
  const Log log = make_log();
  const Log stream_log = log.with({{"service", "ssh"}}).with({{"client", "192.0.2.1:5"}});
  stream_log.info("stream ended", {{"bytes_in", 5}});
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_TRUE(lines_[0].ends_with("stream ended service=ssh client=192.0.2.1:5 bytes_in=5"));
}

TEST_F(LogTest, JsonLines) {
  const Log log = make_log({.level = LogLevel::debug, .format = LogFormat::json});
  log.with({{"service", "ssh"}}).debug("checked", {{"name", "\x1b[31m"}});
  EXPECT_EQ(lines_,
            std::vector<std::string>{R"({"time":"2026-01-01T01:00:00.000Z","level":"debug",)"
                                     R"("event":"checked","service":"ssh","name":"\u001b[31m"})"});
}

TEST_F(LogTest, LevelsBelowAreDropped) {
  const Log log = make_log({.level = LogLevel::warn});
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  EXPECT_EQ(lines_.size(), 2U);
  EXPECT_FALSE(log.enabled(LogLevel::info));
}

TEST_F(LogTest, AFloodIsCutAndTheRestSaysByHowMuch) {
  LogSettings settings;
  settings.lines_per_second = 10;
  const Log log = make_log(settings);
  for (int i = 0; i < 1000; ++i) log.info("stream ended", {{"client", i}});
  EXPECT_EQ(lines_.size(), 100U);
  // What goes wrong has room of its own.
  log.error("port cannot be opened");
  ASSERT_EQ(lines_.size(), 102U);
  EXPECT_TRUE(lines_[100].ends_with("warn  log lines suppressed lines=900")) << lines_[100];
  EXPECT_TRUE(lines_[101].ends_with("error port cannot be opened"));
  loop_.advance(1s);
  for (int i = 0; i < 1000; ++i) log.info("stream ended", {{"client", i}});
  EXPECT_EQ(lines_.size(), 112U);
  for (int i = 0; i < 1000; ++i) log.warn("edge does not answer");
  EXPECT_EQ(lines_.size(), 112U + 100 + 1);
  EXPECT_EQ(log.counters().lines, lines_.size());
  EXPECT_EQ(log.counters().suppressed, 900U + 990 + 900);
  loop_.advance(1h);
  log.info("stopped");
  EXPECT_TRUE(lines_[lines_.size() - 2].ends_with("lines=900")) << lines_[lines_.size() - 2];
}

TEST_F(LogTest, HoldsBackWhatComesTooOftenAndSaysHowMuch) {
  const Log log = make_log().at_most_every(10s);
  for (int i = 0; i < 5; ++i) log.warn("hello refused", {{"client", i}});
  log.warn("another event");
  EXPECT_EQ(lines_.size(), 2U);
  loop_.advance(10s);
  log.warn("hello refused", {{"client", 7}});
  ASSERT_EQ(lines_.size(), 3U);
  EXPECT_TRUE(lines_[2].ends_with("hello refused client=7 held_back=4")) << lines_[2];
  EXPECT_EQ(log.counters().lines, 3U);
  EXPECT_EQ(log.counters().suppressed, 4U);
  loop_.advance(10s);
  log.warn("hello refused");
  EXPECT_FALSE(lines_[3].contains("held_back"));
}

}  // namespace
}  // namespace sidestream
