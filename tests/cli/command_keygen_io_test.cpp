#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "streams/yaml_document.h"
#include "tests/support/recording_console.h"
#include "tunnel/crypto.h"

namespace sidestream::cli {
namespace {

TEST(KeygenCommand, PrintsAPairThatFitsTogether) {
  RecordingConsole console;
  EXPECT_EQ(run_keygen({}, console), good);
  const YamlDocument document = parse_yaml(console.printed);
  ASSERT_TRUE(document.root);
  const auto private_key = tunnel::PrivateKey::parse(document.root->find("private_key")->text);
  const auto public_key = tunnel::PublicKey::parse(document.root->find("public_key")->text);
  ASSERT_TRUE(private_key && public_key);
  EXPECT_EQ(tunnel::key_pair_of(*private_key).public_key, *public_key);

  RecordingConsole again;
  EXPECT_EQ(run_keygen({}, again), good);
  EXPECT_NE(console.printed, again.printed);
}

}  // namespace
}  // namespace sidestream::cli
