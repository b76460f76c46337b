#include "cli/memory_watch_io.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/virtual_loop_io.h"

namespace sidestream::cli {
namespace {

TEST(MemoryMeter, WhatIsWantedCountsWhereItIsTighter) {
  const MemoryMeter system;
  const MemoryMeter tight(1UL << 20U);
  EXPECT_EQ(tight.limit_bytes(), 1UL << 20U);
  EXPECT_GT(tight.used_bytes(), 1'000'000U) << "resident";
  const MemoryMeter wide(1UL << 45U);
  EXPECT_EQ(wide.limit_bytes(), system.limit_bytes() == 0 ? 1UL << 45U : system.limit_bytes());
}

TEST(GuardMemory, ObeysAtOnceAndGoesOnLooking) {
  VirtualLoop loop;
  std::string lines;
  const Log log({}, loop.timers(),
                [&](std::string_view line) { lines += std::string(line) + '\n'; });
  std::vector<MemoryOrders> seen;
  const MemoryMeter meter(1UL << 20U);  // which this test has used up long ago
  auto guarding = loop.start(guard_memory(
      loop.timers(), meter,
      [&](const MemoryOrders& orders) {
        seen.push_back(orders);
        return std::size_t{3};
      },
      log));
  loop.advance(1s);
  EXPECT_EQ(seen.size(), 11U);
  EXPECT_EQ(seen[0].new_streams, 0U);
  EXPECT_TRUE(seen[0].shed);
  EXPECT_TRUE(lines.contains("memory is scarce, the newest streams are ended streams=3")) << lines;
  EXPECT_EQ(std::ranges::count(lines, '\n'), 1) << lines;
}

}  // namespace
}  // namespace sidestream::cli
