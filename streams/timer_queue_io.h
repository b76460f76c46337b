// The sleepers of one clock, and the clock that the program runs on.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "streams/timer_heap.h"
#include "streams/timer_io.h"

namespace sidestream {

// Everything about Timers but the clock itself, which a derived class brings: it calls fire_due()
// when the first deadline is over. Sleepers with equal deadlines wake in the order in which they
// went to sleep.
class TimerQueue : public Timers {
 public:
  // Something that happens at a point in time. It must not be queued when it dies.
  class Alarm : public TimerHeap::Entry {
   public:
    virtual void fire() = 0;

   protected:
    ~Alarm() = default;
  };

  // Sleepers that are left are destroyed without being resumed.
  ~TimerQueue() override;

  // Never returns at once, not even when `deadline` is over.
  Task<> sleep_until(Instant deadline) override;

  void schedule(Alarm& alarm, Instant deadline);
  void remove(Alarm& alarm);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] std::size_t size() const override { return heap_.size(); }

 protected:
  // Fires every alarm whose deadline is not after `now`, also those that are added meanwhile.
  void fire_due(Instant now);
  // The first deadline is earlier than it was.
  virtual void first_deadline_moved_up() = 0;
  // The last alarm was taken back: nothing is waited for any more.
  virtual void last_removed() {}
  // For the destructor of a derived class whose executor dies with it.
  void abandon_sleepers();

 private:
  class Sleeper;
  TimerHeap heap_;
};

// The monotonic clock of the machine. It must die before its io_context does, and no handler may
// run after it. Without sleepers it is no work for the io_context, so that run() can return.
class KernelTimers final : public TimerQueue {
 public:
  explicit KernelTimers(boost::asio::any_io_executor executor);

  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] Duration suspended() const override;

 private:
  void first_deadline_moved_up() override;
  void last_removed() override { timer_.cancel(); }

  boost::asio::steady_timer timer_;
};

}  // namespace sidestream
