#include "cli/handover_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "cli/take_over_io.h"
#include "tests/support/kernel_loop_io.h"

namespace sidestream::cli {
namespace {

LogSettings quiet() {
  LogSettings settings;
  settings.level = LogLevel::error;
  return settings;
}

// A program that can be taken over, and says what was asked of it.
class HandoverTest : public testing::Test {
 protected:
  HandoverTest() {
    std::filesystem::create_directories(folder);
    handover.emplace(loop.network(), handover_path(admin()), source(), log);
    running.emplace(loop.executor(), handover->run(), [this] { loop.run_for(100ms); });
  }
  ~HandoverTest() override {
    running.reset();
    handover.reset();
    std::filesystem::remove_all(folder);
  }

  HandoverSource source() {
    HandoverSource source;
    source.program = "edge";
    source.offer = [this]() -> std::expected<HandoverSource::Offer, std::string> {
      if (!refusal.empty()) return std::unexpected(refusal);
      called += "offer ";
      HandoverSource::Offer offer{.document = R"({"who":"me"})", .descriptors = {}};
      for (std::size_t i = 0; i < descriptors; ++i)
        offer.descriptors["null " + std::to_string(i)] =
            UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      return offer;
    };
    source.freeze = [this] {
      called += "freeze ";
      return std::string(state_bytes, 's');
    };
    source.commit = [this] { called += "commit "; };
    source.call_off = [this] { called += "call_off "; };
    return source;
  }

  std::string admin() const { return (folder / "admin.sock").string(); }
  void connect() { next.emplace(loop.executor(), connect_to_unix_path(handover_path(admin()))); }
  void say(HandoverFrame kind, const std::string& body = "") {
    loop.run(next->send(static_cast<std::uint8_t>(kind), body));
  }
  void say_hello(unsigned protocol = control::handover_protocol, const char* program = "edge") {
    connect();
    say(HandoverFrame::hello, serialize(control::HandoverHello{protocol, program, "9.9"}));
  }
  std::string hear(HandoverFrame kind) {
    FrameChannel::Frame frame = loop.run(next->receive());
    EXPECT_EQ(frame.kind, static_cast<std::uint8_t>(kind));
    return frame.body;
  }
  void go() {
    next.reset();
    loop.run_for(50ms);
  }

  const std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                       ("sidestream-handover-" + std::to_string(::getpid()));
  const Log log{quiet()};
  KernelLoop loop;
  std::string refusal;
  std::string called;
  std::size_t descriptors = 1;
  std::size_t state_bytes = 10;
  std::optional<Handover> handover;
  std::optional<Pending<void>> running;
  std::optional<FrameChannel> next;
};

TEST_F(HandoverTest, GoesStepByStep) {
  say_hello();
  const auto offer = control::parse_handover_offer(hear(HandoverFrame::offer));
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->document, R"({"who":"me"})");
  EXPECT_EQ(offer->descriptors, std::vector<std::string>{"null 0"});
  EXPECT_EQ(called, "offer ");
  say(HandoverFrame::ready);
  EXPECT_EQ(hear(HandoverFrame::state), "ssssssssss");
  EXPECT_EQ(called, "offer freeze ");
  EXPECT_FALSE(running->done());
  say(HandoverFrame::running);
  loop.finish(*running);
  EXPECT_EQ(called, "offer freeze commit ");
  EXPECT_TRUE(std::filesystem::exists(handover_path(admin())));
  loop.run(handover->release());
  EXPECT_FALSE(std::filesystem::exists(handover_path(admin())));
  EXPECT_EQ(hear(HandoverFrame::released), "");
}

TEST_F(HandoverTest, WhoeverLeavesEarlyChangesNothing) {
  connect();
  go();
  EXPECT_EQ(called, "");
  say_hello();
  hear(HandoverFrame::offer);
  go();
  EXPECT_EQ(called, "offer call_off ");
  say_hello();
  hear(HandoverFrame::offer);
  say(HandoverFrame::ready);
  hear(HandoverFrame::state);
  go();
  EXPECT_EQ(called, "offer call_off offer freeze call_off ");
  EXPECT_FALSE(running->done());
  called.clear();
  say_hello();
  hear(HandoverFrame::offer);
  say(HandoverFrame::ready);
  hear(HandoverFrame::state);
  say(HandoverFrame::running);
  loop.finish(*running);
  EXPECT_EQ(called, "offer freeze commit ");
}

TEST_F(HandoverTest, WhoeverStopsToSpeakIsNotWaitedForLong) {
  say_hello();
  hear(HandoverFrame::offer);
  say(HandoverFrame::ready);
  hear(HandoverFrame::state);
  loop.run_for(2s);
  EXPECT_EQ(called, "offer freeze ");
  loop.run_for(1500ms);
  EXPECT_EQ(called, "offer freeze call_off ");
}

TEST_F(HandoverTest, WhatIsNotInOrderCallsItOff) {
  say_hello();
  hear(HandoverFrame::offer);
  say(HandoverFrame::running);
  loop.run_for(50ms);
  EXPECT_EQ(called, "offer call_off ");
}

TEST_F(HandoverTest, AnotherProtocolOrProgramIsToldSo) {
  say_hello(control::handover_protocol + 1);
  EXPECT_NE(hear(HandoverFrame::refusal).find("protocol"), std::string::npos);
  say_hello(control::handover_protocol, "sidecar");
  EXPECT_EQ(hear(HandoverFrame::refusal), "the one that runs is edge, not sidecar");
  connect();
  say(HandoverFrame::hello, "{");
  EXPECT_TRUE(hear(HandoverFrame::refusal).starts_with("hello: "));
  refusal = "not today";
  say_hello();
  EXPECT_EQ(hear(HandoverFrame::refusal), "not today");
  EXPECT_EQ(called, "");
}

// The other side as it is in a program; it has a loop of its own, and here a thread.
TEST_F(HandoverTest, IsTakenOverByTakeOver) {
  descriptors = 3 * FrameChannel::descriptors_max + 5;
  state_bytes = 5'000'000;
  std::string state;
  bool finished = false;
  std::thread thread([&] {
    auto take_over = TakeOver::begin(admin(), "edge");
    ASSERT_TRUE(take_over) << take_over.error();
    EXPECT_EQ(take_over->document(), R"({"who":"me"})");
    EXPECT_EQ(take_over->from().process, static_cast<std::uint64_t>(::getpid()));
    EXPECT_EQ(take_over->descriptors().size(), descriptors);
    state = take_over->ready().value_or("");
    finished = take_over->finish().has_value();
  });
  loop.finish(*running);
  loop.run(handover->release());
  thread.join();
  EXPECT_EQ(state.size(), state_bytes);
  EXPECT_TRUE(finished);
}

TEST_F(HandoverTest, TakeOverSaysWhyNot) {
  refusal = "not today";
  std::string why;
  std::thread thread([&] {
    const auto take_over = TakeOver::begin(admin(), "edge");
    if (!take_over) why = take_over.error();
  });
  loop.run_for(300ms);
  thread.join();
  EXPECT_EQ(why, "not today");
  const auto nobody = TakeOver::begin((folder / "other.sock").string(), "edge");
  ASSERT_FALSE(nobody);
  EXPECT_NE(nobody.error().find("nobody to take over from at"), std::string::npos);
  EXPECT_FALSE(TakeOver::begin("", "edge"));
}

}  // namespace
}  // namespace sidestream::cli
