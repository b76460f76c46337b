// LinkQuality as one word of a command line:
//   delay=20,rate=6250000,queue=250000,loss=0.01,reorder=0.1,duplicate=0.01,corrupt=0.01
// Milliseconds, bytes per second, bytes, and chances from 0 to 1; a held back packet is held back
// for 20 ms at most. What is left out is as in LinkQuality.
#pragma once

#include <optional>
#include <string_view>

#include "tests/support/simulated_link.h"

namespace sidestream {

[[nodiscard]] std::optional<LinkQuality> parse_link_quality(std::string_view text);

}  // namespace sidestream
