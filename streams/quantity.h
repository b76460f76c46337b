// Amounts as people write them: `500ms`, `5s`, `2m`, `64KiB`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "streams/time.h"

namespace sidestream {

// A whole number with ms, s, m, h or d behind it. A number without a unit is not a duration, except
// 0. Nothing longer than 10,000 days.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
// The shortest text that parses to the same value; parts of a millisecond are cut.
[[nodiscard]] std::string duration_text(Duration duration);

// A day and a minute in UTC, `2026-11-21 15:04 UTC`.
[[nodiscard]] std::string minute_text(WallTime time);

// Bytes: a whole number, alone or with KiB, MiB or GiB (1024), or kB, MB or GB (1000) behind it.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

// Plain decimal digits: no sign, no white space, no leading zero, below 2^63.
[[nodiscard]] std::optional<std::int64_t> parse_whole_number(std::string_view text);

}  // namespace sidestream
