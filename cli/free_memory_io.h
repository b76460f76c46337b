// What many streams have needed goes back to the system when they have ended.
#pragma once

#include "streams/timer_io.h"

namespace sidestream::cli {

// Looks every 10 s whether the allocator holds much that is free, and gives that back; else it
// would keep what the busiest moment needed for as long as the process lives. Until it is
// cancelled.
Task<> return_free_memory(Timers& timers);

}  // namespace sidestream::cli
