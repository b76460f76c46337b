#include "streams/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/support/seeded_random.h"

namespace sidestream {
namespace {

struct Timer final : TimerHeap::Entry {
  int id = 0;
};

Instant at(int seconds) {
  return Instant(std::chrono::seconds(seconds));
}

TEST(TimerHeap, EarliestFirstAndEqualOnesInOrderOfArrival) {
  TimerHeap heap;
  std::vector<Timer> timers(5);
  const std::vector<int> seconds{3, 1, 2, 1, 1};
  for (int i = 0; i < 5; ++i) {
    const auto index = static_cast<std::size_t>(i);
    timers[index].id = i;
    heap.push(timers[index], at(seconds[index]));
  }
  std::vector<int> order;
  while (TimerHeap::Entry* first = heap.first()) {
    order.push_back(static_cast<Timer*>(first)->id);
    heap.remove(*first);
    EXPECT_FALSE(first->queued());
  }
  EXPECT_EQ(order, (std::vector<int>{1, 3, 4, 2, 0}));
}

TEST(TimerHeap, RemovingWhatIsNotThereDoesNothing) {
  TimerHeap heap;
  Timer timer;
  heap.remove(timer);
  heap.push(timer, at(1));
  heap.remove(timer);
  heap.remove(timer);
  EXPECT_EQ(heap.size(), 0U);
  EXPECT_EQ(heap.first(), nullptr);
}

TEST(TimerHeap, StaysSortedUnderRandomPushesAndRemovals) {
  SeededRandom random(7);
  TimerHeap heap;
  std::vector<Timer> timers(200);
  for (int round = 0; round < 20000; ++round) {
    Timer& timer = timers[random.below(200)];
    if (timer.queued()) {
      heap.remove(timer);
    } else {
      heap.push(timer, at(static_cast<int>(random.below(50))));
    }
    std::size_t queued = 0;
    Instant earliest = Instant::max();
    for (const Timer& each : timers) {
      if (!each.queued()) continue;
      ++queued;
      earliest = std::min(earliest, each.deadline());
    }
    ASSERT_EQ(heap.size(), queued);
    if (queued > 0) {
      ASSERT_EQ(heap.first()->deadline(), earliest);
    }
  }
}

}  // namespace
}  // namespace sidestream
