#include "tests/support/link_quality_text.h"

#include <charconv>

namespace sidestream {
namespace {

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && stopped == end;
}

bool parse_setting(std::string_view name, std::string_view value, LinkQuality& line) {
  if (name == "delay") {
    unsigned count = 0;
    if (!parse_number(value, count)) return false;
    line.delay = std::chrono::milliseconds(count);
    return true;
  }
  if (name == "loss") return parse_number(value, line.loss);
  if (name == "rate") return parse_number(value, line.bytes_per_second);
  if (name == "queue") return parse_number(value, line.queue_bytes_max);
  if (name == "duplicate") return parse_number(value, line.duplication);
  if (name == "corrupt") return parse_number(value, line.corruption);
  line.reordering_max = 20ms;
  return name == "reorder" && parse_number(value, line.reordering);
}

}  // namespace

std::optional<LinkQuality> parse_link_quality(std::string_view text) {
  LinkQuality line;
  while (!text.empty()) {
    const std::string_view setting = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), setting.size() + 1));
    const std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (!parse_setting(setting.substr(0, equals), setting.substr(equals + 1), line))
      return std::nullopt;
  }
  return line;
}

}  // namespace sidestream
