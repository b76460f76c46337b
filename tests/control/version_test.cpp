#include "control/version.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sidestream::control {
namespace {

TEST(Version, HasThreeNumbers) {
  const std::string_view version = program_version();
  EXPECT_EQ(std::ranges::count(version, '.'), 2);
  EXPECT_EQ(version.find_first_not_of("0123456789."), std::string_view::npos);
}

}  // namespace
}  // namespace sidestream::control
