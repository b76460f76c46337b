#include "cli/free_memory_io.h"

#include <malloc.h>

namespace sidestream::cli {
namespace {

constexpr Duration interval = 10s;
// Less is not worth the page faults of taking it again.
constexpr std::size_t worth_returning_bytes = 8UL * 1024 * 1024;

}  // namespace

Task<> return_free_memory(Timers& timers) {
  for (;;) {
    co_await timers.sleep_for(interval);
#ifdef __GLIBC__
    if (::mallinfo2().fordblks >= worth_returning_bytes) ::malloc_trim(0);
#endif
  }
}

}  // namespace sidestream::cli
