#include "cli/memory_watch_io.h"

#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "streams/quantity.h"

namespace sidestream::cli {
namespace {

// A limit that is larger than this is none.
constexpr std::size_t memory_max = std::size_t{1} << 46U;
// Streams are added in thousands a second at most, and the guard leaves room for that.
constexpr Duration look_interval = 100ms;
constexpr Duration trim_interval = 1s;
constexpr Duration told_interval = 10s;

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text, '\0');
  return text;
}

// 0: not there, or no number.
std::size_t number_in(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word)) return 0;
  return static_cast<std::size_t>(parse_whole_number(word).value_or(0));
}

std::size_t number_behind(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  std::size_t value = 0;
  while (file >> word >> value)
    if (word == key) return value;
  return 0;
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryMeter::MemoryMeter(std::size_t wanted_bytes) : limit_bytes_(wanted_bytes) {
  const ControlGroups groups = control_groups_of(text_of_file("/proc/self/cgroup"));
  if (!groups.version_2.empty()) look_at("/sys/fs/cgroup", groups.version_2, false);
  if (!groups.version_1.empty()) look_at("/sys/fs/cgroup/memory", groups.version_1, true);
}

// Our group and those above it. A container may see its own group at the root of the mount while
// the path is that of the host: then only the root is there.
void MemoryMeter::look_at(const std::string& root, const std::string& path, bool version_1) {
  const char* const name = version_1 ? "/memory.limit_in_bytes" : "/memory.max";
  for (std::filesystem::path group = path;; group = group.parent_path()) {
    const std::string folder = root + (group == "/" ? "" : group.string());
    const std::size_t limit = number_in(folder + name);
    if (limit > 0 && limit < memory_max && (limit_bytes_ == 0 || limit < limit_bytes_)) {
      limit_bytes_ = limit;
      group_ = folder;
      version_1_ = version_1;
    }
    if (group == "/" || group.empty()) return;
  }
}

std::size_t MemoryMeter::used_bytes() const {
  if (group_.empty()) return resident_bytes();
  const std::size_t used =
      number_in(group_ + (version_1_ ? "/memory.usage_in_bytes" : "/memory.current"));
  // Pages of files that nobody has used lately: the kernel drops them before it gives up.
  const std::size_t dropped =
      number_behind(group_ + "/memory.stat", version_1_ ? "total_inactive_file" : "inactive_file");
  return used > dropped ? used - dropped : 0;
}

Task<> guard_memory(Timers& timers, const MemoryMeter& meter,
                    std::function<std::size_t(const MemoryOrders&)> obey, const Log& log) {
  const std::size_t limit = meter.limit_bytes();
  const Log rare_log = log.at_most_every(told_interval);
  Instant trimmed{};
  for (;;) {
    std::size_t used = meter.used_bytes();
    MemoryOrders orders = judge_memory(used, limit);
#ifdef __GLIBC__
    // What the allocator holds free comes first.
    if (orders.new_streams == 0 && timers.now() - trimmed >= trim_interval) {
      trimmed = timers.now();
      ::malloc_trim(0);
      used = meter.used_bytes();
      orders = judge_memory(used, limit);
    }
#endif
    const std::size_t ended = obey(orders);
    if (ended > 0)
      rare_log.warn("memory is scarce, the newest streams are ended",
                    {{"streams", std::uint64_t{ended}},
                     {"used_bytes", std::uint64_t{used}},
                     {"limit_bytes", std::uint64_t{limit}}});
    else if (orders.new_streams == 0)
      rare_log.warn("memory is scarce, no stream is added",
                    {{"used_bytes", std::uint64_t{used}}, {"limit_bytes", std::uint64_t{limit}}});
    co_await timers.sleep_for(look_interval);
  }
}

}  // namespace sidestream::cli
