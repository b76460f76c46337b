#include "streams/variables.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

VariableSources sources() {
  return {[](const std::string& name) -> std::optional<std::string> {
            if (name == "HOST") return "electrs";
            if (name == "EMPTY") return "";
            if (name == "TRICK") return "${HOST}";
            return std::nullopt;
          },
          [](const std::string& path) -> std::expected<std::string, std::string> {
            if (path == "/run/secrets/x") return "s3cret\n";
            return std::unexpected("cannot read " + path + ": no such file");
          }};
}

std::string expand(std::string_view text) {
  const auto expansion = expand_variables(text, sources());
  return expansion ? expansion->text : "ERROR " + expansion.error();
}

TEST(Variables, AreReplaced) {
  EXPECT_EQ(expand("plain"), "plain");
  EXPECT_EQ(expand(""), "");
  EXPECT_EQ(expand("${HOST}:50001"), "electrs:50001");
  EXPECT_EQ(expand("${HOST}${HOST}"), "electrselectrs");
  EXPECT_EQ(expand("${file:/run/secrets/x}"), "s3cret");
  EXPECT_EQ(expand("${EMPTY}"), "");
}

TEST(Variables, TakeDefaults) {
  EXPECT_EQ(expand("${HOST:-b}"), "electrs");
  EXPECT_EQ(expand("${NONE:-b}"), "b");
  EXPECT_EQ(expand("${EMPTY:-b}"), "b");
  EXPECT_EQ(expand("${NONE:-}"), "");
  EXPECT_EQ(expand("${NONE:-${HOST}}"), "electrs");
  EXPECT_EQ(expand("${NONE:-a ${EMPTY:-b} c}"), "a b c");
  EXPECT_EQ(expand("${NONE:-${file:/run/secrets/x}}"), "s3cret");
  // A default that is not taken is not looked at: its file need not be there.
  EXPECT_EQ(expand("${HOST:-${file:/nowhere}}"), "electrs");
  EXPECT_EQ(expand("${HOST:-${NONE}}"), "electrs");
}

TEST(Variables, LeaveOtherDollarsAlone) {
  EXPECT_EQ(expand("$HOST $ $$ 5$"), "$HOST $ $$ 5$");
  EXPECT_EQ(expand("$${HOST}"), "${HOST}");
  EXPECT_EQ(expand("}"), "}");
  EXPECT_EQ(expand("${TRICK}"), "${HOST}");  // what comes in is not read again
}

TEST(Variables, SayWhatIsWrong) {
  const std::string forms =
      "write ${VAR}, ${VAR:-default} or ${file:PATH}, and $${ for a literal ${";
  EXPECT_EQ(expand("${NONE}"),
            "ERROR the environment variable NONE is not set; set it, or give a default: "
            "${NONE:-default}");
  EXPECT_EQ(expand("${HOST"), "ERROR a ${ is not closed; " + forms);
  EXPECT_EQ(expand("${HOST:-x"), "ERROR a ${ is not closed; " + forms);
  EXPECT_EQ(expand("${file:/x"), "ERROR a ${ is not closed; " + forms);
  EXPECT_EQ(expand("${}"), "ERROR \"\" is not the name of a variable; " + forms);
  EXPECT_EQ(expand("${A-B}"), "ERROR \"A-B\" is not the name of a variable; " + forms);
  EXPECT_EQ(expand("${1A}"), "ERROR \"1A\" is not the name of a variable; " + forms);
  EXPECT_EQ(expand("${HOST:?x}"), "ERROR unknown form of ${HOST:…}; " + forms);
  EXPECT_EQ(expand("${file:}"), "ERROR ${file:} has no path; write ${file:/run/secrets/x}");
  EXPECT_EQ(expand("${file:/nowhere}"), "ERROR cannot read /nowhere: no such file");
}

TEST(Variables, AreBounded) {
  std::string deep = "x";
  for (int i = 0; i < 9; ++i) deep = "${NONE:-" + deep + "}";
  EXPECT_EQ(expand(deep), "ERROR ${…} are nested deeper than 8");
  EXPECT_FALSE(expand_variables("${HOST}${HOST}", sources(), {.bytes_max = 10}));
  EXPECT_TRUE(expand_variables("${HOST}", sources(), {.bytes_max = 10}));
}

TEST(Variables, TellWhatTookPart) {
  const auto expansion = expand_variables("${NONE:-${HOST}} ${HOST:-${EMPTY}}", sources());
  ASSERT_TRUE(expansion);
  EXPECT_EQ(expansion->variables, (std::vector<std::string>{"NONE", "HOST", "HOST"}));
  EXPECT_TRUE(expansion->substituted);
  EXPECT_FALSE(expand_variables("$${HOST}", sources())->substituted);
  EXPECT_TRUE(expand_variables("${file:/run/secrets/x}", sources())->substituted);
}

TEST(WithoutFinalNewline, CutsOneLineBreak) {
  EXPECT_EQ(without_final_newline("a\n"), "a");
  EXPECT_EQ(without_final_newline("a\r\n"), "a");
  EXPECT_EQ(without_final_newline("a\n\n"), "a\n");
  EXPECT_EQ(without_final_newline("a"), "a");
  EXPECT_EQ(without_final_newline(""), "");
}

}  // namespace
}  // namespace sidestream
