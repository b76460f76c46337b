#include "control/json.h"

#include <gtest/gtest.h>

#include <string>

namespace sidestream::control {
namespace {

TEST(Json, RoundTrips) {
  for (const char* text :
       {"null", "true", "false", "0", "-1", "18446744073709551615", "-9223372036854775808", "\"\"",
        "[]", "{}", R"({"a":1,"b":[true,null,-3,"x"],"c":{"d":{}}})", R"("\u0001\"\\/é")"}) {
    const auto value = parse_json(text);
    ASSERT_TRUE(value) << text << ": " << value.error().what;
    const auto again = parse_json(serialize_json(*value));
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(*again, *value) << text;
  }
}

TEST(Json, KindsAreKept) {
  const auto value = parse_json(R"( [1, -1, 1.5, "t", true, null, {"a": 2}] )");
  ASSERT_TRUE(value);
  const JsonArray& array = *value->array();
  EXPECT_EQ(*array[0].unsigned_number(), 1U);
  EXPECT_EQ(array[1].unsigned_number(), nullptr);
  EXPECT_EQ(std::get<std::int64_t>(array[1].value()), -1);
  EXPECT_EQ(std::get<double>(array[2].value()), 1.5);
  EXPECT_EQ(*array[3].text(), "t");
  EXPECT_TRUE(*array[4].boolean());
  EXPECT_TRUE(array[5].is_null());
  EXPECT_EQ(*array[6].object()->find("a")->unsigned_number(), 2U);
  EXPECT_EQ(array[6].object()->find("b"), nullptr);
}

TEST(Json, NumbersAreTheNearestDoubles) {
  const auto value = parse_json("[18744018749551673709551616,-0.1,2.5e-3,1e-400]");
  ASSERT_TRUE(value);
  const auto& array = std::get<JsonArray>(value->value());
  EXPECT_EQ(std::get<double>(array[0].value()), 18744018749551673709551616.0);
  EXPECT_EQ(std::get<double>(array[1].value()), -0.1);
  EXPECT_EQ(std::get<double>(array[2].value()), 2.5e-3);
  EXPECT_EQ(std::get<double>(array[3].value()), 0.0);
  const auto too_large = parse_json("[1e999]");
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().what, "a number is too large");
}

TEST(Json, RefusesWithThePlace) {
  const auto offset_of = [](std::string_view text) -> std::optional<std::size_t> {
    const auto value = parse_json(text);
    if (value) return std::nullopt;
    EXPECT_FALSE(value.error().what.empty());
    return value.error().offset;
  };
  EXPECT_EQ(offset_of(""), 0U);
  EXPECT_EQ(offset_of("nul"), 3U);
  EXPECT_EQ(offset_of("[1,]"), 3U);
  EXPECT_EQ(offset_of("1 2"), 2U);
  for (const char* text :
       {"{", "[", "\"", "{\"a\"}", "{a:1}", "{'a':1}", "01", "+1", "1.", "\"\x01\"", "\"\xff\"",
        "\"\\ud800\"", "// x\n1", "[1] x", "{\"a\":1,}", "NaN"}) {
    EXPECT_TRUE(offset_of(text)) << text;
  }
}

TEST(Json, RefusesANameTwice) {
  EXPECT_FALSE(parse_json(R"({"a":1,"b":2,"a":3})"));
  EXPECT_FALSE(parse_json(R"({"a":1,"\u0061":3})"));
  EXPECT_TRUE(parse_json(R"({"a":{"a":{"a":1}}})"));
}

TEST(Json, LimitsAreExact) {
  JsonLimits limits;
  limits.bytes_max = 8;
  EXPECT_TRUE(parse_json("[1,2,34]", limits));
  EXPECT_FALSE(parse_json("[1,2,345]", limits));

  limits = {};
  limits.depth_max = 3;
  EXPECT_TRUE(parse_json("[[[1]]]", limits));
  EXPECT_EQ(parse_json("[[[[1]]]]", limits).error().what, "it is nested too deeply");

  limits = {};
  limits.values_max = 4;
  EXPECT_TRUE(parse_json("[1,2,3]", limits));
  EXPECT_EQ(parse_json("[1,2,3,4]", limits).error().what, "it has too many values");

  limits = {};
  limits.members_max = 1;
  EXPECT_TRUE(parse_json(R"({"a":1})", limits));
  EXPECT_EQ(parse_json(R"({"a":1,"b":2})", limits).error().what, "an object has too many members");
}

TEST(Json, DeepNestingStopsEarly) {
  EXPECT_FALSE(parse_json(std::string(100'000, '[')));
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(parse_json(objects));
}

}  // namespace
}  // namespace sidestream::control
