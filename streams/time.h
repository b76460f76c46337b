// Time as values. A core never asks what time it is: `Instant` and `WallTime` come in as arguments.
#pragma once

#include <chrono>

namespace sidestream {

using Duration = std::chrono::nanoseconds;

// A point on the monotonic clock. Only *_io files may call steady_clock::now().
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// A point on the wall clock, which may jump in either direction at any time.
using WallTime = std::chrono::sys_time<Duration>;

using namespace std::chrono_literals;

}  // namespace sidestream
