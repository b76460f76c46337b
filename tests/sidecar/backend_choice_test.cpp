#include "sidecar/backend_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sidestream::sidecar {
namespace {

using State = HealthJudge::State;

// Backends are a, b, c …; time passes only when the test says so.
class Transcript {
 public:
  explicit Transcript(Balance balance, std::vector<unsigned> weights, Duration slow_start = 0s)
      : count_(weights.size()), choice_({balance, slow_start}, weights) {
    for (std::size_t i = 0; i < count_; ++i) choice_.on_probed(now_, i, State::healthy, true);
  }

  void well(char backend) { choice_.on_probed(now_, place(backend), State::healthy, true); }
  void unwell(char backend) { choice_.on_probed(now_, place(backend), State::unhealthy, false); }
  void dial_fails(char backend) { choice_.on_dial_failed(now_, place(backend)); }
  void ends(char backend) { choice_.on_stream_ended(place(backend)); }
  void wait(Duration time) { now_ += time; }
  // What one stream would try.
  std::string order() {
    std::string text;
    for (const std::size_t i : choice_.order(now_)) text += static_cast<char>('a' + i);
    return text;
  }
  // Who gets that many streams, which stay.
  std::string streams(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      const std::size_t first = choice_.order(now_).front();
      choice_.on_stream_began(first);
      text += static_cast<char>('a' + first);
    }
    return text;
  }

 private:
  static std::size_t place(char backend) { return static_cast<std::size_t>(backend - 'a'); }

  std::size_t count_;
  BackendChoice choice_;
  Instant now_{};
};

TEST(BackendChoice, FailoverTakesTheFirstThatIsWell) {
  Transcript three(Balance::failover, {1, 1, 1});
  EXPECT_EQ(three.order(), "abc");
  three.unwell('a');
  EXPECT_EQ(three.order(), "bc") << "one that is not well gets no stream while another one is";
  three.well('a');
  EXPECT_EQ(three.order(), "abc");
}

TEST(BackendChoice, WhenNoneIsWellAllAreTried) {
  Transcript two(Balance::failover, {1, 1});
  two.unwell('a');
  two.unwell('b');
  EXPECT_EQ(two.order(), "ab");
  BackendChoice unasked({}, {1, 1});
  EXPECT_EQ(unasked.order(Instant{}), (std::vector<std::size_t>{0, 1}));
}

TEST(BackendChoice, OneThatCouldNotBeDialledIsTriedLastForAWhile) {
  Transcript three(Balance::failover, {1, 1, 1});
  three.dial_fails('a');
  EXPECT_EQ(three.order(), "bca");
  three.wait(4999ms);
  EXPECT_EQ(three.order(), "bca");
  three.wait(1ms);
  EXPECT_EQ(three.order(), "abc");
  three.dial_fails('a');
  three.well('a');
  EXPECT_EQ(three.order(), "abc") << "a probe went well meanwhile";
  for (const char one : {'a', 'b', 'c'}) three.dial_fails(one);
  EXPECT_EQ(three.order(), "abc");
}

TEST(BackendChoice, RoundRobinTakesTurns) {
  Transcript three(Balance::round_robin, {1, 1, 1});
  EXPECT_EQ(three.streams(7), "abcabca");
  EXPECT_EQ(three.order(), "bca") << "the next in turn are the next to try";
  three.unwell('b');
  EXPECT_EQ(three.streams(6), "ccacac") << "a turn of the one that left is made up for";
}

TEST(BackendChoice, TurnsGoByWeightAndAreSpread) {
  Transcript three(Balance::round_robin, {5, 1, 1});
  EXPECT_EQ(three.streams(7), "aabacaa");
  EXPECT_EQ(three.streams(7), "aabacaa");
}

TEST(BackendChoice, LeastStreamsEvensOut) {
  Transcript two(Balance::least_streams, {1, 1});
  EXPECT_EQ(two.streams(4), "abab");
  two.ends('b');
  two.ends('b');
  EXPECT_EQ(two.streams(3), "bba");
}

TEST(BackendChoice, LeastStreamsTakesTurnsWhereAllAreIdle) {
  Transcript two(Balance::least_streams, {1, 1});
  for (const char one : {'a', 'b', 'a', 'b'}) {
    EXPECT_EQ(two.streams(1), std::string(1, one));
    two.ends(one);
  }
}

TEST(BackendChoice, FewestStreamsAreCountedByWeight) {
  Transcript two(Balance::least_streams, {3, 1});
  const std::string who = two.streams(40);
  EXPECT_EQ(std::ranges::count(who, 'a'), 30);
}

TEST(BackendChoice, OneThatComesBackStartsSlowly) {
  Transcript two(Balance::round_robin, {1, 1}, 10s);
  const auto part_of_b = [&] { return std::ranges::count(two.streams(110), 'b'); };
  EXPECT_EQ(part_of_b(), 55) << "the first verdict is no coming back";
  two.unwell('b');
  two.well('b');
  EXPECT_EQ(part_of_b(), 10) << "a tenth of its weight, beside a whole one";
  two.wait(5s);
  EXPECT_NEAR(static_cast<double>(part_of_b()), 110 * 0.55 / 1.55, 1);
  two.wait(5s);
  EXPECT_EQ(part_of_b(), 55);
}

TEST(BackendChoice, AnEmptyOneIsNotFloodedWhenItComesBack) {
  Transcript two(Balance::least_streams, {1, 1}, 10s);
  two.unwell('b');
  EXPECT_EQ(two.streams(20), std::string(20, 'a'));
  two.well('b');
  EXPECT_EQ(two.streams(5), "bbaaa");
  two.wait(10s);
  EXPECT_EQ(two.streams(3), "bbb");
}

}  // namespace
}  // namespace sidestream::sidecar
