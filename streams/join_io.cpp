#include "streams/join_io.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sidestream {

void JoinOutcome::throw_first_failure() const {
  if (failures[first]) std::rethrow_exception(failures[first]);
  if (failures[1 - first]) std::rethrow_exception(failures[1 - first]);
}

void JoinOutcome::throw_failure_of_first_or_uncancelled() const {
  if (failures[first]) std::rethrow_exception(failures[first]);
  const std::exception_ptr& other = failures[1 - first];
  if (other && !is_cancelled(other)) std::rethrow_exception(other);
}

namespace {

using asio::experimental::make_parallel_group;
using asio::experimental::wait_for_one;
using asio::experimental::wait_for_one_error;

JoinOutcome outcome_of(std::array<std::size_t, 2> order, std::exception_ptr left,
                       std::exception_ptr right) {
  return {.failures = {std::move(left), std::move(right)}, .first = order[0]};
}

}  // namespace

Task<JoinOutcome> join(Task<> left, Task<> right, JoinRule rule) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto group = make_parallel_group(asio::co_spawn(executor, std::move(left), asio::deferred),
                                   asio::co_spawn(executor, std::move(right), asio::deferred));
  if (rule == JoinRule::cancel_other_on_failure) {
    auto [order, left_failure, right_failure] =
        co_await group.async_wait(wait_for_one_error(), asio::use_awaitable);
    co_return outcome_of(order, std::move(left_failure), std::move(right_failure));
  }
  auto [order, left_failure, right_failure] =
      co_await group.async_wait(wait_for_one(), asio::use_awaitable);
  co_return outcome_of(order, std::move(left_failure), std::move(right_failure));
}

Task<> both(Task<> left, Task<> right) {
  const JoinOutcome outcome =
      co_await join(std::move(left), std::move(right), JoinRule::cancel_other_on_failure);
  outcome.throw_first_failure();
}

Task<> with_cleanup(Task<> body, Task<> cleanup) {
  std::exception_ptr failure;
  try {
    co_await std::move(body);
  } catch (...) {
    failure = std::current_exception();
  }

  // From here on a cancellation is noted but reaches nobody.
  const bool threw_if_cancelled = co_await asio::this_coro::throw_if_cancelled();
  const auto state_before = co_await asio::this_coro::cancellation_state;
  bool cancelled = state_before.cancelled() != asio::cancellation_type::none;
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation(),
                                                     asio::disable_cancellation());
  std::exception_ptr cleanup_failure;
  try {
    co_await std::move(cleanup);
  } catch (...) {
    cleanup_failure = std::current_exception();
  }
  const auto state_after = co_await asio::this_coro::cancellation_state;
  cancelled = cancelled || state_after.cancelled() != asio::cancellation_type::none;
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await asio::this_coro::throw_if_cancelled(threw_if_cancelled);

  if (failure) std::rethrow_exception(failure);
  if (cancelled) throw_error(asio::error::operation_aborted, "cancelled");
  if (cleanup_failure) std::rethrow_exception(cleanup_failure);
}

}  // namespace sidestream
