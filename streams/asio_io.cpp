#include "streams/asio_io.h"

#include <boost/asio/impl/src.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <new>

namespace sidestream {

Task<> yield_now() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

error_code code_of(const std::exception_ptr& failure) {
  if (!failure) return {};
  try {
    std::rethrow_exception(failure);
  } catch (const system_error& error) {
    return error.code();
  } catch (const std::bad_alloc&) {
    // Asio allocates without operator new, which would have called it.
    if (const auto told = std::get_new_handler()) told();
    return make_error_code(boost::system::errc::not_enough_memory);
  } catch (...) {
    return make_error_code(boost::system::errc::io_error);
  }
}

bool is_cancelled(const std::exception_ptr& failure) {
  return code_of(failure) == asio::error::operation_aborted;
}

error_code last_system_error() {
  return {errno, boost::system::system_category()};
}

void throw_error(error_code code, const char* what) {
  throw system_error(code, what);
}

}  // namespace sidestream
