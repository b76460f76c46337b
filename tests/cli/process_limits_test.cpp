#include "cli/process_limits.h"

#include <gtest/gtest.h>

namespace sidestream::cli {
namespace {

TEST(StreamsThatFit, AreTheWantedOnesWhenThereIsRoom) {
  EXPECT_EQ(streams_that_fit({1000, true}, 100, 1100), 1000U);
  EXPECT_EQ(streams_that_fit({1000, false}, 100, 5000), 1000U);
}

TEST(StreamsThatFit, ADefaultBecomesSmaller) {
  EXPECT_EQ(streams_that_fit({16384, false}, 100, 1024), 924U);
}

TEST(StreamsThatFit, WhatIsWrittenIsRefusedWithWhatToRaise) {
  const auto refused = streams_that_fit({1000, true}, 100, 1099);
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error(),
      "this process may open 1099 files, and limits.streams: 1000 needs 1100; raise the limit "
      "(`ulimit -n`, LimitNOFILE= in a systemd unit, ulimits.nofile in compose) or lower "
      "limits.streams");
}

TEST(StreamsThatFit, ADefaultThatIsOfNoUseIsRefusedToo) {
  EXPECT_FALSE(streams_that_fit({16384, false}, 100, 110));
  EXPECT_FALSE(streams_that_fit({16384, false}, 100, 10));
}

TEST(TcpMemory, IsAQuarterOfALimit) {
  EXPECT_EQ(tcp_memory_that_fits(256U << 20U, 0), 256U << 20U);
  EXPECT_EQ(tcp_memory_that_fits(256U << 20U, 64U << 20U), 16U << 20U);
  EXPECT_EQ(tcp_memory_that_fits(256U << 20U, std::size_t{8} << 30U), 256U << 20U);
  EXPECT_EQ(tcp_memory_that_fits(256U << 20U, 1U << 20U), 4U << 20U);
}

}  // namespace
}  // namespace sidestream::cli
