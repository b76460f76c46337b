#include "control/json_fields.h"

#include <gtest/gtest.h>

namespace sidestream::control {
namespace {

// What reading `text` with `read` complains about.
template <typename Read>
std::string problem_of(std::string_view text, Read read) {
  const auto json = parse_json(text);
  EXPECT_TRUE(json) << text;
  JsonProblem problem;
  JsonFields fields(*json, "", problem);
  read(fields);
  return problem;
}

TEST(JsonFields, ReadsEveryKind) {
  const auto json = parse_json(
      R"({"t":"x","n":7,"b":true,"a":[{"n":1},{"n":2}],"o":{"t":"y"},"z":null,"unknown":1})");
  JsonProblem problem;
  JsonFields fields(*json, "", problem);
  EXPECT_EQ(fields.text("t", 1), "x");
  EXPECT_EQ(fields.number("n", 7, 7), 7U);
  EXPECT_TRUE(fields.boolean("b"));
  const JsonArray& array = fields.array("a", 2);
  EXPECT_EQ(fields.element("a", array, 1).number("n", 0, 9), 2U);
  EXPECT_EQ(fields.object("o").text("t", 9), "y");
  EXPECT_EQ(fields.optional_text("z", 1), std::nullopt);
  EXPECT_EQ(fields.optional_number("missing", 0, 1), std::nullopt);
  EXPECT_EQ(fields.optional_array("missing", 1), nullptr);
  EXPECT_EQ(fields.optional_number("n", 0, 9), 7U);
  EXPECT_EQ(problem, "");
}

TEST(JsonFields, NamesThePlace) {
  const auto ignore = [](const auto&) {};
  EXPECT_EQ(problem_of("[]", [](JsonFields&) {}), "expected an object");
  EXPECT_EQ(problem_of("{}", [&](JsonFields& f) { ignore(f.text("a", 1)); }), "a: expected a text");
  EXPECT_EQ(problem_of(R"({"a":"xy"})", [&](JsonFields& f) { ignore(f.text("a", 1)); }),
            "a: expected at most 1 bytes");
  EXPECT_EQ(problem_of(R"({"a":0})", [&](JsonFields& f) { ignore(f.number("a", 1, 9)); }),
            "a: expected a whole number from 1 to 9");
  EXPECT_EQ(problem_of(R"({"a":-1})", [&](JsonFields& f) { ignore(f.number("a", 0, ~0ULL)); }),
            "a: expected a whole number, not negative");
  EXPECT_EQ(problem_of(R"({"a":1.0})", [&](JsonFields& f) { ignore(f.number("a", 1, ~0ULL)); }),
            "a: expected a whole number from 1");
  EXPECT_EQ(problem_of(R"({"a":1})", [&](JsonFields& f) { ignore(f.boolean("a")); }),
            "a: expected true or false");
  EXPECT_EQ(problem_of(R"({"a":1})", [&](JsonFields& f) { ignore(f.array("a", 1)); }),
            "a: expected a list");
  EXPECT_EQ(problem_of(R"({"a":[1,2]})", [&](JsonFields& f) { ignore(f.array("a", 1)); }),
            "a: expected at most 1 elements");
  EXPECT_EQ(problem_of(R"({"a":[{},{"o":{"n":true}}]})",
                       [&](JsonFields& f) {
                         const JsonArray& array = f.array("a", 9);
                         ignore(f.element("a", array, 1).object("o").number("n", 0, 1));
                       }),
            "a[1].o.n: expected a whole number from 0 to 1");
}

TEST(JsonFields, TheFirstProblemStays) {
  EXPECT_EQ(problem_of(R"({"a":1,"b":2})",
                       [](JsonFields& f) {
                         EXPECT_EQ(f.text("a", 1), "");
                         EXPECT_FALSE(f.boolean("b"));
                         f.refuse("c", "no");
                       }),
            "a: expected a text");
}

TEST(JsonFields, TextsCanBeShownOnATerminal) {
  EXPECT_TRUE(is_printable_text("home é ✓"));
  EXPECT_FALSE(is_printable_text("a\x1b[31m"));
  EXPECT_FALSE(is_printable_text(std::string_view("a\0", 2)));
  EXPECT_FALSE(is_printable_text("\x7f"));
  EXPECT_FALSE(is_printable_text("\xc2\x9b"));
  EXPECT_TRUE(is_printable_text("\xc2\xa0"));
  EXPECT_EQ(
      problem_of(R"({"a":"\u001b[2J"})", [](JsonFields& f) { EXPECT_EQ(f.text("a", 99), ""); }),
      "a: expected a text without control characters");
}

}  // namespace
}  // namespace sidestream::control
