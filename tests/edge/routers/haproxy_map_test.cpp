#include "edge/routers/haproxy_map.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sidestream::edge {
namespace {

using Endpoints = std::set<control::Endpoint>;
using Entries = std::vector<HaproxyEntry>;

Endpoints endpoints(std::initializer_list<std::string_view> texts) {
  Endpoints all;
  for (const std::string_view text : texts) all.insert(control::Endpoint::parse(text).value());
  return all;
}

// The commands as one text, `|` in place of line ends.
std::string commands(const Entries& entries, const std::set<std::string>& wanted,
                     bool keep_others = false) {
  std::string text;
  for (const std::string& line : haproxy_map_commands("3", entries, wanted, keep_others).lines)
    text += line;
  std::ranges::replace(text, '\n', '|');
  return text;
}

TEST(HaproxyMap, HasAKeyForEachEndpointAndForEachPort) {
  EXPECT_EQ(haproxy_keys(endpoints({"a.test", "*.b.test:50001", ":50001"})),
            (std::set<std::string>{"a.test:443", "443", "*.b.test:50001", ":50001", "50001"}));
}

TEST(HaproxyMap, WhatIsMissingIsAddedAsOnePayload) {
  EXPECT_EQ(commands({}, {"443", "a.test:443"}),
            "add map #3 <<|443 sidestream|a.test:443 sidestream||");
}

TEST(HaproxyMap, WhatIsThereIsNotAddedAgain) {
  EXPECT_EQ(commands({{"0x1", "443", "sidestream"}}, {"443"}), "");
}

TEST(HaproxyMap, AKeyOfOursThatLeadsElsewhereIsSetRight) {
  EXPECT_EQ(commands({{"0x1", "443", "other"}}, {"443"}), "set map #3 #0x1 sidestream|");
}

TEST(HaproxyMap, OnlyTheFirstOfSeveralEntriesStays) {
  EXPECT_EQ(commands({{"0x1", "443", "sidestream"},
                      {"0x2", "443", "sidestream"},
                      {"0x3", "443", "sidestream"}},
                     {"443"}),
            "del map #3 #0x2;del map #3 #0x3|");
}

TEST(HaproxyMap, EntriesOfOthersStay) {
  EXPECT_EQ(
      commands({{"0x1", "mine.test:443", "other"}, {"0x2", "old.test:443", "sidestream"}}, {}),
      "del map #3 #0x2|");
  EXPECT_EQ(commands({{"0x2", "old.test:443", "sidestream"}}, {}, true), "");
}

TEST(HaproxyMap, LongListsAreCutIntoSeveralLines) {
  std::set<std::string> wanted;
  Entries entries;
  for (int i = 0; i < 1000; ++i) {
    wanted.insert("name" + std::to_string(i) + ".example.com:443");
    entries.push_back({"0x" + std::to_string(i), "old" + std::to_string(i), "sidestream"});
  }
  const HaproxyCommands found = haproxy_map_commands("3", entries, wanted, false);
  EXPECT_EQ(found.entries, 2000U);
  EXPECT_GT(found.lines.size(), 10U);
  for (const std::string& line : found.lines) {
    EXPECT_LE(line.size(), haproxy_command_bytes_max);
    EXPECT_TRUE(line.ends_with('\n'));
  }
}

TEST(HaproxyMap, AnEndpointIsHeldByItsFirstEntryAndItsPort) {
  const Endpoints wanted = endpoints({"a.test", "b.test", ":2222"});
  EXPECT_EQ(haproxy_held({{"0x1", "443", "sidestream"},
                          {"0x2", "a.test:443", "sidestream"},
                          {"0x3", "b.test:443", "other"},
                          {"0x4", "b.test:443", "sidestream"},
                          {"0x5", ":2222", "sidestream"}},
                         wanted),
            endpoints({"a.test"}));
}

TEST(HaproxyMap, TheFileKeepsWhatIsNotOurs) {
  const std::string before = "# mine\nmine.test:443 other\nold.test:443 sidestream\n";
  EXPECT_EQ(haproxy_map_file(before, {"443"}, false),
            "# mine\nmine.test:443 other\n443 sidestream\n");
  EXPECT_EQ(haproxy_map_file(before, {"443"}, true),
            "# mine\nmine.test:443 other\n443 sidestream\nold.test:443 sidestream\n");
  const std::string after = haproxy_map_file(before, {"443"}, false);
  EXPECT_EQ(haproxy_map_file(after, {"443"}, false), after);
}

}  // namespace
}  // namespace sidestream::edge
