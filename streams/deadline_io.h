// A limit on how long something may take.
#pragma once

#include "streams/join_io.h"
#include "streams/timer_io.h"

namespace sidestream {

// `task` is cancelled at `deadline` and its end awaited. Throws timed_out if that ended it, and
// operation_aborted if a cancellation from outside did. A task that succeeds or fails by itself
// in the last moment keeps its result or its own failure.
Task<> with_deadline(Timers& timers, Instant deadline, Task<> task);

template <typename T>
Task<T> with_deadline(Timers& timers, Instant deadline, Task<T> task) {
  std::optional<T> result;
  Task<> store = join_detail::store<T>(std::move(task), result);
  co_await with_deadline(timers, deadline, std::move(store));
  co_return std::move(*result);
}

template <typename T>
Task<T> with_timeout(Timers& timers, Duration timeout, Task<T> task) {
  return with_deadline(timers, timers.now() + timeout, std::move(task));
}

}  // namespace sidestream
