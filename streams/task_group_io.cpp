#include "streams/task_group_io.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <cstdlib>

namespace sidestream {
namespace {

Task<> start_later(Task<> task) {
  co_await yield_now();
  co_await std::move(task);
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor) : executor_(std::move(executor)) {}

TaskGroup::~TaskGroup() {
  if (running_.empty()) return;
  // Going on would be a use after free as soon as one of them runs.
  std::fputs("sidestream: a task group was destroyed with tasks in it\n", stderr);
  std::abort();
}

void TaskGroup::spawn(Task<> task, OnError on_error) {
  if (cancelled_) return;
  const auto running = running_.emplace(running_.end());
  asio::co_spawn(
      executor_, start_later(std::move(task)),
      asio::bind_cancellation_slot(running->slot(), [this, running, on_error = std::move(on_error)](
                                                        const std::exception_ptr& failure) mutable {
        on_end(running, failure, on_error);
      }));
}

void TaskGroup::on_end(Running::iterator task, const std::exception_ptr& failure,
                       OnError& on_error) {
  running_.erase(task);
  if (running_.empty()) ended_.notify_all();
  if (failure && !(cancelled_ && is_cancelled(failure))) on_error(failure);
}

void TaskGroup::cancel() {
  cancelled_ = true;
  // No task runs inside emit: what it cancels completes through the executor.
  for (asio::cancellation_signal& task : running_) task.emit(asio::cancellation_type::terminal);
}

Task<> TaskGroup::join() {
  while (!running_.empty()) co_await ended_.wait();
}

Task<> TaskGroup::stop() {
  cancel();
  co_await join();
}

}  // namespace sidestream
