// The rules of the house, applied to the tree. CONTRIBUTING.md says what they are for; each rule
// is itself tested on bad snippets in the *_rules_test.cpp beside this file.
#include <gtest/gtest.h>

#include "tests/tidy/completeness_rules.h"
#include "tests/tidy/layer_rules.h"
#include "tests/tidy/text_rules.h"

namespace sidestream::tidy {
namespace {

const SourceTree& tree() {
  static const SourceTree read = SourceTree::read(SIDESTREAM_SOURCE_DIR);
  return read;
}

void expect_clean(const Findings& findings) {
  for (const std::string& found : findings) ADD_FAILURE() << found;
}

TEST(Tidy, ReadsTheTree) {
  EXPECT_GT(tree().files().size(), 50U);
  ASSERT_TRUE(tree().exists("streams/ip_address.h"));
  EXPECT_FALSE(tree().find("streams/ip_address.h")->includes().empty());
}

TEST(Tidy, Layers) {
  expect_clean(check_layers(tree()));
}
TEST(Tidy, Cores) {
  expect_clean(check_cores(tree()));
}
TEST(Tidy, Doors) {
  expect_clean(check_doors(tree()));
}
TEST(Tidy, Headers) {
  expect_clean(check_headers(tree()));
}
TEST(Tidy, Calls) {
  expect_clean(check_calls(tree()));
}
TEST(Tidy, Names) {
  expect_clean(check_names(tree()));
}
TEST(Tidy, Sizes) {
  expect_clean(check_sizes(tree()));
}
TEST(Tidy, Whitespace) {
  expect_clean(check_whitespace(tree()));
}
TEST(Tidy, Leftovers) {
  expect_clean(check_leftovers(tree()));
}
TEST(Tidy, TestsExist) {
  expect_clean(check_tests_exist(tree()));
}
TEST(Tidy, FuzzTargets) {
  expect_clean(check_fuzz_targets(tree()));
}
TEST(Tidy, SourcesListed) {
  expect_clean(check_sources_listed(tree()));
}
TEST(Tidy, Examples) {
  expect_clean(check_examples(tree()));
}
TEST(Tidy, Documents) {
  expect_clean(check_documents(tree()));
}
TEST(Tidy, Scripts) {
  expect_clean(check_scripts(tree()));
}

TEST(Tidy, Presets) {
  const SourceFile* presets = tree().find("CMakePresets.json");
  ASSERT_NE(presets, nullptr);
  for (const char* name : {"release", "dev", "tsan", "clang", "fuzz"})
    EXPECT_NE(presets->text().find("\"name\": \"" + std::string(name) + "\""), std::string::npos)
        << name;
}

}  // namespace
}  // namespace sidestream::tidy
