// Suspending a coroutine until somebody on the same thread resumes it.
#pragma once

#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "streams/asio_io.h"

namespace sidestream {

// One suspended coroutine. It lives in the frame of the coroutine that waits and stands in a queue
// of whoever will resume it. Resuming goes through the executor: never inside the caller. A
// coroutine that is still suspended when its io_context dies is destroyed with it, as those are
// that wait for the io_context's own operations.
class Suspension {
 public:
  Suspension() = default;
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;
  virtual ~Suspension() = default;

  // Waits for resume(). Cancellation of any type takes it out of its queue and ends it with
  // operation_aborted. Await the result at once.
  Task<> suspend();
  // Ends the wait, with an error when `code` is one. The suspension must have left its queue.
  void resume(error_code code);
  // Destroys the waiting coroutine instead of resuming it; for owners of queues that die first.
  void abandon();

 private:
  using Resumption = asio::async_result<asio::use_awaitable_t<>, void(error_code)>::handler_type;

  virtual void leave_queue() noexcept = 0;

  class Register;  // of all that are suspended in one io_context
  Register* register_ = nullptr;
  Suspension* before_ = nullptr;
  Suspension* after_ = nullptr;
  std::optional<Resumption> resumption_;
};

// Something that may happen, again and again; coroutines wait for the next time. The state behind
// it is the owner's: `while (!condition) co_await event.wait();`
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  // Whoever still waits is destroyed without being resumed.
  ~Event();

  Task<> wait();
  // Wakes everyone who waits now, in the order in which they came.
  void notify_all();
  [[nodiscard]] bool has_waiters() const { return first_ != nullptr; }

 private:
  class Waiter;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace sidestream
