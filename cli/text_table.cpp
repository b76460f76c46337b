#include "cli/text_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace sidestream::cli {
namespace {

constexpr std::string_view gap = "  ";

// Characters, not bytes: names may be UTF-8.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }));
}

struct Unit {
  double size;
  std::string_view name;
};

// The largest unit that fits, with one decimal below ten unless it is the smallest.
std::string in_units(double value, const std::vector<Unit>& units) {
  std::size_t i = 0;
  while (i + 1 < units.size() && value >= units[i + 1].size) ++i;
  const double amount = value / units[i].size;
  std::array<char, 32> text{};
  const bool decimal = i > 0 && amount < 9.95 && units[i].name != "ms";
  const int size = std::snprintf(text.data(), text.size(), decimal ? "%.1f" : "%.0f", amount);
  std::string result(text.data(), static_cast<std::size_t>(size));
  if (result.ends_with(".0")) result.resize(result.size() - 2);
  return result + ' ' + std::string(units[i].name);
}

}  // namespace

TextTable::TextTable(std::vector<std::string> heading) {
  rows_.push_back(std::move(heading));
}

void TextTable::add(std::vector<std::string> cells) {
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] == 0) continue;
      if (!line.empty()) line += gap;
      line += row[i];
      line.append(widths[i] - width(row[i]), ' ');
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string amount_text(Duration time) {
  static const std::vector<Unit> units{{1e3, "us"},   {1e6, "ms"},   {1e9, "s"},
                                       {60e9, "min"}, {3600e9, "h"}, {86400e9, "d"}};
  return in_units(static_cast<double>(time.count()), units);
}

std::string amount_text(std::uint64_t bytes) {
  static const std::vector<Unit> units{
      {1, "B"}, {1e3, "kB"}, {1e6, "MB"}, {1e9, "GB"}, {1e12, "TB"}};
  return in_units(static_cast<double>(bytes), units);
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace sidestream::cli
