#include "edge/sidecar_entry_reader.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_fixture.h"

namespace sidestream::edge {
namespace {

constexpr std::string_view key = "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=";

std::vector<SidecarEntry> read(std::string_view yaml, std::string expected = "") {
  std::vector<SidecarEntry> entries;
  EXPECT_EQ(problems_of_reading(yaml,
                                [&](const ConfigurationValue& value) {
                                  entries = read_sidecar_entries(value, EdgeConfiguration());
                                }),
            expected);
  return entries;
}

TEST(SidecarEntryReader, ReadsEntries) {
  const auto entries = read("a: {public_key: " + std::string(key) + ", allow: [a.example.com]}");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].public_key.text(), key);
  EXPECT_TRUE(entries[0].preshared_key.is_zero());
  EXPECT_FALSE(entries[0].address);
  EXPECT_EQ(entries[0].allow[0].text(), "a.example.com");
}

TEST(SidecarEntryReader, AcceptsNone) {
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("{}").empty());
}

TEST(SidecarEntryReader, AsksForWhatIsMissing) {
  read("a:",
       "f:1:1: a: the key \"public_key\" is missing; add `public_key: KEY-OF-THE-SIDECAR`\n"
       "f:1:1: a: the key \"allow\" is missing; add `allow: [NAME, \":PORT\"]`");
}

TEST(SidecarEntryReader, RefusesPatternsThatNoPublicPortServes) {
  read("a: {public_key: " + std::string(key) + ", allow: [':443', ':2222', 'a.b:444-999']}",
       "f:1:79: a.allow[1]: \":2222\" is on no port of public.ports; add its port there, or remove "
       "this\n"
       "f:1:88: a.allow[2]: \"a.b:444-999\" is on no port of public.ports; add its port there, or "
       "remove this");
}

TEST(SidecarEntryReader, IsBounded) {
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "s" + std::to_string(i) + ": {}\n";
  read(many, "f:1:1: has 1001 sidecars; 1000 are allowed");
}

}  // namespace
}  // namespace sidestream::edge
