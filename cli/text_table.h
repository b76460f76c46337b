// Tables for a terminal: columns as wide as their widest cell, and amounts that are read at a
// glance.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "streams/time.h"

namespace sidestream::cli {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading);
  // As many cells as the heading has; an empty one stays blank.
  void add(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  // One line for each row, the heading first, without trailing blanks. A column that is blank all
  // the way down, with its heading, takes no room.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// `480 us`, `38 ms`, `2.5 s`, `4 min`, `3 h`, `12 d`: two digits that matter.
[[nodiscard]] std::string amount_text(Duration time);
// `999 B`, `1.2 kB`, `34 MB`, `5.6 GB`; powers of 1000.
[[nodiscard]] std::string amount_text(std::uint64_t bytes);
// `1,204`.
[[nodiscard]] std::string count_text(std::uint64_t count);

}  // namespace sidestream::cli
