// The version of this program, as `MAJOR.MINOR.PATCH`.
#pragma once

#include <string_view>

namespace sidestream::control {

[[nodiscard]] std::string_view program_version();

}  // namespace sidestream::control
