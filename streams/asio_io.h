// The parts of Asio that the shell is made of, and the few things that everyone needs from it.
// Asio is compiled once, in asio_io.cpp (BOOST_ASIO_SEPARATE_COMPILATION comes with the target).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "streams/stream_io.h"

namespace sidestream {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::system_error;

// Lets everything else that is ready run first. A loop that may go on for long without waiting
// calls it now and then, so that one busy stream does not hold up the others.
Task<> yield_now();

// Of a system_error its code, of a failed allocation what std::new_handler leaves, else io_error.
[[nodiscard]] error_code code_of(const std::exception_ptr& failure);
// Whether this is what a cancelled operation throws.
[[nodiscard]] bool is_cancelled(const std::exception_ptr& failure);
[[nodiscard]] error_code last_system_error();
[[noreturn]] void throw_error(error_code code, const char* what);

}  // namespace sidestream
