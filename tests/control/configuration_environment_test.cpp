#include "control/configuration_environment.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/configuration_examples.h"

namespace sidestream::control {
namespace {

using Form = EnvironmentKey::Form;

constexpr std::array keys{
    EnvironmentKey{"X_TOKEN", "homes[].token", Form::items, "homes"},
    EnvironmentKey{"X_HOME_NAME", "homes[].name", Form::text, "homes", "the home's name"},
    EnvironmentKey{"X_HOME_KEY", "homes[].key", Form::secret, "homes", "its key"},
    EnvironmentKey{"X_HOME_NOTE", "homes[].note", Form::text, "homes"},
    EnvironmentKey{"X_ROOM_DOOR", "room.door"},
    EnvironmentKey{"X_ROOM_WINDOWS", "room.windows", Form::list},
};

// The tree as text: `key=value` in order, sections in braces, lists in brackets.
std::string text_of(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::null) return "null";
  if (node.kind == YamlNode::Kind::scalar) return node.text;
  const bool is_list = node.kind == YamlNode::Kind::sequence;
  std::string text = is_list ? "[" : "{";
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) text += " ";
    if (!is_list) text += node.keys[i].text + "=";
    text += text_of(node.items[i]);
  }
  return text + (is_list ? "]" : "}");
}

// The tree, or the problems.
std::string read(const std::string& file, std::map<std::string, std::string> environment) {
  const ExampleWorld world{std::move(environment), {{"/k", "hidden\n"}, {"/empty", "\n"}}};
  const VariableSources sources = world.sources();
  ConfigurationProblems problems;
  auto root = read_tree(ConfigurationText{"f", file}, problems);
  if (!root) return "not YAML";
  const auto idle = add_environment(*root, keys, sources, problems);
  ConfigurationSource source{.name = "f", .problems = problems, .variables = &sources};
  refuse_idle(idle, source);
  return problems.empty() ? text_of(*root) : joined_lines(problems);
}

TEST(ConfigurationEnvironment, ChangesNothingWhenNothingIsSet) {
  EXPECT_EQ(read("a: 1", {{"X_ROOM_DOOR", ""}, {"X_HOME_KEY_FILE", ""}}), "{a=1}");
  EXPECT_EQ(read("", {}), "null");
  EXPECT_EQ(read("a text", {{"X_ROOM_DOOR", "oak"}}), "a text");
}

TEST(ConfigurationEnvironment, AddsToWhatTheFileHas) {
  EXPECT_EQ(read("", {{"X_ROOM_DOOR", "oak"}}), "{room={door=oak}}");
  EXPECT_EQ(read("room:", {{"X_ROOM_DOOR", "oak"}}), "{room={door=oak}}");
  EXPECT_EQ(read("room: {windows: 2}", {{"X_ROOM_DOOR", "oak"}}), "{room={windows=2 door=oak}}");
}

TEST(ConfigurationEnvironment, SplitsListsAtCommasAndWhiteSpace) {
  EXPECT_EQ(read("", {{"X_ROOM_WINDOWS", " a,b  c\n,"}}), "{room={windows=[a b c]}}");
  EXPECT_EQ(read("", {{"X_ROOM_WINDOWS", " , "}}), "X_ROOM_WINDOWS: is empty\n");
}

TEST(ConfigurationEnvironment, MakesAnItemOfEachPiece) {
  EXPECT_EQ(read("", {{"X_TOKEN", "one, two"}}), "{homes=[{token=one} {token=two}]}");
}

TEST(ConfigurationEnvironment, ReadsSecretsFromFiles) {
  EXPECT_EQ(read("", {{"X_HOME_NAME", "a"}, {"X_HOME_KEY_FILE", "/k"}}),
            "{homes=[{name=a key=hidden}]}");
  EXPECT_EQ(read("", {{"X_TOKEN_FILE", "/k"}}), "{homes=[{token=hidden}]}");
  EXPECT_EQ(read("", {{"X_TOKEN_FILE", "/empty"}}), "X_TOKEN_FILE: is empty\n");
  EXPECT_EQ(read("", {{"X_TOKEN_FILE", "/none"}}),
            "X_TOKEN_FILE: cannot read /none: No such file or directory\n");
  EXPECT_EQ(read("", {{"X_TOKEN_FILE", "/k"}, {"X_TOKEN", "a"}}),
            "X_TOKEN_FILE: is set, and so is X_TOKEN; unset one of the two\n");
  EXPECT_EQ(read("", {{"X_ROOM_DOOR_FILE", "/k"}}), "null");  // no secret
}

TEST(ConfigurationEnvironment, AsksForWhatBelongsTogether) {
  EXPECT_EQ(read("", {{"X_HOME_NOTE", "a"}}),
            "X_HOME_NAME: is not set, but X_HOME_NOTE is; set it to the home's name\n"
            "X_HOME_KEY: is not set, but X_HOME_NOTE is; set it to its key\n");
  EXPECT_EQ(read("", {{"X_HOME_NOTE", "a"}, {"X_TOKEN", "b"}}), "{homes=[{token=b note=a}]}");
}

// What the file has itself counts, and nothing that was set is ignored in silence.
TEST(ConfigurationEnvironment, RefusesWhatWouldDoNothing) {
  EXPECT_EQ(read("homes: [{}]\nroom: {door: ash}", {{"X_HOME_NOTE", "a"}, {"X_ROOM_DOOR", "oak"}}),
            "X_HOME_NOTE: is set, but f has `homes` of its own that does not use it; unset it, or "
            "remove `homes`\n"
            "X_ROOM_DOOR: is set, but f has `room.door` of its own that does not use it; unset it, "
            "or remove `room.door`\n");
  EXPECT_EQ(read("homes: []", {{"X_TOKEN_FILE", "/none"}}),
            "X_TOKEN_FILE: is set, but f has `homes` of its own that does not use it; unset it, or "
            "remove `homes`\n");
}

TEST(ConfigurationEnvironment, TellsWhereAValueCameFromAndReplacesNothingInIt) {
  ConfigurationProblems problems;
  const ExampleWorld world{{{"X_ROOM_DOOR", "${HOME}"}}, {}};
  const VariableSources sources = world.sources();
  auto root = read_tree(std::nullopt, problems);
  ASSERT_TRUE(root);
  EXPECT_TRUE(add_environment(*root, keys, sources, problems).empty());
  ConfigurationSource source{.name = "f", .problems = problems, .variables = &sources};
  ConfigurationSection top(ConfigurationValue(*root, "", source));
  ConfigurationSection room(*top.find("room"));
  const auto door = room.find("door");
  ASSERT_TRUE(door);
  EXPECT_EQ(door->text(), "${HOME}");
  EXPECT_FALSE(door->integer(1, 2));
  EXPECT_EQ(joined_lines(problems),
            "X_ROOM_DOOR: expected a whole number from 1 to 2, not \"${HOME}\"\n");
}

}  // namespace
}  // namespace sidestream::control
