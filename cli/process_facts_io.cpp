#include "cli/process_facts_io.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

#include "control/version.h"

namespace sidestream::cli {
namespace {

constexpr const char* descriptor_folder = "/proc/self/fd";

// When the machine was started, in seconds since 1970; of /proc/stat, so that it is the same each
// time.
double boot_time_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string key;
    double value = 0;
    if (fields >> key && key == "btime" && fields >> value) return value;
  }
  return 0;
}

// proc_pid_stat(5), from field 3 on: the name before it may hold anything.
void read_stat(ProcessFacts& facts) {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  constexpr int first = 3;
  constexpr int user_time = 14;
  constexpr int start_time = 22;
  for (int i = first; i < user_time; ++i) fields >> skipped;
  double user = 0;
  double system_time = 0;
  fields >> user >> system_time;
  for (int i = user_time + 2; i < start_time; ++i) fields >> skipped;
  double start = 0;  // since the machine was started
  std::uint64_t pages = 0;
  fields >> start >> facts.virtual_bytes >> pages;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  facts.cpu_seconds = (user + system_time) / ticks;
  facts.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.start_time_seconds = boot_time_seconds() + start / ticks;
}

// Since Linux 6.2 the size of the folder; before, who wants to know has to count.
std::uint64_t open_descriptors() {
  struct stat folder{};
  if (::stat(descriptor_folder, &folder) == 0 && folder.st_size > 0)
    return static_cast<std::uint64_t>(folder.st_size);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(descriptor_folder), ::closedir);
  if (!listing) return 0;
  std::uint64_t entries = 0;
  while (::readdir(listing.get()) != nullptr) ++entries;
  constexpr std::uint64_t not_ours = 3;  // `.`, `..` and that of the listing
  return entries < not_ours ? 0 : entries - not_ours;
}

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  read_stat(facts);
  facts.descriptors = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.descriptors_max = limit.rlim_cur;
  return facts;
}

void add_process(control::MetricsPage& page, std::string_view role, const ProcessFacts& facts) {
  page.gauge("sidestream_build_info", "Always 1; the labels say which program this is.");
  page.add(true, {{"role", role}, {"version", control::program_version()}});
  page.gauge("process_start_time_seconds", "When the process was started.");
  page.add(facts.start_time_seconds);
  page.counter("process_cpu_seconds_total", "Time of user and system that the process has used.");
  page.add(facts.cpu_seconds);
  page.gauge("process_resident_memory_bytes", "Memory that is resident.");
  page.add(facts.resident_bytes);
  page.gauge("process_virtual_memory_bytes", "Memory that is mapped.");
  page.add(facts.virtual_bytes);
  page.gauge("process_open_fds", "Open file descriptors.");
  page.add(facts.descriptors);
  page.gauge("process_max_fds", "How many there can be.");
  page.add(facts.descriptors_max);
}

void add_memory(control::MetricsPage& page, const MemoryMeter& meter) {
  const bool limited = meter.limit_bytes() > 0;
  page.gauge("sidestream_memory_limit_bytes",
             "Of the control group or limits.memory, where there is one.");
  if (limited) page.add(std::uint64_t{meter.limit_bytes()});
  page.gauge("sidestream_memory_used_bytes", "What counts against that limit.");
  if (limited) page.add(std::uint64_t{meter.used_bytes()});
}

void add_log(control::MetricsPage& page, const LogCounters& counters) {
  page.counter("sidestream_log_lines_total", "Lines that were written to the log.");
  page.add(counters.lines);
  page.counter("sidestream_log_lines_suppressed_total",
               "Lines that were not, because there were too many of them.");
  page.add(counters.suppressed);
}

}  // namespace sidestream::cli
