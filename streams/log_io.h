// The log of a program: one event a line.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>

#include "streams/log_line.h"
#include "streams/timer_io.h"

namespace sidestream {

struct LogCounters {
  std::uint64_t lines = 0;       // that were written
  std::uint64_t suppressed = 0;  // that were not, because there were too many
};

// Where lines go, and the fields that every line of one thing has (service, endpoint, client).
// Made once by main's command and passed by reference; copy it to add fields:
//
//   const Log log = log_.with({{"client", client.text()}});
//   log.info("stream ended", {{"bytes_in", count}, {"duration", time}});
//
// More lines than the settings allow are not written; a line says how many once there is room
// again.
//
// `event` is a few plain words that stay the same for the same kind of event; whatever varies is a
// field. Copies share their output. Lines may come from any thread.
class Log {
 public:
  // To standard output, with the time of the system.
  explicit Log(const LogSettings& settings);
  // For simulations and tests: lines (without their end) go to `into`, with the time of `clock`,
  // which outlives the log.
  Log(const LogSettings& settings, const Timers& clock,
      std::function<void(std::string_view line)> into);

  [[nodiscard]] Log with(std::initializer_list<LogField> fields) const;
  // The same log, but each kind of event gets at most one line in `period`; that line says how many
  // were held back before it. For what strangers can make us say.
  [[nodiscard]] Log at_most_every(Duration period) const;

  [[nodiscard]] bool enabled(LogLevel level) const;
  // Of all copies.
  [[nodiscard]] LogCounters counters() const;
  void write(LogLevel level, std::string_view event, std::span<const LogField> fields) const;

  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::error, event, {fields.begin(), fields.size()});
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::warn, event, {fields.begin(), fields.size()});
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::info, event, {fields.begin(), fields.size()});
  }
  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::debug, event, {fields.begin(), fields.size()});
  }

 private:
  class Output;

  std::shared_ptr<Output> output_;  // ends with the last copy of the log
  std::string fields_;              // formatted
  std::optional<Duration> at_most_every_;
};

}  // namespace sidestream
