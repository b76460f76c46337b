#include "tunnel/staged_packets.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

TEST(StagedPackets, DropTheOldest) {
  StagedBudget budget{1000};
  StagedPackets packets(3, budget);
  for (std::uint8_t i = 0; i < 5; ++i) packets.push(std::vector<std::uint8_t>(10, i));
  ASSERT_EQ(packets.size(), 3U);
  EXPECT_EQ(budget.bytes_used, 30U);
  for (std::uint8_t i = 2; i < 5; ++i) {
    EXPECT_EQ(packets.front()[0], i);
    packets.pop();
  }
  EXPECT_TRUE(packets.empty());
  EXPECT_EQ(budget.bytes_used, 0U);
}

TEST(StagedPackets, ShareABudgetOfBytes) {
  StagedBudget budget{100};
  StagedPackets first(128, budget);
  {
    StagedPackets second(128, budget);
    first.push(std::vector<std::uint8_t>(60));
    second.push(std::vector<std::uint8_t>(30));
    second.push(std::vector<std::uint8_t>(40, 1));  // pushes out second's own
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second.front()[0], 1);
    EXPECT_EQ(budget.bytes_used, 100U);
    second.push(std::vector<std::uint8_t>(50));  // does not fit beside first's
    EXPECT_TRUE(second.empty());
    EXPECT_EQ(first.size(), 1U);
    second.push(std::vector<std::uint8_t>(40));
  }
  EXPECT_EQ(budget.bytes_used, 60U);
  first.clear();
  EXPECT_EQ(budget.bytes_used, 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
