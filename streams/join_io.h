// Two tasks at once. Both always come to their end before a join returns, also when it is
// cancelled from outside (which cancels both), so what they refer to may live beside the join.
//
//   co_await both(a, b)      returns when both succeeded. The first failure cancels the other one
//                            and is what is thrown, whatever the other one then says.
//   co_await first_of(a, b)  the first one to end, well or badly, cancels the other. Its failure
//                            is thrown. A failure of the other one is thrown too, unless it is
//                            the operation_aborted that we asked for: no error gets lost.
#pragma once

#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "streams/asio_io.h"

namespace sidestream {

struct JoinOutcome {
  std::array<std::exception_ptr, 2> failures;  // left, right
  std::size_t first = 0;                       // which one ended first

  // For a join that has to end well on both sides.
  void throw_first_failure() const;
  // For a join that one side ends.
  void throw_failure_of_first_or_uncancelled() const;
};

enum class JoinRule { cancel_other_on_failure, cancel_other_on_any_end };

// What both and first_of are made of: never throws because of its tasks.
Task<JoinOutcome> join(Task<> left, Task<> right, JoinRule rule);

// Runs `body`, then `cleanup` whatever became of it, and only then lets body's failure or a
// cancellation go on. Cancelling does not reach cleanup, which must therefore end by itself. Its
// own failure is thrown if there is nothing else to throw.
//   co_await with_cleanup(serve(group), group.stop());
Task<> with_cleanup(Task<> body, Task<> cleanup);

// `void` as a value.
template <typename T>
using Joined = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

namespace join_detail {

template <typename T>
Task<> store(Task<T> task, std::optional<Joined<T>>& into) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(task);
    into.emplace();
  } else {
    into.emplace(co_await std::move(task));
  }
}

}  // namespace join_detail

Task<> both(Task<> left, Task<> right);

template <typename Left, typename Right>
Task<std::pair<Joined<Left>, Joined<Right>>> both(Task<Left> left, Task<Right> right) {
  std::optional<Joined<Left>> left_result;
  std::optional<Joined<Right>> right_result;
  Task<> store_left = join_detail::store<Left>(std::move(left), left_result);
  Task<> store_right = join_detail::store<Right>(std::move(right), right_result);
  co_await both(std::move(store_left), std::move(store_right));
  co_return std::pair<Joined<Left>, Joined<Right>>(std::move(*left_result),
                                                   std::move(*right_result));
}

// The result of the one that ended first; index() says which one it was. A result of the other
// one, if it came in spite of the cancellation, is dropped.
template <typename Left, typename Right>
Task<std::variant<Joined<Left>, Joined<Right>>> first_of(Task<Left> left, Task<Right> right) {
  using Result = std::variant<Joined<Left>, Joined<Right>>;
  std::optional<Joined<Left>> left_result;
  std::optional<Joined<Right>> right_result;
  Task<> store_left = join_detail::store<Left>(std::move(left), left_result);
  Task<> store_right = join_detail::store<Right>(std::move(right), right_result);
  const JoinOutcome outcome = co_await join(std::move(store_left), std::move(store_right),
                                            JoinRule::cancel_other_on_any_end);
  outcome.throw_failure_of_first_or_uncancelled();
  if (outcome.first == 0) co_return Result(std::in_place_index<0>, std::move(*left_result));
  co_return Result(std::in_place_index<1>, std::move(*right_result));
}

}  // namespace sidestream
