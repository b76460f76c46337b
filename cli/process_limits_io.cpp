#include "cli/process_limits_io.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include "streams/quantity.h"

namespace sidestream::cli {
namespace {

// A limit that is larger than this is none.
constexpr std::size_t memory_max = std::size_t{1} << 46U;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit wanted{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t memory_limit_bytes() {
  // A container sees its own group at the root of the mount.
  constexpr std::array files{"/sys/fs/cgroup/memory.max",
                             "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  for (const char* name : files) {
    std::ifstream file(name);
    std::string text;
    if (!(file >> text)) continue;
    const auto bytes = parse_whole_number(text);
    if (bytes && static_cast<std::size_t>(*bytes) < memory_max)
      return static_cast<std::size_t>(*bytes);
  }
  return 0;
}

std::expected<std::size_t, std::string> streams_allowed(const StreamLimit& wanted,
                                                        std::size_t reserved, const Log& log) {
  const std::size_t descriptors = raise_descriptor_limit();
  const auto streams = streams_that_fit(wanted, reserved, descriptors);
  if (streams && *streams < wanted.streams)
    log.warn("fewer streams than usual: this process may not open more files",
             {{"streams", std::uint64_t{*streams}}, {"files", std::uint64_t{descriptors}}});
  return streams;
}

}  // namespace sidestream::cli
