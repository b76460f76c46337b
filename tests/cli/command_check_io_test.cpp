#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "tests/support/configuration_examples.h"
#include "tests/support/recording_console.h"

namespace sidestream::cli {
namespace {

class CheckCommand : public testing::Test {
 protected:
  CheckCommand() {
    std::string pattern = std::filesystem::temp_directory_path() / "sidestream-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~CheckCommand() override { std::filesystem::remove_all(folder_); }

  int check(std::string_view content) {
    path_ = folder_ + "/sidecar.yaml";
    std::ofstream(path_, std::ios::binary) << content;
    return run_check({path_, std::nullopt}, console_);
  }

  std::string folder_;
  std::string path_;
  RecordingConsole console_;
};

TEST_F(CheckCommand, PrintsWhatAGoodConfigurationComesTo) {
  std::ofstream(folder_ + "/ticket") << example_ticket << "\n";
  std::filesystem::permissions(folder_ + "/ticket", std::filesystem::perms::owner_read);
  EXPECT_EQ(check("edges: [{ticket: \"${file:ticket}\"}]\n"
                  "services: {a: {publish: a.example.com, backend: '127.0.0.1:1'}}\n"),
            good);
  EXPECT_TRUE(console_.printed.starts_with(
      path_ + ": good: a sidecar with 1 edge, 1 service and 1 endpoint\ntunnel: "))
      << console_.printed;
  // What else is said depends on the names that this machine knows.
  if (!console_.complained.empty()) {
    EXPECT_TRUE(console_.complained.starts_with("warning: edges[0]: vps.example.com cannot be "))
        << console_.complained;
  }
}

TEST_F(CheckCommand, ListsEveryProblem) {
  EXPECT_EQ(check("edges: [{ticket: x}]\nservices: {a: {publish: 1, backend: b}}\n"), wrong_usage);
  EXPECT_EQ(console_.printed, "");
  EXPECT_EQ(console_.complained,
            path_ +
                ":1:18: edges[0].ticket: this is not a ticket; a ticket is the line that "
                "`sidestream invite` prints and begins with ss1_\n" +
                path_ +
                ":2:25: services.a.publish: \"1\": a port alone is written with a colon: "
                "write :PORT\n" +
                path_ + ":2:37: services.a.backend: \"b\": the port is missing; write HOST:PORT\n" +
                path_ + ": 3 problems\n");
}

TEST_F(CheckCommand, NeedsItsFile) {
  EXPECT_EQ(run_check({folder_ + "/none.yaml", std::nullopt}, console_), wrong_usage);
  EXPECT_EQ(console_.complained,
            "sidestream check: cannot read " + folder_ +
                "/none.yaml: No such file or directory; give a file that can be read with --config "
                "FILE\n");
}

}  // namespace
}  // namespace sidestream::cli
