#include "tunnel/deadline_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

struct Item : DeadlineHeapPlace {};

TEST(DeadlineHeap, KnowsTheEarliest) {
  DeadlineHeap<Item> heap;
  Item first;
  Item second;
  EXPECT_EQ(heap.first(), nullptr);
  heap.update(first, Instant(2s));
  heap.update(second, Instant(1s));
  EXPECT_EQ(heap.first(), &second);
  heap.update(second, Instant(3s));
  EXPECT_EQ(heap.first(), &first);
  heap.remove(first);
  heap.remove(first);
  EXPECT_EQ(heap.first(), &second);
  heap.update(second, Instant::max());
  EXPECT_EQ(heap.first(), nullptr);
  EXPECT_EQ(heap.size(), 0U);
}

TEST(DeadlineHeap, RandomUpdates) {
  SeededRandom random(1);
  std::vector<Item> items(50);
  DeadlineHeap<Item> heap;
  for (int i = 0; i < 20'000; ++i) {
    Item& item = items[random.below(50)];
    heap.update(item, random.chance(0.2) ? Instant::max()
                                         : Instant(std::chrono::seconds(random.below(1000))));
    const auto earliest = std::ranges::min_element(items, {}, &Item::heap_deadline);
    if (earliest->heap_deadline == Instant::max()) {
      ASSERT_EQ(heap.first(), nullptr);
    } else {
      ASSERT_NE(heap.first(), nullptr);
      ASSERT_EQ(heap.first()->heap_deadline, earliest->heap_deadline);
    }
  }
}

}  // namespace
}  // namespace sidestream::tunnel
