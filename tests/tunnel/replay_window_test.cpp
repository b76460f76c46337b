#include "tunnel/replay_window.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

void run_vector(const char* name, std::size_t steps_expected) {
  const Vector vector = load_vector("wireguard.json", name);
  EXPECT_EQ(number_of_json(vector.inputs.at("window")), replay_window_size);
  const std::uint64_t reject_from = number_of_json(vector.inputs.at("reject_after_messages"));
  const auto& steps = vector.inputs.at("steps").as_array();
  EXPECT_EQ(steps.size(), steps_expected);
  ReplayWindow window;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string operation = text_of_json(steps[i].at("op"));
    if (operation == "reset") {
      window = {};
    } else if (operation == "check") {
      EXPECT_EQ(window.accept(number_of_json(steps[i].at("counter")), reject_from),
                steps[i].at("accept").as_bool())
          << name << " step " << i;
    } else {
      ASSERT_EQ(operation, "range");
      const std::uint64_t end = number_of_json(steps[i].at("to_inclusive"));
      const bool up = steps[i].at("step").to_number<int>() > 0;
      for (std::uint64_t counter = number_of_json(steps[i].at("from"));;
           counter = up ? counter + 1 : counter - 1) {
        ASSERT_EQ(window.accept(counter, reject_from), steps[i].at("accept").as_bool())
            << name << " step " << i << " counter " << counter;
        if (counter == end) break;
      }
    }
  }
}

TEST(ReplayWindow, LinuxSelftest) {
  run_vector("replay_counter_kernel_selftest", 56);
}
TEST(ReplayWindow, LimitOfThePaper) {
  run_vector("replay_counter_whitepaper_limit", 35);
}

TEST(ReplayWindow, RefusesCountersFromTheLimitOn) {
  ReplayWindow window;
  EXPECT_FALSE(window.accept(reject_after_messages));
  EXPECT_FALSE(window.accept(~std::uint64_t{0}));
  EXPECT_TRUE(window.accept(reject_after_messages - 1));
  EXPECT_FALSE(window.accept(reject_after_messages - 1));
  EXPECT_TRUE(window.accept(reject_after_messages - 1 - replay_window_size));
  EXPECT_FALSE(window.accept(reject_after_messages - 2 - replay_window_size));
}

// Against a model that keeps every counter.
TEST(ReplayWindow, RandomCounters) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    ReplayWindow window;
    std::set<std::uint64_t> seen;
    std::uint64_t highest = 0;
    for (int i = 0; i < 5000; ++i) {
      const std::uint64_t step = random.chance(0.02) ? 20'000 : 300;
      const std::uint64_t back = random.below(random.chance(0.1) ? 9000 : 500);
      const std::uint64_t counter =
          highest + random.below(static_cast<std::uint32_t>(step)) - std::min(highest, back);
      const bool inside = counter + replay_window_size >= highest;
      const bool expected = inside && !seen.contains(counter);
      ASSERT_EQ(window.accept(counter), expected) << "seed " << seed << " step " << i;
      if (expected) seen.insert(counter);
      highest = std::max(highest, counter);
    }
  }
}

}  // namespace
}  // namespace sidestream::tunnel
