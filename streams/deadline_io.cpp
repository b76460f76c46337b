#include "streams/deadline_io.h"

namespace sidestream {

Task<> with_deadline(Timers& timers, Instant deadline, Task<> task) {
  Task<> sleep = timers.sleep_until(deadline);
  const JoinOutcome outcome =
      co_await join(std::move(task), std::move(sleep), JoinRule::cancel_other_on_any_end);
  const auto& [failure, sleep_failure] = outcome.failures;
  if (!failure) co_return;
  // The sleep ends well only at the deadline; a cancellation ends it with operation_aborted.
  if (is_cancelled(failure) && !sleep_failure) throw_error(asio::error::timed_out, "deadline");
  std::rethrow_exception(failure);
}

}  // namespace sidestream
