#include "streams/yaml_document.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

// One line that shows the whole tree with its marks.
std::string shown(const YamlNode& node) {
  std::string result = std::to_string(node.mark.line) + ":" + std::to_string(node.mark.column);
  switch (node.kind) {
    case YamlNode::Kind::null:
      return result + "~";
    case YamlNode::Kind::scalar:
      return result + "'" + node.text + "'";
    case YamlNode::Kind::sequence:
      result += "[";
      for (const YamlNode& item : node.items) result += shown(item) + " ";
      return result + "]";
    case YamlNode::Kind::mapping:
      result += "{";
      for (std::size_t i = 0; i < node.keys.size(); ++i)
        result += node.keys[i].text + "=" + shown(node.items[i]) + " ";
      return result + "}";
  }
  return result;
}

std::string shown(std::string_view text) {
  const YamlDocument document = parse_yaml(text);
  EXPECT_TRUE(document.problems.empty()) << document.problems.front().message;
  return document.root ? shown(*document.root) : "";
}

std::string problem(std::string_view text, const YamlLimits& limits = {}) {
  const YamlDocument document = parse_yaml(text, limits);
  if (document.problems.empty()) return "none";
  const YamlProblem& first = document.problems.front();
  return std::to_string(first.mark.line) + ":" + std::to_string(first.mark.column) + " " +
         first.message;
}

TEST(YamlDocument, RemembersPlacesAndOrder) {
  EXPECT_EQ(shown("b: 1\na: [x, 'y']\nc:\n  d: \"\"\n  e:\n"),
            "1:1{b=1:4'1' a=2:4[2:5'x' 2:8'y' ] c=4:3{d=4:6'' e=5:3~ } }");
  EXPECT_EQ(shown(""), "1:1~");
  EXPECT_EQ(shown("# only a comment\n"), "1:1~");
  EXPECT_EQ(shown("\xef\xbb\xbf"
                  "a: 1"),
            "1:1{a=1:4'1' }");
  EXPECT_EQ(shown("a: :2222"), "1:1{a=1:4':2222' }");
  EXPECT_EQ(shown("a: off\nb: ~\n"), "1:1{a=1:4'off' b=2:1~ }");
  EXPECT_EQ(shown("a: ${X:-y}"), "1:1{a=1:4'${X:-y}' }");
  EXPECT_EQ(shown("---\na: 1\n...\n"), "2:1{a=2:4'1' }");
}

TEST(YamlDocument, FollowsAliases) {
  EXPECT_EQ(shown("a: &x [1]\nb: *x\n"), "1:1{a=1:4[1:8'1' ] b=1:4[1:8'1' ] }");
  EXPECT_EQ(problem("a: &x [*x]"),
            "1:8 the alias stands inside of what it refers to; write it out");
}

TEST(YamlDocument, IsNotBombed) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(problem(bomb), "4:45 more than 10000 values, counted with aliases written out");
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i)
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  EXPECT_EQ(problem(chain), "31:12 nested deeper than 32 levels");
}

TEST(YamlDocument, IsBounded) {
  EXPECT_EQ(problem(std::string(33, '[') + std::string(33, ']')),
            "1:33 nested deeper than 32 levels");
  EXPECT_TRUE(problem(std::string(100'000, '[')).ends_with(" nested deeper than 32 levels"));
  EXPECT_EQ(problem(std::string(31, '[') + "x" + std::string(31, ']')), "none");
  EXPECT_EQ(problem("[1, 2, 3]", {.nodes_max = 3}),
            "1:8 more than 3 values, counted with aliases written out");
  EXPECT_EQ(problem(std::string((1U << 20U) + 1, ' ')),
            "1:1 the document has more than 1048576 bytes; is this the right file?");
}

TEST(YamlDocument, NamesBothPlacesOfADuplicate) {
  const YamlDocument document = parse_yaml("a: 1\nb: 2\na: 3\nb: 4\n");
  ASSERT_EQ(document.problems.size(), 2U);
  EXPECT_EQ(document.problems[0].message,
            "the key \"a\" is there already, in line 1; remove one of the two");
  EXPECT_EQ(document.problems[1].mark, (Mark{4, 1}));
  ASSERT_TRUE(document.root);  // the rest is still read
  EXPECT_EQ(document.root->find("a")->text, "1");
  EXPECT_EQ(document.root->find("c"), nullptr);
}

TEST(YamlDocument, ExplainsSyntax) {
  struct Case {
    std::string_view text;
    std::string_view expected;
  };
  for (
      const Case& test : std::initializer_list<Case>{
          {"publish: *.example.com",
           "1:10 a text that begins with * must be in quotes: \"*.example.com\""},
          {"a: [\"x\", *.y]",
           "1:10 a text that begins with * must be in quotes: \"*.example.com\""},
          {"a: *", "1:5 a text that begins with * must be in quotes: \"*.example.com\""},
          {"a: @x", "1:4 a text cannot begin with @ unless it is in quotes"},
          {"a: b: c",
           "1:5 no \": \" may stand here; is the indentation right? Put text that holds \": \" in "
           "quotes"},
          {"a: 1\n b: 2",
           "2:3 no \": \" may stand here; is the indentation right? Put text that holds \": \" in "
           "quotes"},
          {"a:\n  b: 1\n c: 2",
           "3:2 this does not continue the lines above; is the indentation right? Put text that "
           "begins with [ or { in quotes"},
          {"backend: [::1]:22",
           "1:15 this does not continue the lines above; is the indentation right? Put text that "
           "begins with [ or { in quotes"},
          {"a: 1\nb: [1, 2", "2:4 this [ is not closed, or a comma is missing after it"},
          {"b: {k: 1", "1:4 this { is not closed, or a comma is missing after it"},
          {"b: [${X}]", "1:5 inside [ ] and { } put ${…} in quotes: \"${VAR}\""},
          {"b: {k: ${X}}", "1:8 inside [ ] and { } put ${…} in quotes: \"${VAR}\""},
          {"a: \"abc", "1:8 a quote is opened and never closed"},
          {"a: !!str 5",
           "1:4 tags are not supported; quote a text that begins with an exclamation mark"},
          {"[a]: b", "1:1 a key must be text; quote it if it begins with [ or {"},
          {"a: 1\n---\nb: 2",
           "2:1 a second document begins here; is the indentation right? One file is one document"},
          {"- a\nb: 1",
           "2:1 a second document begins here; is the indentation right? One file is one document"},
          {"a:\n\tb: 1", "2:1 a tab in the indentation; YAML wants spaces"},
      })
    EXPECT_EQ(problem(test.text), test.expected) << test.text;
}

}  // namespace
}  // namespace sidestream
