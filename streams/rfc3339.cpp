#include "streams/rfc3339.h"

#include <charconv>

namespace sidestream {
namespace {

bool read_digits(std::string_view& text, std::size_t count, int& number) {
  if (text.size() < count) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, number);
  if (error != std::errc{} || end != text.data() + count || text.front() == '-') return false;
  text.remove_prefix(count);
  return true;
}

bool read_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::minutes> read_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes{};
  if (text.empty()) return std::nullopt;
  const bool west = text.front() == '-';
  int hours = 0;
  int minutes = 0;
  if (!read_char(text, "+-") || !read_digits(text, 2, hours) || !read_char(text, ":") ||
      !read_digits(text, 2, minutes) || !text.empty())
    return std::nullopt;
  const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return west ? -offset : offset;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!read_digits(text, 4, year) || !read_char(text, "-") || !read_digits(text, 2, month) ||
      !read_char(text, "-") || !read_digits(text, 2, day) || !read_char(text, "Tt") ||
      !read_digits(text, 2, hour) || !read_char(text, ":") || !read_digits(text, 2, minute) ||
      !read_char(text, ":") || !read_digits(text, 2, second))
    return std::nullopt;
  if (read_char(text, "."))
    while (read_char(text, "0123456789")) continue;
  const auto offset = read_offset(text);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  constexpr int first_year = 1970;
  constexpr int last_year = 2261;  // what nanoseconds can count
  if (!offset || !date.ok() || year < first_year || year > last_year || hour > 23 || minute > 59 ||
      second > 60)
    return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) - *offset;
}

}  // namespace sidestream
