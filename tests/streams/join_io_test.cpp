#include "streams/join_io.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

using boost::system::errc::make_error_code;

class Join : public ::testing::Test {
 protected:
  // Notes how each task ended, because a join must never return before both have.
  Task<int> succeed(std::string name, Duration after, int value) {
    Note note(*this, std::move(name));
    co_await loop_.timers().sleep_for(after);
    note.how = "done";
    co_return value;
  }
  Task<int> fail(std::string name, Duration after, error_code code) {
    Note note(*this, std::move(name));
    co_await loop_.timers().sleep_for(after);
    note.how = "failed";
    throw system_error(code);
  }
  Task<> succeed_with_nothing(Duration after) { co_await loop_.timers().sleep_for(after); }
  // Says something else than operation_aborted when it is cancelled.
  Task<int> fail_when_cancelled(Duration after, error_code code) {
    bool cancelled = false;
    try {
      co_await loop_.timers().sleep_for(after);
    } catch (const system_error&) {
      cancelled = true;
    }
    if (cancelled) throw system_error(code);
    co_return 0;
  }
  // Succeeds in spite of a cancellation.
  Task<int> succeed_when_cancelled(Duration after, int value) {
    try {
      co_await loop_.timers().sleep_for(after);
    } catch (const system_error&) {
      value = -value;
    }
    co_return value;
  }

  struct Note {
    Note(Join& test, std::string task) : owner(test), name(std::move(task)) {}
    ~Note() { owner.log_ += name + " " + how + "; "; }
    Join& owner;
    std::string name;
    std::string how = "cancelled";
  };

  VirtualLoop loop_;
  std::string log_;
  const error_code reset_ = asio::error::connection_reset;
  const error_code refused_ = asio::error::connection_refused;
};

TEST_F(Join, BothWaitsForBothAndGivesBothResults) {
  const Instant start = loop_.now();
  auto [left, right] = loop_.run(both(succeed("a", 2s, 1), succeed("b", 1s, 2)));
  EXPECT_EQ(left, 1);
  EXPECT_EQ(right, 2);
  EXPECT_EQ(log_, "b done; a done; ");
  EXPECT_EQ(loop_.now() - start, 2s);
}

TEST_F(Join, BothCancelsTheRightWhenTheLeftFails) {
  auto pending = loop_.start(both(fail("a", 1s, reset_), succeed("b", 9s, 2)));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), reset_);
  EXPECT_EQ(log_, "a failed; b cancelled; ");
}

TEST_F(Join, BothCancelsTheLeftWhenTheRightFailsAndThrowsTheRealReason) {
  auto pending = loop_.start(both(succeed("a", 9s, 1), fail("b", 1s, refused_)));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), refused_);
  EXPECT_EQ(log_, "b failed; a cancelled; ");
}

TEST_F(Join, BothThrowsTheFailureThatCameFirst) {
  auto pending = loop_.start(both(fail_when_cancelled(9s, reset_), fail("b", 1s, refused_)));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), refused_);
}

TEST_F(Join, BothThrowsAFailureThatComesAfterTheOtherSucceeded) {
  auto pending = loop_.start(both(succeed("a", 1s, 1), fail("b", 2s, refused_)));
  loop_.advance(1s);
  EXPECT_FALSE(pending.done());
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), refused_);
}

TEST_F(Join, BothIsCancelledFromOutside) {
  auto pending = loop_.start(both(succeed("a", 9s, 1), succeed("b", 9s, 2)));
  loop_.advance(1s);
  pending.cancel();
  loop_.settle();
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::operation_aborted);
  EXPECT_EQ(log_, "a cancelled; b cancelled; ");
}

TEST_F(Join, BothOfNothingWorks) {
  const Instant start = loop_.now();
  loop_.run(both(succeed_with_nothing(1s), succeed_with_nothing(3s)));
  EXPECT_EQ(loop_.now() - start, 3s);
}

TEST_F(Join, BothOfTasksThatNeverWait) {
  auto left = []() -> Task<int> { co_return 1; };
  auto right = []() -> Task<int> { co_return 2; };
  EXPECT_EQ(loop_.run(both(left(), right())), (std::pair(1, 2)));
}

TEST_F(Join, FirstOfEndsWithTheFirstAndAwaitsTheOther) {
  const Instant start = loop_.now();
  const auto result = loop_.run(first_of(succeed("a", 2s, 1), succeed("b", 1s, 2)));
  ASSERT_EQ(result.index(), 1U);
  EXPECT_EQ(std::get<1>(result), 2);
  EXPECT_EQ(log_, "b done; a cancelled; ");
  EXPECT_EQ(loop_.now() - start, 1s);
}

