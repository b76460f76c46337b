#include "streams/configuration_reader.h"

#include <gtest/gtest.h>

#include <functional>

namespace sidestream {
namespace {

VariableSources sources() {
  return {[](const std::string& name) -> std::optional<std::string> {
            if (name == "SET") return "s3cret";
            if (name == "NUMBER") return "42";
            if (name == "EMPTY") return "";
            return std::nullopt;
          },
          [](const std::string& path) -> std::expected<std::string, std::string> {
            return std::unexpected("cannot read " + path + ": no such file; is it mounted?");
          }};
}

// Reads `text` with `read` and returns the problems, one per line.
std::string problems(std::string_view text,
                     const std::function<void(ConfigurationSection&)>& read) {
  const YamlDocument document = parse_yaml(text);
  EXPECT_TRUE(document.root);
  const VariableSources variables = sources();
  ConfigurationProblems found;
  ConfigurationSource source{.name = "f", .problems = found, .variables = &variables};
  ConfigurationSection section(ConfigurationValue(*document.root, "", source));
  read(section);
  section.finish();
  std::string lines;
  for (const std::string& line : found.lines()) lines += (lines.empty() ? "" : "\n") + line;
  return lines;
}

TEST(ConfigurationReader, ReadsEveryKind) {
  EXPECT_EQ(problems("t: x${NUMBER}\nb: true\ni: ${NUMBER}\nd: 5s\ns: 1KiB\nc: two\nl: [1, 2]\n"
                     "one: 1\nm: {k: v}\nn:\nsecret: ${SET}\n",
                     [](ConfigurationSection& s) {
                       EXPECT_EQ(s.find("t")->text(), "x42");
                       EXPECT_EQ(s.find("b")->boolean(), true);
                       EXPECT_EQ(s.find("i")->integer(1, 100), 42);
                       EXPECT_EQ(s.find("d")->duration(1s, 1min), 5s);
                       EXPECT_EQ(s.find("s")->size(1, 4096), 1024U);
                       constexpr std::array<std::pair<std::string_view, int>, 2> words{
                           {{"one", 1}, {"two", 2}}};
                       EXPECT_EQ(s.find("c")->choice(words), 2);
                       EXPECT_EQ(s.find("l")->list(2).size(), 2U);
                       EXPECT_EQ(s.find("one")->list(2).size(), 1U);
                       ConfigurationSection m(*s.find("m"));
                       EXPECT_EQ(m.require("k", "k: v")->text(), "v");
                       m.finish();
                       ConfigurationSection n(*s.find("n"));
                       EXPECT_TRUE(n.all().empty());
                       EXPECT_EQ(s.find("secret")->secret()->reveal(), "s3cret");
                       EXPECT_FALSE(s.find("missing"));
                     }),
            "");
}

struct Case {
  std::string_view text;
  std::function<void(const ConfigurationValue&)> read;
  std::string_view expected;
};

TEST(ConfigurationReader, SaysWhatWasExpected) {
  const auto text = [](const ConfigurationValue& v) { EXPECT_FALSE(v.text()); };
  const auto secret = [](const ConfigurationValue& v) { EXPECT_FALSE(v.secret()); };
  const auto boolean = [](const ConfigurationValue& v) { EXPECT_FALSE(v.boolean()); };
  const auto integer = [](const ConfigurationValue& v) { EXPECT_FALSE(v.integer(1, 10)); };
  const auto duration = [](const ConfigurationValue& v) { EXPECT_FALSE(v.duration(1s, 2min)); };
  const auto size = [](const ConfigurationValue& v) { EXPECT_FALSE(v.size(1, 10)); };
  const auto list = [](const ConfigurationValue& v) { EXPECT_TRUE(v.list(2).empty()); };
  const auto section = [](const ConfigurationValue& v) {
    EXPECT_TRUE(ConfigurationSection(v).all().empty());
  };
  const auto choice = [](const ConfigurationValue& v) {
    constexpr std::array<std::pair<std::string_view, int>, 2> words{{{"one", 1}, {"two", 2}}};
    constexpr std::array<ConfigurationValue::LaterWord, 1> later{{{"three", "not yet; write two"}}};
    EXPECT_FALSE(v.choice(words, later));
  };
  const auto example = [](const ConfigurationValue& v) {
    EXPECT_TRUE(ConfigurationSection(v, "{level: info}").all().empty());
  };
  const auto parsing = [](const ConfigurationValue& v) {
    v.fail_parsing("\"" + *v.text() + "\": is not an endpoint");
  };
  for (const Case& test : std::initializer_list<Case>{
           {"k:", text, "f:1:1: k: has no value; expected a text"},
           {"k: [a]", text, "f:1:4: k: expected a text, not a list"},
           {"k: {a: b}", text, "f:1:4: k: expected a text, not a mapping"},
           {"k: ''", text, "f:1:4: k: is empty"},
           {"k: ${EMPTY}", text, "f:1:4: k: \"${EMPTY}\" is empty"},
           {"k: ${NONE}", text,
            "f:1:4: k: the environment variable NONE is not set; set it, or give a default: "
            "${NONE:-default}"},
           {"k: ${file:/x}", text, "f:1:4: k: cannot read /x: no such file; is it mounted?"},
           {"k:", secret, "f:1:1: k: has no value"},
           {"k: [a]", secret, "f:1:4: k: expected a text, not a list"},
           {"k: ''", secret, "f:1:4: k: is empty"},
           {"k: yes", boolean, "f:1:4: k: expected true or false, not \"yes\""},
           {"k: True", boolean,
            "f:1:4: k: expected true or false, not \"True\" (did you mean \"true\"?)"},
           {"k: 11", integer, "f:1:4: k: expected a whole number from 1 to 10, not \"11\""},
           {"k: 0x5", integer, "f:1:4: k: expected a whole number from 1 to 10, not \"0x5\""},
           {"k: ${SET}", integer, "f:1:4: k: expected a whole number from 1 to 10, not \"${SET}\""},
           {"k: [1]", integer, "f:1:4: k: expected a whole number from 1 to 10, not a list"},
           {"k: 3m", duration, "f:1:4: k: expected a duration from 1s to 2m, not \"3m\""},
           {"k: 30", duration,
            "f:1:4: k: expected a duration from 1s to 2m with its unit (ms, s, m, h or d), not "
            "\"30\""},
           {"k:", duration, "f:1:1: k: has no value; expected a duration from 1s to 2m"},
           {"k: 1MB", size, "f:1:4: k: expected a size from 1 to 10 bytes, not \"1MB\""},
           {"k: big", size,
            "f:1:4: k: expected a size from 1 to 10 bytes, such as 512KiB, not \"big\""},
           {"k: []", list, "f:1:4: k: is an empty list"},
           {"k: [1, 2, 3]", list, "f:1:4: k: has 3 items; 2 are allowed"},
           {"k:", list, "f:1:1: k: has no value"},
           {"k: x", section, "f:1:4: k: expected keys with values, not \"x\""},
           {"k: three", choice, "f:1:4: k: not yet; write two"},
           {"k: four", choice, "f:1:4: k: expected one or two, not \"four\""},
           {"k: tow", choice, "f:1:4: k: expected one or two, not \"tow\" (did you mean \"two\"?)"},
           {"k:", choice, "f:1:1: k: has no value; expected one or two"},
           {"k: x", example,
            "f:1:4: k: expected keys with values, such as `{level: info}`, not \"x\""},
           {"k: [x]", section, "f:1:4: k: expected keys with values, not a list"},
           {"k: abc", parsing, "f:1:4: k: \"abc\": is not an endpoint"},
           {"k: ${SET}", parsing, "f:1:4: k: \"${SET}\": is not an endpoint"},
           {"k: ': ${SET}'", parsing, "f:1:4: k: \": ${SET}\": is not an endpoint"},
       })
    EXPECT_EQ(problems(test.text, [&](ConfigurationSection& s) { test.read(*s.find("k")); }),
              test.expected);
}

TEST(ConfigurationReader, NamesUnknownAndMissingKeys) {
  EXPECT_EQ(problems("servces: 1\nzebra: 2\n",
                     [](ConfigurationSection& s) {
                       (void)s.find("services");
                       (void)s.find("state");
                       EXPECT_FALSE(s.require("endpoint", "endpoint: HOST:PORT"));
                     }),
            "f:1:1: the key \"endpoint\" is missing; add `endpoint: HOST:PORT`\n"
            "f:1:1: servces: unknown key (did you mean \"services\"?)\n"
            "f:2:1: zebra: unknown key; expected services, state or endpoint");
}

TEST(ConfigurationReader, RefusesKeysOfLaterVersions) {
  EXPECT_EQ(problems("a: {docker: {socket: x}}",
                     [](ConfigurationSection& s) {
                       ConfigurationSection a(*s.find("a"));
                       a.refuse("docker", "not in this version");
                       a.refuse("acme", "not in this version");
                       a.finish();
                     }),
            "f:1:5: a.docker: not in this version");
}

TEST(ConfigurationReader, NumbersListItemsInPaths) {
  EXPECT_EQ(problems("l: [{k: 1}, {k: x}]",
                     [](ConfigurationSection& s) {
                       for (const ConfigurationValue& item : s.find("l")->list(9))
                         (void)ConfigurationSection(item).find("k")->integer(1, 2);
                     }),
            "f:1:17: l[1].k: expected a whole number from 1 to 2, not \"x\"");
}

TEST(ConfigurationReader, RemembersWhichVariablesTookPart) {
  const YamlDocument document = parse_yaml("${SET} ${NUMBER:-x}");
  const VariableSources variables = sources();
  ConfigurationProblems found;
  ConfigurationSource source{.name = "f", .problems = found, .variables = &variables};
  EXPECT_TRUE(ConfigurationValue(*document.root, "", source).text());
  EXPECT_EQ(source.variables_used, (std::set<std::string>{"SET", "NUMBER"}));
}

TEST(ConfigurationReader, TakesTextAsItIsWithoutVariables) {
  const YamlNode node{.kind = YamlNode::Kind::scalar, .text = "${SET}"};
  ConfigurationProblems found;
  ConfigurationSource source{.name = "ENV", .problems = found, .has_marks = false};
  const ConfigurationValue value(node, "", source);
  EXPECT_EQ(value.text(), "${SET}");
  EXPECT_FALSE(value.integer(1, 2));
  EXPECT_EQ(found.lines().front(), "ENV: expected a whole number from 1 to 2, not \"${SET}\"");
}

}  // namespace
}  // namespace sidestream
