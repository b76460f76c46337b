#include "streams/task_group_io.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/virtual_loop_io.h"

namespace sidestream {
namespace {

class Tasks : public ::testing::Test {
 protected:
  TaskGroup::OnError note_error() {
    return [this](const std::exception_ptr& failure) { errors_.push_back(code_of(failure)); };
  }
  Task<> work(int id, Duration time) {
    log_ += std::to_string(id) + " started; ";
    co_await loop_.timers().sleep_for(time);
    log_ += std::to_string(id) + " ended; ";
  }
  Task<> spawn_another(TaskGroup& group) {
    group.spawn(work(1, 1s), note_error());
    log_ += "spawned; ";
    co_return;
  }
  Task<> spawn_and_cancel(TaskGroup& group) {
    group.spawn(work(2, 1h), note_error());
    co_await loop_.timers().sleep_for(1s);
    group.cancel();
    co_await loop_.timers().sleep_for(1h);
  }
  Task<> serve_with_cleanup() {
    TaskGroup group(loop_.executor());
    group.spawn(work(1, 1h), note_error());
    Task<> body = loop_.timers().sleep_for(1h);
    Task<> cleanup = group.stop();
    co_await with_cleanup(std::move(body), std::move(cleanup));
  }
  Task<> fail(Duration time) {
    co_await loop_.timers().sleep_for(time);
    throw system_error(asio::error::connection_reset);
  }

  VirtualLoop loop_;
  std::string log_;
  std::vector<error_code> errors_;
};

TEST_F(Tasks, StartAfterSpawnReturned) {
  TaskGroup group(loop_.executor());
  loop_.run(spawn_another(group));
  EXPECT_EQ(log_, "spawned; 1 started; ");
  EXPECT_EQ(group.size(), 1U);
  loop_.run(group.join());
  EXPECT_TRUE(group.empty());
  EXPECT_EQ(log_, "spawned; 1 started; 1 ended; ");
}

TEST_F(Tasks, JoinWaitsForAllOfThem) {
  TaskGroup group(loop_.executor());
  group.spawn(work(1, 1s), note_error());
  group.spawn(work(2, 3s), note_error());
  auto joining = loop_.start(group.join());
  loop_.advance(2s);
  EXPECT_FALSE(joining.done());
  loop_.advance(1s);
  EXPECT_TRUE(joining.done());
  EXPECT_TRUE(errors_.empty());
}

TEST_F(Tasks, ErrorsAreReportedAndOthersGoOn) {
  TaskGroup group(loop_.executor());
  group.spawn(fail(1s), note_error());
  group.spawn(work(2, 2s), note_error());
  loop_.run(group.join());
  EXPECT_EQ(errors_, std::vector<error_code>{asio::error::connection_reset});
  EXPECT_EQ(log_, "2 started; 2 ended; ");
}

TEST_F(Tasks, CancelEndsThemWithoutReportingIt) {
  TaskGroup group(loop_.executor());
  group.spawn(work(1, 1h), note_error());
  group.spawn(work(2, 1h), note_error());
  loop_.settle();
  const Instant start = loop_.now();
  loop_.run(group.stop());
  EXPECT_EQ(loop_.now(), start);
  EXPECT_TRUE(errors_.empty());
  EXPECT_EQ(log_, "1 started; 2 started; ");
}

TEST_F(Tasks, CancelReachesATaskThatHasNotStarted) {
  TaskGroup group(loop_.executor());
  group.spawn(work(1, 1h), note_error());
  loop_.run(group.stop());
  EXPECT_EQ(log_, "");
}

TEST_F(Tasks, CancelledGroupTakesNoMore) {
  TaskGroup group(loop_.executor());
  group.cancel();
  group.spawn(work(1, 1s), note_error());
  EXPECT_TRUE(group.empty());
  loop_.run(group.join());
  EXPECT_EQ(log_, "");
}

TEST_F(Tasks, OperationAbortedWithoutACancelIsAnError) {
  TaskGroup group(loop_.executor());
  auto abort = []() -> Task<> {
    throw system_error(asio::error::operation_aborted);
    co_return;
  };
  group.spawn(abort(), note_error());
  loop_.run(group.join());
  EXPECT_EQ(errors_.size(), 1U);
}

TEST_F(Tasks, CancelledJoinLeavesTheTasksAlone) {
  TaskGroup group(loop_.executor());
  group.spawn(work(1, 5s), note_error());
  auto joining = loop_.start(group.join());
  loop_.settle();
  joining.cancel();
  loop_.settle();
  EXPECT_EQ(joining.error(), asio::error::operation_aborted);
  EXPECT_EQ(group.size(), 1U);
  loop_.run(group.join());
  EXPECT_EQ(log_, "1 started; 1 ended; ");
}

TEST_F(Tasks, TaskMaySpawnAndCancel) {
  TaskGroup group(loop_.executor());
  group.spawn(spawn_and_cancel(group), note_error());
  loop_.run(group.join());
  EXPECT_EQ(log_, "2 started; ");
  EXPECT_TRUE(errors_.empty());
}

TEST_F(Tasks, StopAsCleanupWaitsAlthoughCancelled) {
  auto pending = loop_.start(serve_with_cleanup());
  loop_.advance(1s);
  pending.cancel();
  loop_.settle();
  ASSERT_TRUE(pending.done());
  EXPECT_EQ(pending.error(), asio::error::operation_aborted);
}

using TasksDeathTest = Tasks;

TEST_F(TasksDeathTest, DestroyingAGroupThatHasTasksIsABug) {
  EXPECT_DEATH(
      {
        TaskGroup group(loop_.executor());
        group.spawn(work(1, 1h), note_error());
      },
      "destroyed with tasks in it");
}

}  // namespace
}  // namespace sidestream
