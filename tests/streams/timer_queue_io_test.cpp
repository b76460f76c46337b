#include "streams/timer_queue_io.h"

#include <gtest/gtest.h>

#include "streams/deadline_io.h"
#include "streams/task_group_io.h"
#include "tests/support/kernel_loop_io.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

Task<> note_after(Timers& timers, Duration time, std::string name, std::string& log) {
  co_await timers.sleep_for(time);
  log += name;
}

const auto ignore_errors = [](const std::exception_ptr&) {};

TEST(TimerQueue, WakesInOrderOfDeadlineThenOfArrival) {
  VirtualLoop loop;
  std::string log;
  TaskGroup group(loop.executor());
  group.spawn(note_after(loop.timers(), 2s, "c", log), ignore_errors);
  group.spawn(note_after(loop.timers(), 1s, "a", log), ignore_errors);
  group.spawn(note_after(loop.timers(), 1s, "b", log), ignore_errors);
  group.spawn(note_after(loop.timers(), 2s, "d", log), ignore_errors);
  loop.advance(1s);
  EXPECT_EQ(log, "ab");
  loop.advance(1s);
  EXPECT_EQ(log, "abcd");
}

TEST(TimerQueue, CancelledSleeperLeavesTheQueue) {
  VirtualLoop loop;
  auto sleeping = loop.start(loop.timers().sleep_for(1h));
  loop.settle();
  EXPECT_EQ(loop.timers().size(), 1U);
  sleeping.cancel();
  loop.settle();
  EXPECT_EQ(loop.timers().size(), 0U);
  EXPECT_EQ(sleeping.error(), asio::error::operation_aborted);
}

TEST(TimerQueue, CancellationAfterTheWakingComesTooLate) {
  VirtualLoop loop;
  auto sleeping = loop.start(loop.timers().sleep_for(1s));
  loop.settle();
  loop.timers().advance_to(loop.now() + 1s);
  sleeping.cancel();
  loop.settle();
  ASSERT_TRUE(sleeping.done());
  EXPECT_FALSE(sleeping.error());
}

TEST(TimerQueue, PastDeadlineStillLetsOthersRunFirst) {
  VirtualLoop loop;
  auto sleeping = loop.start(loop.timers().sleep_until(loop.now() - 1s));
  loop.settle();
  EXPECT_FALSE(sleeping.done());
  loop.advance(0s);
  EXPECT_TRUE(sleeping.done());
}

TEST(TimerQueue, SleepersThatAreLeftAreDestroyedWithTheQueue) {
  auto timers = std::make_unique<VirtualTimers>();
  asio::io_context io;
  bool ended = false;
  asio::co_spawn(io, timers->sleep_for(1h), [&ended](const std::exception_ptr&) { ended = true; });
  io.poll();
  EXPECT_EQ(timers->size(), 1U);
  timers.reset();
  io.restart();
  io.poll();
  EXPECT_FALSE(ended);
}

TEST(VirtualClock, WallClockMayJumpWhileTheMonotonicOneDoesNot) {
  VirtualLoop loop;
  const Instant now = loop.now();
  const WallTime wall = loop.timers().wall_now();
  loop.timers().jump_wall_clock(-1h);
  EXPECT_EQ(loop.now(), now);
  EXPECT_EQ(loop.timers().wall_now(), wall - 1h);
}

TEST(KernelTimers, WakesAboutInTimeAndInOrder) {
  KernelLoop loop;
  std::string log;
  const Instant start = loop.timers().now();
  TaskGroup group(loop.executor());
  group.spawn(note_after(loop.timers(), 30ms, "c", log), ignore_errors);
  group.spawn(note_after(loop.timers(), 10ms, "a", log), ignore_errors);
  group.spawn(note_after(loop.timers(), 20ms, "b", log), ignore_errors);
  loop.run(group.join());
  EXPECT_EQ(log, "abc");
  EXPECT_GE(loop.timers().now() - start, 30ms);
}

TEST(KernelTimers, FirstSleeperCancelledDoesNotDelayTheNext) {
  KernelLoop loop;
  auto first = loop.start(loop.timers().sleep_for(200ms));
  auto second = loop.start(loop.timers().sleep_for(250ms));
  loop.run(yield_now());
  first.cancel();
  loop.finish(second);
  EXPECT_EQ(first.error(), asio::error::operation_aborted);
  EXPECT_FALSE(second.error());
}

TEST(KernelTimers, NothingIsWaitedForWhenTheLastSleeperHasLeft) {
  asio::io_context io;
  KernelTimers timers(io.get_executor());
  const Instant start = timers.now();
  TaskGroup group(io.get_executor());
  group.spawn(with_timeout(timers, 20s, yield_now()), ignore_errors);
  io.run();
  EXPECT_LT(timers.now() - start, 10s);
}

}  // namespace
}  // namespace sidestream
