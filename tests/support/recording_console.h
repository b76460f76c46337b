// A console that keeps what is written to it.
#pragma once

#include <string>

#include "cli/console.h"

namespace sidestream::cli {

struct RecordingConsole final : Console {
  void print(std::string_view text) override { printed += text; }
  void complain(std::string_view text) override { complained += text; }
  [[nodiscard]] bool is_good() const override { return true; }

  std::string printed;
  std::string complained;
};

}  // namespace sidestream::cli
