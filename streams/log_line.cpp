#include "streams/log_line.h"

#include <array>
#include <charconv>
#include <cmath>

#include "streams/escaped_text.h"

namespace sidestream {
namespace {

std::string decimal(double value, int digits_behind_point) {
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits_behind_point);
  return {text.data(), end.ptr};
}

// Two digits at most behind the point, without zeros at the end.
std::string short_decimal(double value) {
  std::string text = decimal(value, 2);
  if (!text.contains('.')) return text;
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string padded(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

// RFC 3339, in milliseconds.
std::string text_of_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  return padded(static_cast<int>(date.year()), 4) + '-' +
         padded(static_cast<unsigned>(date.month()), 2) + '-' +
         padded(static_cast<unsigned>(date.day()), 2) + 'T' + padded(clock.hours().count(), 2) +
         ':' + padded(clock.minutes().count(), 2) + ':' + padded(clock.seconds().count(), 2) + '.' +
         padded(clock.subseconds().count(), 3) + 'Z';
}

class ValueWriter {
 public:
  explicit ValueWriter(LogFormat format) : json_(format == LogFormat::json) {}

  std::string operator()(std::string_view text) const {
    return json_ ? json_string(text) : word_or_quoted(text);
  }
  std::string operator()(bool answer) const {
    if (json_) return answer ? "true" : "false";
    return answer ? "yes" : "no";
  }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(std::uint64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const {
    if (json_ && !std::isfinite(number)) return "null";
    return short_decimal(number);
  }
  std::string operator()(Duration time) const {
    if (!json_) return text_of(time);
    return decimal(std::chrono::duration<double>(time).count(), 6);
  }

 private:
  bool json_;
};

}  // namespace

std::string_view text_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
    case LogLevel::trace:
      return "trace";
  }
  return "info";
}

std::string format_fields(LogFormat format, std::span<const LogField> fields) {
  std::string text;
  const ValueWriter write(format);
  for (const LogField& field : fields) {
    if (format == LogFormat::json) {
      text += ',' + json_string(field.key) + ':';
    } else {
      text += ' ';
      text += field.key;
      text += '=';
    }
    text += std::visit(write, field.value);
  }
  return text;
}

std::string log_line(LogFormat format, WallTime time, LogLevel level, std::string_view event,
                     std::string_view fields) {
  std::string line;
  if (format == LogFormat::json) {
    line = R"({"time":")" + text_of_time(time) + R"(","level":")";
    line += text_of(level);
    line += R"(","event":)" + json_string(event);
    line += fields;
    return line + '}';
  }
  constexpr std::size_t level_width = 5;  // of "error", so that events stand below each other
  std::string name(text_of(level));
  name.resize(level_width, ' ');
  line = text_of_time(time) + ' ' + name + ' ' + escaped_text(event);
  line += fields;
  return line;
}

std::string log_line(LogFormat format, WallTime time, LogLevel level, std::string_view event,
                     std::span<const LogField> fields) {
  return log_line(format, time, level, event, format_fields(format, fields));
}

std::string text_of(Duration time) {
  using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;
  if (time == Duration::min()) ++time;  // has no opposite
  if (time < Duration::zero()) return '-' + text_of(-time);
  const auto count = static_cast<double>(time.count());
  if (time < 1us) return std::to_string(time.count()) + "ns";
  if (time < 1ms) return short_decimal(count / 1e3) + "us";
  if (time < 1s) return short_decimal(count / 1e6) + "ms";
  if (time < 1min) return short_decimal(count / 1e9) + "s";
  const auto whole = [time]<typename Unit>(Unit) {
    return static_cast<std::int64_t>(std::chrono::floor<Unit>(time).count());
  };
  if (time < 1h) return std::to_string(whole(1min)) + 'm' + padded(whole(1s) % 60, 2) + 's';
  if (time < 24h) return std::to_string(whole(1h)) + 'h' + padded(whole(1min) % 60, 2) + 'm';
  return std::to_string(whole(Days(1))) + 'd' + std::to_string(whole(1h) % 24) + 'h';
}

}  // namespace sidestream
