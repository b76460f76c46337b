// Tasks that run beside each other and belong to one owner.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <list>

#include "streams/asio_io.h"
#include "streams/event_io.h"

namespace sidestream {

// Every spawn of the program goes through a group, which is owned by the object that its tasks
// refer to (declare it last there). The end has three steps: cancel(), join(), destroy; stop() is
// the first two. Destroying a group that has tasks is a bug and ends the program.
class TaskGroup {
 public:
  // Called with what a task threw, on the thread of the executor, when the task is gone already.
  // Must not throw and must not destroy the group. The operation_aborted of a cancelled group is
  // not an error and not reported.
  using OnError = std::move_only_function<void(const std::exception_ptr&)>;

  explicit TaskGroup(asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // The task starts when the caller has suspended, never inside spawn. In a cancelled group it
  // is destroyed without starting.
  void spawn(Task<> task, OnError on_error);

  // Cancels every task and closes the group for new ones. Calling it again does nothing.
  void cancel();

  // Returns when there are no tasks. Cancelling ends the wait, not the tasks.
  Task<> join();

  // Cancels and waits. Made for with_cleanup (join_io.h), where nothing cancels the wait.
  Task<> stop();

  [[nodiscard]] std::size_t size() const { return running_.size(); }
  [[nodiscard]] bool empty() const { return running_.empty(); }
  [[nodiscard]] bool cancelled() const { return cancelled_; }

 private:
  using Running = std::list<asio::cancellation_signal>;

  void on_end(Running::iterator task, const std::exception_ptr& failure, OnError& on_error);

  asio::any_io_executor executor_;
  Running running_;
  Event ended_;
  bool cancelled_ = false;
};

}  // namespace sidestream
