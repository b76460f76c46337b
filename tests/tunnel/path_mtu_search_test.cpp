#include "tunnel/path_mtu_search.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidestream::tunnel {
namespace {

using Sizes = std::vector<std::size_t>;

class PathMtuSearchTest : public testing::Test {
 protected:
  // All probes that are due; those that the path carries are answered 20 ms later.
  Sizes exchange(std::size_t carried) {
    std::vector<PathMtuSearch::Probe> sent;
    while (const auto probe = search.poll_probe()) sent.push_back(*probe);
    now += 20ms;
    Sizes sizes;
    for (const auto& probe : sent) {
      sizes.push_back(probe.packet_bytes);
      if (probe.packet_bytes <= carried) search.handle_answer(now, probe.number);
    }
    return sizes;
  }
  void wait_for_deadline() {
    ASSERT_NE(search.deadline(), Instant::max());
    now = search.deadline();
    search.handle_timeout(now);
  }
  // To its end.
  void run(std::size_t carried) {
    search.start(now);
    while (search.deadline() != Instant::max()) {
      exchange(carried);
      if (search.deadline() != Instant::max()) wait_for_deadline();
    }
  }

  Instant now{10s};
  PathMtuSearch search{576, 1420};
};

TEST_F(PathMtuSearchTest, IsOverWhenTheLargestIsAnswered) {
  EXPECT_EQ(search.deadline(), Instant::max());
  search.start(now);
  EXPECT_EQ(exchange(1420), (Sizes{1420, 576}));
  EXPECT_EQ(search.mtu(), 1420U);
  EXPECT_EQ(search.deadline(), Instant::max());
  EXPECT_FALSE(search.poll_probe());
}

TEST_F(PathMtuSearchTest, SendsAllSizesWhenOnlyTheSmallestIsAnswered) {
  search.start(now);
  exchange(1300);
  EXPECT_EQ(search.mtu(), 1420U);
  EXPECT_EQ(search.deadline(), now + 100ms);
  wait_for_deadline();
  EXPECT_EQ(exchange(1300), (Sizes{1420, 1408, 1392, 1376, 1360, 1344, 1328, 1312, 1296, 1280, 1264,
                                   1248, 1232, 1216, 1200, 1152, 1024, 896,  768,  640,  576}));
  wait_for_deadline();
  EXPECT_EQ(search.mtu(), 1296U) << "after 240 ms of a path of 20 ms";
  EXPECT_EQ(exchange(1300).size(), 21U) << "again: others may have been lost by chance";
  wait_for_deadline();
  exchange(1300);
  wait_for_deadline();
  EXPECT_EQ(search.deadline(), Instant::max());
  EXPECT_EQ(search.mtu(), 1296U);
}

TEST_F(PathMtuSearchTest, ALaterRoundRaises) {
  search.start(now);
  exchange(1300);
  wait_for_deadline();
  exchange(1200);
  wait_for_deadline();
  EXPECT_EQ(search.mtu(), 1200U);
  exchange(1380);
  wait_for_deadline();
  EXPECT_EQ(search.mtu(), 1376U);
  exchange(1500);
  EXPECT_EQ(search.mtu(), 1420U);
  EXPECT_EQ(search.deadline(), Instant::max());
}

TEST_F(PathMtuSearchTest, KeepsWhatItKnewWhenNothingIsAnswered) {
  run(1300);
  ASSERT_EQ(search.mtu(), 1296U);
  const Instant begin = now;
  run(0);
  EXPECT_EQ(now - begin, 3 * 1020ms - 3 * 20ms);
  EXPECT_EQ(search.mtu(), 1296U);
}

TEST_F(PathMtuSearchTest, TakesALateAnswerForWhatItIs) {
  search.start(now);
  const auto largest = search.poll_probe();
  ASSERT_TRUE(largest);
  while (search.deadline() != Instant::max()) {
    exchange(1300);
    if (search.deadline() != Instant::max()) wait_for_deadline();
  }
  ASSERT_EQ(search.mtu(), 1296U);
  search.handle_answer(now, largest->number);
  EXPECT_EQ(search.mtu(), 1420U);
}

TEST_F(PathMtuSearchTest, TakesNoAnswerOfAnEarlierSearchAndNoneItDidNotAskFor) {
  search.start(now);
  const auto largest = search.poll_probe();
  ASSERT_TRUE(largest);
  search.handle_answer(now, largest->number);
  run(1300);
  ASSERT_EQ(search.mtu(), 1296U);
  search.handle_answer(now, largest->number);
  search.handle_answer(now, 63);
  EXPECT_EQ(search.mtu(), 1296U);
}

TEST_F(PathMtuSearchTest, FindsThatThePathCarriesMoreThanBefore) {
  run(1300);
  run(1420);
  EXPECT_EQ(search.mtu(), 1420U);
}

TEST_F(PathMtuSearchTest, ADoubtBeginsASearchIfThereWasNoneLately) {
  search.doubt(now);
  EXPECT_EQ(exchange(1420).size(), 2U);
  search.doubt(now + 1s);
  EXPECT_FALSE(search.poll_probe());
  search.doubt(now + 2s);
  EXPECT_TRUE(search.poll_probe());
}

TEST_F(PathMtuSearchTest, HasNothingToFindOutWhereTheLeastIsTheMost) {
  PathMtuSearch none{576, 576};
  none.start(now);
  EXPECT_FALSE(none.poll_probe());
  EXPECT_EQ(none.deadline(), Instant::max());
}

TEST_F(PathMtuSearchTest, LargeLinksAreSearchedInLargerSteps) {
  PathMtuSearch large{1280, 9000};
  large.start(now);
  const auto first = large.poll_probe();
  const auto last = large.poll_probe();
  ASSERT_TRUE(first && last);
  large.handle_answer(now, last->number);
  large.handle_timeout(now + 1s);
  std::size_t count = 0;
  while (large.poll_probe()) ++count;
  EXPECT_EQ(count, 17U);
}

}  // namespace
}  // namespace sidestream::tunnel
