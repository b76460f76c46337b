// How a program logs, as its configuration says.
#pragma once

#include <cstdint>

namespace sidestream {

enum class LogLevel : std::uint8_t { error, warn, info, debug, trace };
enum class LogFormat : std::uint8_t { text, json };

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  // Of errors and warnings, and as much again of everything else, in the long run; ten seconds'
  // worth may come at once.
  double lines_per_second = 500;
  bool operator==(const LogSettings&) const = default;
};

}  // namespace sidestream
