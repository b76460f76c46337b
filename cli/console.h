// Where a command writes to.
#pragma once

#include <string_view>

namespace sidestream::cli {

class Console {
 public:
  Console() = default;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  virtual ~Console() = default;

  // The result, to standard output. Written at once.
  virtual void print(std::string_view text) = 0;
  // What went wrong, to standard error.
  virtual void complain(std::string_view text) = 0;
  // Whether everything could be written so far.
  [[nodiscard]] virtual bool is_good() const = 0;
};

}  // namespace sidestream::cli