TEST_F(Join, FirstOfThrowsTheFailureOfTheFirstInsteadOfWaitingForASuccess) {
  auto pending = loop_.start(first_of(fail("a", 1s, reset_), succeed("b", 60s, 2)));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), reset_);
  EXPECT_EQ(log_, "a failed; b cancelled; ");
}

TEST_F(Join, FirstOfDoesNotSwallowWhatTheLoserThrows) {
  auto pending = loop_.start(first_of(succeed("a", 1s, 1), fail_when_cancelled(9s, refused_)));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), refused_);
}

TEST_F(Join, FirstOfDropsTheResultOfALoserThatSucceededAnyway) {
  const auto result = loop_.run(first_of(succeed("a", 1s, 1), succeed_when_cancelled(9s, 7)));
  ASSERT_EQ(result.index(), 0U);
  EXPECT_EQ(std::get<0>(result), 1);
}

TEST_F(Join, FirstOfWithBothFailingThrowsTheFirst) {
  auto pending = loop_.start(first_of(fail("a", 1s, reset_), fail_when_cancelled(9s, refused_)));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), reset_);
}

TEST_F(Join, FirstOfIsCancelledFromOutside) {
  auto pending = loop_.start(first_of(succeed("a", 9s, 1), succeed_with_nothing(9s)));
  loop_.advance(1s);
  pending.cancel();
  loop_.settle();
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::operation_aborted);
  EXPECT_EQ(log_, "a cancelled; ");
}

TEST_F(Join, JoinsNest) {
  auto inner = first_of(succeed("a", 9s, 1), succeed("b", 8s, 2));
  auto outer = both(std::move(inner), fail("c", 1s, reset_));
  auto pending = loop_.start(std::move(outer));
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), reset_);
  EXPECT_EQ(log_, "c failed; a cancelled; b cancelled; ");
}

TEST_F(Join, MovesResultsThatCannotBeCopied) {
  auto make = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  const auto result = loop_.run(first_of(make(), succeed_with_nothing(9s)));
  EXPECT_EQ(*std::get<0>(result), 5);
}

class Cleanup : public Join {
 protected:
  Task<> body(Duration time, error_code code) {
    co_await loop_.timers().sleep_for(time);
    if (code) throw system_error(code);
  }
  Task<> clean(Duration time, error_code code) {
    log_ += "cleaning; ";
    co_await loop_.timers().sleep_for(time);
    log_ += "clean; ";
    if (code) throw system_error(code);
  }
  // Whoever awaits this is only cancelled if a cancellation went through with_cleanup.
  Task<> then(Task<> first) {
    co_await std::move(first);
    log_ += "went on; ";
    co_await loop_.timers().sleep_for(1s);
    log_ += "ended; ";
  }
};

TEST_F(Cleanup, RunsAfterSuccess) {
  loop_.run(then(with_cleanup(body(1s, {}), clean(1s, {}))));
  EXPECT_EQ(log_, "cleaning; clean; went on; ended; ");
}

TEST_F(Cleanup, RunsAfterFailureWhichIsThrownThen) {
  auto pending = loop_.start(with_cleanup(body(1s, reset_), clean(1s, refused_)));
  loop_.advance(1s);
  EXPECT_FALSE(pending.done());
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), reset_);
  EXPECT_EQ(log_, "cleaning; clean; ");
}

TEST_F(Cleanup, RunsToItsEndAlthoughCancelled) {
  auto pending = loop_.start(then(with_cleanup(body(9s, {}), clean(2s, {}))));
  loop_.advance(1s);
  pending.cancel();
  loop_.advance(1s);
  EXPECT_FALSE(pending.done());
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::operation_aborted);
  EXPECT_EQ(log_, "cleaning; clean; ");
}

TEST_F(Cleanup, IsNotReachedByACancellationThatComesMeanwhile) {
  auto pending = loop_.start(then(with_cleanup(body(1s, {}), clean(3s, {}))));
  loop_.advance(2s);
  pending.cancel();
  loop_.advance(1s);
  EXPECT_FALSE(pending.done());
  loop_.advance(1s);
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::operation_aborted);
  EXPECT_EQ(log_, "cleaning; clean; ");
}

TEST_F(Cleanup, CanStillBeCancelledAfterwards) {
  auto pending = loop_.start(then(with_cleanup(body(1s, {}), clean(1s, {}))));
  loop_.advance(2500ms);
  pending.cancel();
  loop_.settle();
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::operation_aborted);
  EXPECT_EQ(log_, "cleaning; clean; went on; ");
}

TEST_F(Cleanup, ItsOwnFailureIsThrownWhenThereIsNoOther) {
  EXPECT_THROW(loop_.run(with_cleanup(body(1s, {}), clean(1s, refused_))), system_error);
}

}  // namespace
}  // namespace sidestream
