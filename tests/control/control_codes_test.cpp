#include "control/control_codes.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace sidestream::control {
namespace {

TEST(ControlCodes, EveryTextIsItsOwnAndParsesBack) {
  std::set<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(EndpointState::refused); ++i) {
    const auto state = static_cast<EndpointState>(i);
    EXPECT_TRUE(texts.insert(text_of(state)).second);
    EXPECT_EQ(parse_endpoint_state(text_of(state)), state);
  }
  for (int i = 0; i <= static_cast<int>(Reason::other); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_TRUE(texts.insert(text_of(reason)).second);
    EXPECT_EQ(parse_reason(text_of(reason)), reason);
  }
  texts.erase("other");
  for (int i = 0; i <= static_cast<int>(Refusal::other); ++i) {
    const auto refusal = static_cast<Refusal>(i);
    EXPECT_TRUE(texts.insert(text_of(refusal)).second);
    EXPECT_EQ(parse_refusal_code(text_of(refusal)), refusal);
    EXPECT_GE(status_of(refusal), 400U);
    EXPECT_LT(status_of(refusal), 500U);
  }
}

TEST(ControlCodes, UnknownTexts) {
  EXPECT_EQ(parse_endpoint_state("maybe"), std::nullopt);
  EXPECT_EQ(parse_reason("tuesday"), Reason::other);
  EXPECT_EQ(parse_refusal_code("tuesday"), Refusal::other);
}

}  // namespace
}  // namespace sidestream::control
