#include "streams/log_io.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <map>
#include <mutex>

#include "streams/token_bucket.h"

namespace sidestream {
namespace {

// Events whose lines may be held back. They are constants of the program, so a full table only
// means that later ones are not held back.
constexpr std::size_t held_events_max = 256;
constexpr double burst_seconds = 10;

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> into) : into_(std::move(into)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    into_(std::string_view(message.payload.begin(), message.payload.size()));
  }
  void flush_() override {}

  std::function<void(std::string_view)> into_;
};

// The whole line is ours, time and escaping included; spdlog brings it out.
std::unique_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_unique<spdlog::logger>("sidestream", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

}  // namespace

class Log::Output {
 public:
  Output(const LogSettings& settings, const Timers* clock, spdlog::sink_ptr sink)
      : settings_(settings),
        clock_(clock),
        logger_(make_logger(std::move(sink))),
        alarms_(settings.lines_per_second, settings.lines_per_second * burst_seconds),
        others_(alarms_) {}

  [[nodiscard]] const LogSettings& settings() const { return settings_; }

  void write(LogLevel level, std::string_view event, std::string fields,
             std::optional<Duration> at_most_every) {
    std::uint64_t held_back = 0;
    if (at_most_every && hold_back(event, *at_most_every, held_back)) {
      ++suppressed_;
      return;
    }
    if (held_back > 0) {
      const LogField count("held_back", held_back);
      fields += format_fields(settings_.format, {&count, 1});
    }
    if (!has_room(level)) {
      ++suppressed_;
      ++untold_;
      return;
    }
    if (const std::uint64_t untold = untold_.exchange(0); untold > 0) {
      const LogField lines("lines", untold);
      write_line(LogLevel::warn, "log lines suppressed",
                 format_fields(settings_.format, {&lines, 1}));
    }
    write_line(level, event, fields);
  }

  [[nodiscard]] LogCounters counters() const {
    return {.lines = lines_, .suppressed = suppressed_};
  }

 private:
  struct Held {
    Instant next_line;
    std::uint64_t lines = 0;
  };

  [[nodiscard]] Instant now() const {
    return clock_ ? clock_->now() : std::chrono::steady_clock::now();
  }

  void write_line(LogLevel level, std::string_view event, std::string_view fields) {
    ++lines_;
    const WallTime now = clock_ ? clock_->wall_now() : std::chrono::system_clock::now();
    logger_->log(spdlog::level::info, "{}", log_line(settings_.format, now, level, event, fields));
  }

  // What goes wrong is told however much is told of what goes well.
  bool has_room(LogLevel level) {
    const std::lock_guard lock(mutex_);
    return (level <= LogLevel::warn ? alarms_ : others_).take(now());
  }

  // Whether this line is one too many; if not, how many were held back since the last one.
  bool hold_back(std::string_view event, Duration period, std::uint64_t& held_back) {
    const Instant now = this->now();
    const std::lock_guard lock(mutex_);
    auto found = held_.find(event);
    if (found == held_.end()) {
      if (held_.size() >= held_events_max) return false;
      found = held_.emplace(event, Held()).first;
    } else if (now < found->second.next_line) {
      ++found->second.lines;
      return true;
    }
    held_back = std::exchange(found->second.lines, 0);
    found->second.next_line = now + period;
    return false;
  }

  LogSettings settings_;
  const Timers* clock_;
  std::unique_ptr<spdlog::logger> logger_;
  std::mutex mutex_;
  std::map<std::string, Held, std::less<>> held_;
  TokenBucket alarms_;  // errors and warnings
  TokenBucket others_;
  std::atomic<std::uint64_t> untold_ = 0;
  std::atomic<std::uint64_t> lines_ = 0;
  std::atomic<std::uint64_t> suppressed_ = 0;
};

Log::Log(const LogSettings& settings)
    : output_(std::make_shared<Output>(settings, nullptr,
                                       std::make_shared<spdlog::sinks::stdout_sink_mt>())) {}

Log::Log(const LogSettings& settings, const Timers& clock,
         std::function<void(std::string_view)> into)
    : output_(std::make_shared<Output>(settings, &clock,
                                       std::make_shared<FunctionSink>(std::move(into)))) {}

Log Log::with(std::initializer_list<LogField> fields) const {
  Log more = *this;
  more.fields_ += format_fields(output_->settings().format, {fields.begin(), fields.size()});
  return more;
}

Log Log::at_most_every(Duration period) const {
  Log held = *this;
  held.at_most_every_ = period;
  return held;
}

bool Log::enabled(LogLevel level) const {
  return level <= output_->settings().level;
}

LogCounters Log::counters() const {
  return output_->counters();
}

void Log::write(LogLevel level, std::string_view event, std::span<const LogField> fields) const {
  if (!enabled(level)) return;
  output_->write(level, event, fields_ + format_fields(output_->settings().format, fields),
                 at_most_every_);
}

}  // namespace sidestream
