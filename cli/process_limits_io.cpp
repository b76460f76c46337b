#include "cli/process_limits_io.h"

#include <sys/resource.h>

namespace sidestream::cli {
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit wanted{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  return static_cast<std::size_t>(limit.rlim_cur);
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
