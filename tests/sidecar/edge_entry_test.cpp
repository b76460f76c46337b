#include "sidecar/edge_entry.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_fixture.h"

namespace sidestream::sidecar {
namespace {

std::vector<EdgeEntry> read(std::string_view yaml, std::string expected = "") {
  std::vector<EdgeEntry> entries;
  EXPECT_EQ(problems_of_reading(
                yaml, [&](const ConfigurationValue& value) { entries = read_edges(value); }),
            expected);
  return entries;
}

TEST(EdgeEntry, ComesFromATicketWithTheKeysOfItsSecret) {
  const auto entries = read("ticket: ${TICKET}");  // one alone needs no list
  ASSERT_EQ(entries.size(), 1U);
  const EdgeEntry& entry = entries[0];
  EXPECT_EQ(entry.name(), "vps.example.com:51820");
  EXPECT_EQ(entry.endpoints.size(), 2U);
  EXPECT_EQ(entry.private_key,
            tunnel::PrivateKey::parse("EL8/ZI3Bz12TSGVjvwRml8NzTYRxEC50KgiagMOTTnk="));
  EXPECT_EQ(entry.own_public_key.text(), "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=");
  EXPECT_EQ(entry.preshared_key,
            tunnel::PresharedKey::parse("SxEg5sfHVEP6noMv65Q671AkvN/MFUnY7wnvFfjfKnw="));
  EXPECT_EQ(entry.edge_address.text(), "10.86.0.1");
  EXPECT_EQ(entry.own_address.text(), "10.86.0.2");
  EXPECT_EQ(entry.prefix_length, 24U);
}

TEST(EdgeEntry, NeedsNoPresharedKey) {
  const auto entries = read(
      "endpoint: vps.example.com:51820\n"
      "public_key: SxEg5sfHVEP6noMv65Q671AkvN/MFUnY7wnvFfjfKnw=\n"
      "private_key: ${file:/run/secrets/private_key}\n"
      "address: 10.86.0.2\n"
      "edge_address: 10.86.0.1\n");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_TRUE(entries[0].preshared_key.is_zero());
  EXPECT_EQ(entries[0].own_public_key.text(), "gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=");
}

TEST(EdgeEntry, SaysWhatIsWrong) {
  read("[]", "f:1:1: is an empty list");
  read("", "f:1:1: has no value");
  read("{}", "f:1:1: the key \"ticket\" is missing; add `ticket: ${SIDESTREAM_TICKET}`");
  read("${TICKET}", "f:1:1: expected `ticket: ss1_…`, or the keys of an edge, not \"${TICKET}\"");
  read("[{ticket: '${TICKET}'}, {ticket: '${TICKET}'}]",
       "f:1:25: [1]: this is the same edge as [0]; one entry for each edge, remove one of the two");
}

}  // namespace
}  // namespace sidestream::sidecar
