// Whether the configured load fits into what the system allows this process.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace sidestream::cli {

struct StreamLimit {
  std::size_t streams = 0;
  bool is_written = false;  // in the configuration; otherwise it is only a default
};

// For everything that is no stream: listeners (their number is added), tunnels, the admin address,
// probes of backends, files that are written.
inline constexpr std::size_t descriptors_reserved = 64;

// How many streams there may be, each of which takes one descriptor. A default becomes smaller when
// it does not fit. What is written does not: the error is a sentence that says what to raise.
[[nodiscard]] std::expected<std::size_t, std::string> streams_that_fit(const StreamLimit& wanted,
                                                                       std::size_t reserved,
                                                                       std::size_t descriptors);

// How much TCP may buffer where the memory of the process is limited to `memory_bytes` (0: it is
// not): a quarter, so that the kernel's buffers, which count too, have room.
[[nodiscard]] std::size_t tcp_memory_that_fits(std::size_t wanted_bytes, std::size_t memory_bytes);

}  // namespace sidestream::cli
