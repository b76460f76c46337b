// Points in time as texts that programs exchange (RFC 3339).
#pragma once

#include <optional>
#include <string_view>

#include "streams/time.h"

namespace sidestream {

// Such as `2026-11-21T15:04:05Z`, with any offset and fraction; the fraction is dropped.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace sidestream
