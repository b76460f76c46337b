#include "streams/timer_queue_io.h"

#include <ctime>

#include "streams/event_io.h"

namespace sidestream {

class TimerQueue::Sleeper final : public Alarm, public Suspension {
 public:
  explicit Sleeper(TimerQueue& queue) : queue_(queue) {}
  ~Sleeper() override { leave_queue(); }

  void fire() override { resume({}); }
  void leave_queue() noexcept override {
    if (queued()) queue_.remove(*this);
  }

 private:
  TimerQueue& queue_;
};

TimerQueue::~TimerQueue() {
  abandon_sleepers();
}

void TimerQueue::abandon_sleepers() {
  while (TimerHeap::Entry* first = heap_.first()) {
    heap_.remove(*first);
    if (auto* sleeper = dynamic_cast<Sleeper*>(static_cast<Alarm*>(first))) sleeper->abandon();
  }
}

Task<> TimerQueue::sleep_until(Instant deadline) {
  Sleeper sleeper(*this);
  schedule(sleeper, deadline);
  co_await sleeper.suspend();
}

void TimerQueue::schedule(Alarm& alarm, Instant deadline) {
  heap_.push(alarm, deadline);
  if (heap_.first() == &alarm) first_deadline_moved_up();
}

void TimerQueue::remove(Alarm& alarm) {
  if (!alarm.queued()) return;
  heap_.remove(alarm);
  if (heap_.size() == 0) last_removed();
}

std::optional<Instant> TimerQueue::next_deadline() const {
  const TimerHeap::Entry* first = heap_.first();
  return first ? std::optional(first->deadline()) : std::nullopt;
}

void TimerQueue::fire_due(Instant now) {
  while (TimerHeap::Entry* first = heap_.first()) {
    if (first->deadline() > now) return;
    heap_.remove(*first);
    static_cast<Alarm*>(first)->fire();
  }
}

KernelTimers::KernelTimers(boost::asio::any_io_executor executor) : timer_(std::move(executor)) {}

Instant KernelTimers::now() const {
  return std::chrono::steady_clock::now();
}

WallTime KernelTimers::wall_now() const {
  return std::chrono::system_clock::now();
}

Duration KernelTimers::suspended() const {
  const auto read = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return Duration(std::chrono::seconds(time.tv_sec)) + std::chrono::nanoseconds(time.tv_nsec);
  };
  // In this order a pause between the two reads looks like sleep of a few microseconds at most, and
  // never like a negative one.
  const Duration awake = read(CLOCK_MONOTONIC);
  return read(CLOCK_BOOTTIME) - awake;
}

void KernelTimers::first_deadline_moved_up() {
  // A sleeper that leaves early does not move the timer, unless it was the last one: it goes off
  // once in vain.
  timer_.expires_at(*next_deadline());
  timer_.async_wait([this](error_code code) {
    if (code) return;
    fire_due(now());
    if (next_deadline()) first_deadline_moved_up();
  });
}

}  // namespace sidestream
