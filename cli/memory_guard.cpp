#include "cli/memory_guard.h"

#include <algorithm>

namespace sidestream::cli {

MemoryOrders judge_memory(std::size_t used_bytes, std::size_t limit_bytes,
                          const MemoryGuardLimits& limits) {
  constexpr std::size_t whole = 100;
  const std::size_t for_new = limit_bytes / whole * limits.percent_for_new;
  const std::size_t for_all = limit_bytes / whole * limits.percent_for_all;
  MemoryOrders orders;
  if (used_bytes < for_new) orders.new_streams = (for_new - used_bytes) / limits.stream_bytes;
  orders.shed = used_bytes > for_all;
  return orders;
}

// Lines of `NUMBER:CONTROLLERS:PATH`; version 2 has number 0 and no controllers.
ControlGroups control_groups_of(std::string_view text) {
  ControlGroups groups;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view number = line.substr(0, first);
    std::string controllers = ',' + std::string(line.substr(first + 1, second - first - 1)) + ',';
    const std::string_view path = line.substr(second + 1);
    if (!path.starts_with('/')) continue;
    if (number == "0" && controllers == ",,") groups.version_2 = path;
    if (controllers.contains(",memory,")) groups.version_1 = path;
  }
  return groups;
}

}  // namespace sidestream::cli
