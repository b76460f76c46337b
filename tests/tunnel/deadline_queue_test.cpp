#include "tunnel/deadline_queue.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

struct Thing {
  std::size_t deadline_slot = DeadlineQueue<Thing>::none;
};

TEST(DeadlineQueue, BringsUpTheEarliestFirst) {
  DeadlineQueue<Thing> queue;
  Thing a, b, c;
  EXPECT_EQ(queue.earliest(), Instant::max());
  queue.set(a, Instant(3s));
  queue.set(b, Instant(1s));
  queue.set(c, Instant(2s));
  EXPECT_EQ(queue.earliest(), Instant(1s));
  EXPECT_EQ(queue.pop_due(Instant(500ms)), nullptr);
  EXPECT_EQ(queue.pop_due(Instant(2s)), &b);
  EXPECT_EQ(queue.pop_due(Instant(2s)), &c);
  EXPECT_EQ(queue.pop_due(Instant(2s)), nullptr);
  queue.remove(b);
  queue.remove(a);
  EXPECT_EQ(queue.earliest(), Instant::max());
}

TEST(DeadlineQueue, MovesForwardButNotBack) {
  DeadlineQueue<Thing> queue;
  Thing a;
  queue.set(a, Instant(3s));
  queue.set(a, Instant(2s));
  EXPECT_EQ(queue.earliest(), Instant(2s));
  queue.set(a, Instant(9s));
  queue.set(a, Instant::max());
  EXPECT_EQ(queue.earliest(), Instant(2s));
}

TEST(DeadlineQueue, BehavesLikeASlowOne) {
  SeededRandom random(1);
  DeadlineQueue<Thing> queue;
  std::vector<Thing> things(50);
  std::map<Thing*, Instant> model;
  for (int step = 0; step < 5000; ++step) {
    Thing& thing = things[random.below(50)];
    if (random.chance(0.3)) {
      queue.remove(thing);
      model.erase(&thing);
    } else {
      const Instant deadline(Duration(random.below(1000)));
      queue.set(thing, deadline);
      const auto [found, added] = model.emplace(&thing, deadline);
      if (!added) found->second = std::min(found->second, deadline);
    }
    Instant earliest = Instant::max();
    for (const auto& [key, deadline] : model) earliest = std::min(earliest, deadline);
    ASSERT_EQ(queue.earliest(), earliest);
    if (random.chance(0.1) && earliest != Instant::max()) {
      Thing* const due = queue.pop_due(earliest);
      ASSERT_EQ(model.at(due), earliest);
      model.erase(due);
    }
  }
}

}  // namespace
}  // namespace sidestream::tunnel
