#include "cli/command_table.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace sidestream::cli {
namespace {

void expect_fits_a_terminal(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 90U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(CommandTable, HasEachCommandOnce) {
  std::set<std::string_view> names;
  for (const Command& command : all_commands()) EXPECT_TRUE(names.insert(command.name).second);
  EXPECT_EQ(names.size(), 12U);
  EXPECT_EQ(find_command(all_commands(), "check")->name, "check");
  EXPECT_EQ(find_command(all_commands(), "chec"), nullptr);
}

TEST(CommandTable, HelpNamesEveryCommandAndExitCode) {
  const std::string text = help_text(all_commands());
  expect_fits_a_terminal(text);
  for (const Command& command : all_commands())
    EXPECT_TRUE(text.contains("  " + std::string(command.name) + " ")) << command.name;
  EXPECT_TRUE(text.contains("Exit codes: 0 good, 1 failed, 2 wrong usage or configuration"));
}

TEST(CommandTable, HelpOfACommandNamesItsOptions) {
  for (const Command& command : all_commands()) {
    const std::string text = help_text(command);
    expect_fits_a_terminal(text);
    EXPECT_TRUE(text.starts_with("Usage: sidestream " + std::string(command.name))) << text;
    EXPECT_TRUE(text.contains(command.summary)) << text;
    for (const OptionForm& option : command.options)
      EXPECT_TRUE(text.contains(option.name)) << command.name << ' ' << option.name;
  }
}

}  // namespace
}  // namespace sidestream::cli
