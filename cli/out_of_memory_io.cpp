#include "cli/out_of_memory_io.h"

#include <unistd.h>

#include <new>
#include <string_view>

#include "cli/exit_code.h"

namespace sidestream::cli {

// Asks for none.
void end_out_of_memory() {
  constexpr std::string_view line =
      "sidestream: the system gives no more memory; ends, to be started again\n";
  [[maybe_unused]] const ssize_t said = ::write(STDERR_FILENO, line.data(), line.size());
  ::_exit(failed);
}

void end_when_out_of_memory() {
  std::set_new_handler(&end_out_of_memory);
}

}  // namespace sidestream::cli
