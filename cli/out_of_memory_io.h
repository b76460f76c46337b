// What happens when the system gives no more memory. Code that goes on after that in the middle of
// anything is code that no test has seen, so the program ends at once: one line, and exit code 1
// for whoever starts it again. What it has written is whole (streams/state_file_io.h), and the
// kernel ends its connections. It is not for the limit of memory, near which the newest streams go.
#pragma once

namespace sidestream::cli {

void end_when_out_of_memory();
// For who has caught it: not every library allocates in a way that we hear of.
[[noreturn]] void end_out_of_memory();

}  // namespace sidestream::cli
