// What the kernel knows of this process.
#pragma once

#include <cstdint>

#include "cli/memory_watch_io.h"
#include "control/metrics_page.h"
#include "streams/log_io.h"

namespace sidestream::cli {

// What cannot be found out is 0.
struct ProcessFacts {
  double start_time_seconds = 0;  // since 1970
  double cpu_seconds = 0;         // user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t descriptors = 0;  // open now
  std::uint64_t descriptors_max = 0;
};
[[nodiscard]] ProcessFacts process_facts();

// The part of a page of metrics that is the same for edge and sidecar.
void add_process(control::MetricsPage& page, std::string_view role, const ProcessFacts& facts);
void add_memory(control::MetricsPage& page, const MemoryMeter& meter);
void add_log(control::MetricsPage& page, const LogCounters& counters);

}  // namespace sidestream::cli
