// What the system allows this process.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "cli/process_limits.h"
#include "streams/log_io.h"

namespace sidestream::cli {

// Raises the soft limit of descriptors to the hard one, and returns what it is then.
std::size_t raise_descriptor_limit();

// streams_that_fit() with what the system says. A default that had to become smaller
// is told.
[[nodiscard]] std::expected<std::size_t, std::string> streams_allowed(const StreamLimit& wanted,
                                                                      std::size_t reserved,
                                                                      const Log& log);

}  // namespace sidestream::cli
