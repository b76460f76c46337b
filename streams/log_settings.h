// How a program logs, as its configuration says.
#pragma once

#include <cstdint>

namespace sidestream {

enum class LogLevel : std::uint8_t { error, warn, info, debug, trace };
enum class LogFormat : std::uint8_t { text, json };

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  bool operator==(const LogSettings&) const = default;
};

}  // namespace sidestream
