#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "tests/support/configuration_examples.h"
#include "tests/support/recording_console.h"

namespace sidestream::cli {
namespace {

namespace fs = std::filesystem;

class InviteCommand : public testing::Test {
 protected:
  InviteCommand() : folder_(fs::path(testing::TempDir()) / "invite-command") {
    fs::remove_all(folder_);
  }
  ~InviteCommand() override { fs::remove_all(folder_); }

  [[nodiscard]] InviteOptions options() const {
    return {.name = "home",
            .allow = {*control::EndpointPattern::parse(":2222")},
            .ticket_file = folder_ / "home.ticket",
            .config = std::nullopt,
            .admin = "unix:" + (folder_ / "nobody.sock").string()};
  }
  void write(const std::string& content) const {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "home.ticket") << content;
    fs::permissions(folder_ / "home.ticket", fs::perms::owner_read | fs::perms::owner_write);
  }

  fs::path folder_;
  RecordingConsole console_;
};

TEST_F(InviteCommand, AsksNobodyWhenThereIsATicket) {
  write(std::string(example_ticket) + "\n");
  EXPECT_EQ(run_invite(options(), console_), good);
  EXPECT_EQ(console_.printed, "");
  EXPECT_EQ(console_.complained,
            (folder_ / "home.ticket").string() + " holds a ticket already; nothing was done.\n");
}

TEST_F(InviteCommand, TouchesNoFileThatHoldsSomethingElse) {
  write("my diary\n");
  EXPECT_EQ(run_invite(options(), console_), failed);
  EXPECT_EQ(console_.complained, "sidestream invite: " + (folder_ / "home.ticket").string() +
                                     " is there and holds no ticket; nothing was done\n");
}

TEST_F(InviteCommand, AsksTheEdgeOnlyWhenTheTicketCanBeKept) {
  auto wanted = options();
  wanted.ticket_file = "/proc/no/home.ticket";
  EXPECT_EQ(run_invite(wanted, console_), failed);
  EXPECT_EQ(console_.complained,
            "sidestream invite: cannot make the folder /proc/no: No such file or directory\n");

  RecordingConsole second;
  EXPECT_EQ(run_invite(options(), second), not_running);
  EXPECT_FALSE(fs::exists(folder_ / "home.ticket"));
}

}  // namespace
}  // namespace sidestream::cli
