// What to do about streams while the memory of the process comes near its limit: first none is
// added, then the newest are ended, so that the kernel never has to end all of them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sidestream::cli {

struct MemoryGuardLimits {
  std::size_t percent_for_new = 85;  // of the limit: new streams get room up to here
  std::size_t percent_for_all = 92;  // beyond it the newest are ended
  // What a new stream is taken to cost until it is measured: buffers of both directions.
  std::size_t stream_bytes = 64 * 1024;
};

struct MemoryOrders {
  std::size_t new_streams = 0;  // that may be added until the next look
  bool shed = false;            // end some of the newest
};

[[nodiscard]] MemoryOrders judge_memory(std::size_t used_bytes, std::size_t limit_bytes,
                                        const MemoryGuardLimits& limits = {});

// Where our control group is, of what /proc/self/cgroup says; empty: there is none of that version.
struct ControlGroups {
  std::string version_1;  // of the memory controller
  std::string version_2;
};
[[nodiscard]] ControlGroups control_groups_of(std::string_view text);

}  // namespace sidestream::cli
