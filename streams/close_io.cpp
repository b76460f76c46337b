#include "streams/close_io.h"

#include <array>

#include "streams/deadline_io.h"

namespace sidestream {
namespace {

Task<> close_and_drop(Stream& stream, std::size_t bytes_max) {
  co_await stream.close_write();
  std::array<std::uint8_t, 2048> dropped{};
  for (std::size_t total = 0; total <= bytes_max;) {
    co_await stream.wait_readable();
    const std::size_t count = co_await stream.read_some(dropped);
    if (count == 0) co_return;
    total += count;
  }
  throw_error(asio::error::message_size, "close");
}

}  // namespace

Task<> close_in_order(Timers& timers, Stream& stream, CloseLimits limits) {
  std::exception_ptr failure;
  try {
    Task<> closing = close_and_drop(stream, limits.bytes);
    co_await with_timeout(timers, limits.timeout, std::move(closing));
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  stream.abort();
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(failure);
}

}  // namespace sidestream
