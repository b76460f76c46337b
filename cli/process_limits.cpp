#include "cli/process_limits.h"

#include <algorithm>

namespace sidestream::cli {
namespace {

// Fewer are no use to anybody.
constexpr std::size_t streams_min = 16;
constexpr std::size_t tcp_memory_min = 4UL << 20U;

}  // namespace

std::expected<std::size_t, std::string> streams_that_fit(const StreamLimit& wanted,
                                                         std::size_t reserved,
                                                         std::size_t descriptors) {
  if (wanted.streams + reserved <= descriptors) return wanted.streams;
  const std::size_t left = descriptors > reserved ? descriptors - reserved : 0;
  if (!wanted.is_written && left >= streams_min) return left;
  const std::size_t needed = (wanted.is_written ? wanted.streams : streams_min) + reserved;
  return std::unexpected(
      "this process may open " + std::to_string(descriptors) + " files, and " +
      (wanted.is_written ? "limits.streams: " + std::to_string(wanted.streams) : "it") + " needs " +
      std::to_string(needed) +
      "; raise the limit (`ulimit -n`, LimitNOFILE= in a systemd unit, ulimits.nofile in compose)" +
      (wanted.is_written ? " or lower limits.streams" : ""));
}

std::size_t tcp_memory_that_fits(std::size_t wanted_bytes, std::size_t memory_bytes) {
  if (memory_bytes == 0) return wanted_bytes;
  return std::min(wanted_bytes, std::max(memory_bytes / 4, tcp_memory_min));
}

}  // namespace sidestream::cli
