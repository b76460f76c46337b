#include "cli/memory_guard.h"

#include <gtest/gtest.h>

namespace sidestream::cli {
namespace {

constexpr std::size_t mebibyte = 1UL << 20U;

TEST(MemoryGuard, FirstNothingIsAddedThenTheNewestGo) {
  constexpr std::size_t limit = 100 * mebibyte;
  EXPECT_EQ(judge_memory(5 * mebibyte, limit).new_streams, 80U * 16);
  EXPECT_EQ(judge_memory(84 * mebibyte, limit).new_streams, 16U);
  EXPECT_EQ(judge_memory(85 * mebibyte, limit).new_streams, 0U);
  EXPECT_FALSE(judge_memory(92 * mebibyte, limit).shed);
  EXPECT_TRUE(judge_memory(93 * mebibyte, limit).shed);
  EXPECT_EQ(judge_memory(93 * mebibyte, limit).new_streams, 0U);
  EXPECT_TRUE(judge_memory(200 * mebibyte, limit).shed);
}

TEST(ControlGroups, OfAContainerAndOfAService) {
  EXPECT_EQ(control_groups_of("0::/\n").version_2, "/");
  EXPECT_EQ(control_groups_of("0::/system.slice/sidestream.service\n").version_2,
            "/system.slice/sidestream.service");
  const ControlGroups both = control_groups_of(
      "12:pids:/a\n5:memory:/docker/0123:4\n4:cpu,cpuacct:/c\n1:name=systemd:/d\n0::/e\n");
  EXPECT_EQ(both.version_1, "/docker/0123:4");
  EXPECT_EQ(both.version_2, "/e");
  EXPECT_EQ(control_groups_of("7:hugetlb,memory:/x").version_1, "/x");
}

TEST(ControlGroups, NoneWhereThereIsNone) {
  for (const char* text : {"", "\n\n", "memory", "1:memory", "1:memory:", "1:memory:x", ":::"}) {
    EXPECT_EQ(control_groups_of(text).version_1, "") << text;
    EXPECT_EQ(control_groups_of(text).version_2, "") << text;
  }
}

}  // namespace
}  // namespace sidestream::cli
