#include "tunnel/handshake_queue.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

constexpr Instant start{std::chrono::hours(1)};

DeviceLimits small_limits() {
  DeviceLimits limits;
  limits.handshakes_per_turn_max = 2;
  limits.handshake_turn = 10ms;
  limits.handshake_queue_max = 16;
  limits.under_load_from = 2;
  return limits;
}

TEST(TurnBudget, GivesSoManyStepsInSoMuchTime) {
  TurnBudget budget(2, 10ms);
  EXPECT_TRUE(budget.take(start));
  EXPECT_TRUE(budget.take(start + 5ms));
  EXPECT_FALSE(budget.take(start + 9ms));
  EXPECT_EQ(budget.next_turn(), start + 10ms);
  EXPECT_TRUE(budget.take(start + 10ms));
  EXPECT_TRUE(budget.take(start + 10ms));
  EXPECT_FALSE(budget.take(start + 10ms));
}

TEST(HandshakeQueue, KeepsOrderAndBound) {
  HandshakeQueue queue(small_limits());
  EXPECT_EQ(queue.next_deadline(), Instant::max());
  for (std::uint8_t i = 0; i < 20; ++i) {
    const std::vector<std::uint8_t> message(response_bytes, i);
    queue.push(start, *SocketAddress::parse("192.0.2.1:1"), message, false);
  }
  for (std::uint8_t i = 0; i < 16; ++i) {
    ASSERT_FALSE(queue.empty());
    EXPECT_EQ(queue.front().message().size(), response_bytes);
    EXPECT_EQ(queue.front().message()[0], i);
    queue.pop();
  }
  EXPECT_TRUE(queue.empty());
}

TEST(HandshakeQueue, IsUnderLoadFromAnEighthAndForASecondAfter) {
  HandshakeQueue queue(small_limits());
  const std::vector<std::uint8_t> message(initiation_bytes);
  EXPECT_TRUE(queue.take_turn(start));
  EXPECT_TRUE(queue.take_turn(start));
  EXPECT_FALSE(queue.take_turn(start));
  queue.push(start, {}, message, false);
  EXPECT_EQ(queue.next_deadline(), start + 10ms);
  EXPECT_FALSE(queue.under_load(start));
  queue.push(start, {}, message, false);
  EXPECT_TRUE(queue.under_load(start));
  queue.pop();
  queue.pop();
  EXPECT_TRUE(queue.under_load(start + 999ms));
  EXPECT_FALSE(queue.under_load(start + 1s));
}

}  // namespace
}  // namespace sidestream::tunnel
