#include "cli/admin_address.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_examples.h"

namespace sidestream::cli {
namespace {

std::string found_in(const std::string& text) {
  const ExampleWorld world{{{"SOCKET", "/run/a.sock"}}, {}};
  const auto address = admin_address_in(ConfigurationText{"f.yaml", text}, world.sources());
  return address ? address->value_or("none") : "error: " + address.error();
}

TEST(AdminAddress, IsFoundInFilesOfBothKinds) {
  EXPECT_EQ(found_in("endpoint: a:1\nadmin: unix:/x\n"), "unix:/x");
  EXPECT_EQ(found_in("services: {}\nadmin: [\"127.0.0.1:9\"]\n"), "127.0.0.1:9");
  EXPECT_EQ(found_in("admin: [\"127.0.0.1:9\", unix:/x]\n"), "unix:/x");
  EXPECT_EQ(found_in("admin: unix:${SOCKET}\n"), "unix:/run/a.sock");
  EXPECT_EQ(found_in("endpoint: a:1\n"), "none");
  EXPECT_EQ(found_in(""), "none");
}

// The ticket's variable is set for the program, not for whoever asks it something.
TEST(AdminAddress, NothingElseIsRead) {
  EXPECT_EQ(found_in("edges: [{ticket: \"${SIDESTREAM_TICKET}\"}]\nfoo: 1\nadmin: unix:/x\n"),
            "unix:/x");
}

TEST(AdminAddress, ComesFromTheEnvironmentWhenTheFileDoesNotSay) {
  const ExampleWorld world{{{"SIDESTREAM_ADMIN", "unix:/e"}}, {}};
  const auto found = [&](const std::optional<ConfigurationText>& file) {
    const auto address = admin_address_in(file, world.sources());
    return address ? address->value_or("none") : "error: " + address.error();
  };
  EXPECT_EQ(found(std::nullopt), "unix:/e");
  EXPECT_EQ(found(ConfigurationText{"f", "endpoint: a:1"}), "unix:/e");
  EXPECT_EQ(found(ConfigurationText{"f", "admin: unix:/f"}), "unix:/f");
}

TEST(AdminAddress, ErrorsNameThePlace) {
  EXPECT_EQ(found_in("admin: nowhere\n"),
            "error: f.yaml:1:8: admin: expected unix:/PATH or ADDRESS:PORT, not \"nowhere\"");
  EXPECT_TRUE(found_in("admin: [").starts_with("error: f.yaml:1:"));
  EXPECT_TRUE(found_in("just a text").starts_with("error: f.yaml:1:1: "));
}

}  // namespace
}  // namespace sidestream::cli
