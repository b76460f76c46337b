// What the doctor says of a program by its status, and how it is written down.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/status_messages.h"

namespace sidestream::cli {

struct Finding {
  enum class Kind : std::uint8_t {
    good,
    warning,  // it works, and could be better
    problem,  // something does not work
  };
  Kind kind;
  std::string text;  // what it is about, what is the matter, and what to do
  bool operator==(const Finding&) const = default;
};

[[nodiscard]] std::vector<Finding> findings_of(const control::Status& status);

// A line for each, problems last, where they are seen; then a line that sums up.
[[nodiscard]] std::string report_text(std::span<const Finding> findings);

}  // namespace sidestream::cli
