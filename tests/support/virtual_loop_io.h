// An io_context with a clock that is moved by hand: tests that wait for hours run in no time, and
// the same way each time.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <stdexcept>

#include "streams/timer_queue_io.h"
#include "tests/support/pending_io.h"

namespace sidestream {

class VirtualTimers final : public TimerQueue {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override {
    return WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)) +
           now_.time_since_epoch() + wall_jump_;
  }

  // Wakes what is due then. Never goes back.
  void advance_to(Instant instant) {
    if (instant > now_) now_ = instant;
    fire_due(now_);
  }
  // Moves the wall clock, as an administrator or NTP does; the monotonic one does not notice.
  void jump_wall_clock(Duration by) { wall_jump_ += by; }

 private:
  void first_deadline_moved_up() override {}

  // Not zero, so that nothing takes "no time yet" for a time.
  Instant now_{std::chrono::hours(1)};
  Duration wall_jump_{};
};

class VirtualLoop {
 public:
  VirtualLoop() : work_(io_.get_executor()) {}
  VirtualLoop(const VirtualLoop&) = delete;
  VirtualLoop& operator=(const VirtualLoop&) = delete;

  asio::any_io_executor executor() { return io_.get_executor(); }
  asio::io_context& io() { return io_; }
  VirtualTimers& timers() { return timers_; }
  [[nodiscard]] Instant now() const { return timers_.now(); }

  // Runs everything that can run without time passing.
  void settle() { io_.poll(); }

  // Lets time pass, stopping at each deadline on the way.
  void advance(Duration time) {
    const Instant end = now() + time;
    settle();
    while (timers_.next_deadline() && *timers_.next_deadline() <= end) step();
    timers_.advance_to(end);
    settle();
  }

  // Runs what can run now, then goes to the next deadline and runs what becomes possible there;
  // false when there is no deadline.
  bool step() {
    settle();
    const auto next = timers_.next_deadline();
    if (!next) return false;
    timers_.advance_to(*next);
    settle();
    return true;
  }

  // The task runs up to where it first waits.
  template <typename T>
  Pending<T> start(Task<T> task) {
    return Pending<T>(executor(), std::move(task), [this] { settle(); });
  }

  // Runs a task to its end, with as much time passing as it takes. Throws logic_error when it
  // waits for something that will never happen.
  template <typename T>
  T run(Task<T> task) {
    Pending<T> pending = start(std::move(task));
    settle();
    while (!pending.done()) {
      if (!step()) throw std::logic_error("the task waits for something that never happens");
    }
    if constexpr (std::is_void_v<T>) {
      pending.result();
    } else {
      return std::move(pending.result());
    }
  }

 private:
  VirtualTimers timers_;  // outlives the coroutines that io_ destroys
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
};

}  // namespace sidestream
