// One event as one line of text for a person, or of JSON for a machine.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "streams/log_settings.h"
#include "streams/time.h"

namespace sidestream {

// "info" and so on, as in the configuration.
[[nodiscard]] std::string_view text_of(LogLevel level);

// What is known about an event. The key is a word of ours (`service`, `client`, `bytes_in`); the
// value may come from anywhere and is escaped. Views must live until the line is written.
struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool, Duration>;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text)
      : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool answer) : key(name), value(answer) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <std::signed_integral Integer>
  LogField(std::string_view name, Integer number)
      : key(name), value(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral Integer>
  LogField(std::string_view name, Integer number)
      : key(name), value(static_cast<std::uint64_t>(number)) {}
  template <typename Number, typename Period>
  LogField(std::string_view name, std::chrono::duration<Number, Period> time)
      : key(name), value(std::chrono::duration_cast<Duration>(time)) {}

  std::string_view key;
  Value value;
};

// ` key=value` for each field in text, `,"key":value` in JSON. Durations are `1.25s` in text and
// seconds in JSON. Text is escaped and cut (escaped_text.h).
[[nodiscard]] std::string format_fields(LogFormat format, std::span<const LogField> fields);

// Without a line end:
//   2026-11-21T08:00:00.123Z info  stream ended service=ssh client=192.0.2.1:5022 duration=1.25s
//   {"time":"2026-11-21T08:00:00.123Z","level":"info","event":"stream ended","service":"ssh",...}
// `fields` were formatted in this format (format_fields).
[[nodiscard]] std::string log_line(LogFormat format, WallTime time, LogLevel level,
                                   std::string_view event, std::string_view fields);
[[nodiscard]] std::string log_line(LogFormat format, WallTime time, LogLevel level,
                                   std::string_view event, std::span<const LogField> fields);

// A duration as people write it: `350us`, `12.5ms`, `3.2s`, `5m10s`, `2h03m`, `3d4h`.
[[nodiscard]] std::string text_of(Duration time);

}  // namespace sidestream
