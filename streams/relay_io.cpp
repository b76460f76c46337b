#include "streams/relay_io.h"

#include <algorithm>

#include "streams/event_io.h"
#include "streams/join_io.h"
#include "streams/relay_buffers_io.h"

namespace sidestream {
namespace {

// A stream with fast peers never waits; after so many buffers everything else gets its turn.
constexpr int buffers_in_a_row_max = 4;

struct Direction {
  Stream* from;
  Stream* to;
  RelayEnd from_broke;
  RelayEnd to_broke;
  std::uint64_t* bytes;
  std::uint64_t* traffic;  // the same, of all relays that share it; may be null
  bool ended = false;      // in order
};

class Relay {
 public:
  Relay(Timers& timers, Stream& left, Stream& right, const RelayLimits& limits,
        RelayTraffic* traffic)
      : timers_(timers),
        limits_(limits),
        left_to_right_{.from = &left,
                       .to = &right,
                       .from_broke = RelayEnd::left_error,
                       .to_broke = RelayEnd::right_error,
                       .bytes = &summary_.left_to_right_bytes,
                       .traffic = traffic ? &traffic->left_to_right_bytes : nullptr},
        right_to_left_{.from = &right,
                       .to = &left,
                       .from_broke = RelayEnd::right_error,
                       .to_broke = RelayEnd::left_error,
                       .bytes = &summary_.right_to_left_bytes,
                       .traffic = traffic ? &traffic->right_to_left_bytes : nullptr},
        started_(timers.now()),
        last_read_(started_) {}

  Task<RelaySummary> run() {
    Task<> there = carry(left_to_right_);
    Task<> back = carry(right_to_left_);
    Task<> both_ways = both(std::move(there), std::move(back));
    Task<> work = limits_.idle_timeout ? watch_idle(std::move(both_ways)) : std::move(both_ways);
    std::exception_ptr failure;
    try {
      co_await std::move(work);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) end(RelayEnd::cancelled, code_of(failure));
    summary_.duration = timers_.now() - started_;
    co_return summary_;
  }

 private:
  // The first reason counts; what follows from it does not.
  void end(RelayEnd why, error_code code) {
    if (over_) return;
    over_ = true;
    summary_.end = why;
    progress_.notify_all();
    if (why == RelayEnd::left_error || why == RelayEnd::right_error) summary_.error = code;
    left_to_right_.from->abort();
    left_to_right_.to->abort();
  }

  Task<> carry(Direction& way) {
    RelayEnd side = way.from_broke;
    std::exception_ptr failure;
    try {
      for (int in_a_row = 0;; ++in_a_row) {
        side = way.from_broke;
        if (in_a_row == buffers_in_a_row_max) {
          in_a_row = 0;
          co_await yield_now();
        }
        co_await way.from->wait_readable();
        RelayBuffers::Lease buffer(RelayBuffers::of_this_thread());
        const std::size_t count = co_await way.from->read_some(buffer.bytes());
        last_read_ = timers_.now();
        side = way.to_broke;
        if (count == 0) break;
        co_await way.to->write_all(buffer.bytes().first(count));
        *way.bytes += count;
        if (way.traffic != nullptr) *way.traffic += count;
      }
      co_await way.to->close_write();
      way.ended = true;
      progress_.notify_all();
      side = way.from_broke;
      if (!is_over()) co_await watch_until_over(*way.from);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) co_return;
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool cancelled = state.cancelled() != asio::cancellation_type::none;
    end(cancelled ? RelayEnd::cancelled : side, code_of(failure));
  }

  [[nodiscard]] bool is_over() const {
    return over_ || (left_to_right_.ended && right_to_left_.ended);
  }

  Task<> wait_until_over() {
    while (!is_over()) co_await progress_.wait();
  }

  Task<> watch_until_over(Stream& source) {
    Task<> breaking = source.wait_broken();
    Task<> ending = wait_until_over();
    co_await first_of(std::move(breaking), std::move(ending));
  }

  Task<> watch_idle(Task<> work) {
    Task<> watch = end_when_idle();
    co_await first_of(std::move(work), std::move(watch));
  }

  Task<> end_when_idle() {
    while (timers_.now() - last_read_ < *limits_.idle_timeout)
      co_await timers_.sleep_until(last_read_ + *limits_.idle_timeout);
    end(RelayEnd::idle, {});
  }

  Timers& timers_;
  RelayLimits limits_;
  RelaySummary summary_;
  Direction left_to_right_;
  Direction right_to_left_;
  Instant started_;
  Instant last_read_;
  Event progress_;     // a direction ended, or the relay is over
  bool over_ = false;  // ended for another reason than that both directions did
};

}  // namespace

std::string_view text_of(RelayEnd end) {
  switch (end) {
    case RelayEnd::both_ended:
      return "both ended";
    case RelayEnd::left_error:
      return "left error";
    case RelayEnd::right_error:
      return "right error";
    case RelayEnd::idle:
      return "idle";
    case RelayEnd::cancelled:
      return "cancelled";
  }
  return "";
}

Task<RelaySummary> relay(Timers& timers, Stream& left, Stream& right, RelayLimits limits,
                         RelayTraffic* traffic) {
  Relay work(timers, left, right, limits, traffic);
  co_return co_await work.run();
}

}  // namespace sidestream
