// A task under test: started, looked at, cancelled.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>

#include "streams/asio_io.h"
#include "streams/join_io.h"

namespace sidestream {

// Runs on its executor from construction on. When it dies the task is cancelled and `drain` (which
// runs the loop) must bring it to its end.
template <typename T>
class Pending {
 public:
  Pending(const asio::any_io_executor& executor, Task<T> task, std::function<void()> drain)
      : drain_(std::move(drain)) {
    asio::co_spawn(executor, join_detail::store<T>(std::move(task), result_),
                   asio::bind_cancellation_slot(signal_.slot(), [this](std::exception_ptr failure) {
                     done_ = true;
                     failure_ = std::move(failure);
                   }));
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    if (done_) return;
    cancel();
    drain_();
    if (done_) return;
    std::fputs("a task under test did not end when it was cancelled\n", stderr);
    std::abort();
  }

  void cancel() { signal_.emit(asio::cancellation_type::terminal); }

  // Has it ended, well or badly?
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] error_code error() const { return code_of(failure_); }
  // The result of a task that is done; throws what it threw.
  Joined<T>& result() {
    if (failure_) std::rethrow_exception(failure_);
    return result_.value();
  }

 private:
  std::function<void()> drain_;
  asio::cancellation_signal signal_;
  std::optional<Joined<T>> result_;
  std::exception_ptr failure_;
  bool done_ = false;
};

}  // namespace sidestream
