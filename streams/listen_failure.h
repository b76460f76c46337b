// Why a program cannot listen on a port, and what to do about it.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string>

namespace sidestream {

// One line for a person, to follow `cannot listen on …: `.
[[nodiscard]] std::string explain_listen_failure(const boost::system::error_code& error,
                                                 std::uint16_t port);

}  // namespace sidestream
