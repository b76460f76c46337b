#include "streams/deadline_io.h"

#include <gtest/gtest.h>

#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

class Deadline : public ::testing::Test {
 protected:
  Task<int> answer_after(Duration time) {
    co_await loop_.timers().sleep_for(time);
    co_return 42;
  }
  Task<int> fail_after(Duration time) {
    co_await loop_.timers().sleep_for(time);
    throw system_error(asio::error::connection_refused);
  }
  // A task that succeeds although it was cancelled, as one does whose result came at that moment.
  Task<int> answer_when_cancelled() {
    try {
      co_await loop_.timers().sleep_for(1h);
    } catch (const system_error&) {
    }
    co_return 43;
  }

  VirtualLoop loop_;
};

TEST_F(Deadline, ResultInTime) {
  const Instant start = loop_.now();
  EXPECT_EQ(loop_.run(with_timeout(loop_.timers(), 5s, answer_after(2s))), 42);
  EXPECT_EQ(loop_.now() - start, 2s);
  EXPECT_EQ(loop_.timers().size(), 0U);
}

TEST_F(Deadline, TooLateIsTimedOut) {
  auto pending = loop_.start(with_timeout(loop_.timers(), 5s, answer_after(6s)));
  loop_.advance(4999ms);
  EXPECT_FALSE(pending.done());
  loop_.advance(1ms);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::timed_out);
  EXPECT_EQ(loop_.timers().size(), 0U);
}

TEST_F(Deadline, FailureOfTheTaskIsItsOwn) {
  auto pending = loop_.start(with_timeout(loop_.timers(), 5s, fail_after(1s)));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::connection_refused);
}

TEST_F(Deadline, CancellationIsNotATimeout) {
  auto pending = loop_.start(with_timeout(loop_.timers(), 5s, answer_after(9s)));
  loop_.advance(1s);
  pending.cancel();
  loop_.settle();
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::operation_aborted);
}

TEST_F(Deadline, ResultThatComesWithTheDeadlineIsKept) {
  EXPECT_EQ(loop_.run(with_timeout(loop_.timers(), 5s, answer_when_cancelled())), 43);
}

TEST_F(Deadline, ThatIsOverAlreadyEndsTheTaskAtOnce) {
  auto pending = loop_.start(with_deadline(loop_.timers(), loop_.now() - 1s, answer_after(1s)));
  loop_.advance(0s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::timed_out);
}

}  // namespace
}  // namespace sidestream
