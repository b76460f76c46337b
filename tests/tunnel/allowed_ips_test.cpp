#include "tunnel/allowed_ips.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

std::optional<PeerId> peer_of_json(const boost::json::value& name) {
  if (name.is_null()) return std::nullopt;
  return PeerId{static_cast<unsigned char>(text_of_json(name).at(0))};
}

void run_step(AllowedIps& table, const boost::json::object& step) {
  const std::string operation = text_of_json(step.at("op"));
  if (operation == "clear") {
    table.clear();
  } else if (operation == "remove_peer") {
    table.remove_peer(peer_of_json(step.at("peer")).value());
  } else if (operation == "insert") {
    table.insert(IpPrefix::parse(text_of_json(step.at("prefix"))).value(),
                 peer_of_json(step.at("peer")).value());
  } else if (operation == "remove") {
    const auto peer = peer_of_json(step.at("peer"));
    table.remove(IpPrefix::parse(text_of_json(step.at("prefix"))).value(), peer.value_or(PeerId{}));
  } else {
    const auto found = table.find(IpAddress::parse(text_of_json(step.at("address"))).value());
    if (operation == "lookup") {
      EXPECT_EQ(found, peer_of_json(step.at("peer"))) << text_of_json(step.at("address"));
    } else {
      EXPECT_EQ(operation, "lookup_not");
      EXPECT_NE(found, peer_of_json(step.at("peer"))) << text_of_json(step.at("address"));
    }
  }
}

void run_vector(const char* name, std::size_t steps_expected) {
  const Vector vector = load_vector("wireguard.json", name);
  const auto& steps = vector.inputs.at("steps").as_array();
  EXPECT_EQ(steps.size(), steps_expected);
  AllowedIps table;
  for (const auto& step : steps) run_step(table, step.as_object());
}

TEST(AllowedIps, LinuxSelftest) {
  run_vector("allowedips_kernel_selftest", 195);
}
TEST(AllowedIps, SingleRemovalsV4) {
  run_vector("allowedips_go_ipv4_with_single_removal", 63);
}
TEST(AllowedIps, SingleRemovalsV6) {
  run_vector("allowedips_go_ipv6_with_single_removal", 36);
}

TEST(AllowedIps, ListsThePrefixesOfAPeer) {
  const Vector vector = load_vector("wireguard.json", "allowedips_iteration");
  AllowedIps table;
  for (const auto& step : vector.inputs.at("steps").as_array()) run_step(table, step.as_object());
  table.insert(*IpPrefix::parse("10.1.0.0/16"), PeerId{'b'});
  std::vector<IpPrefix> expected;
  for (const auto& prefix : vector.expect.at("entries_of_peer_a").as_array())
    expected.push_back(IpPrefix::parse(text_of_json(prefix)).value());
  EXPECT_EQ(table.prefixes_of(PeerId{'a'}), expected);
  EXPECT_EQ(table.size(), 6U);
  EXPECT_TRUE(table.prefixes_of(PeerId{'c'}).empty());
}

// Against a list that is searched from end to end.
TEST(AllowedIps, RandomPrefixes) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SeededRandom random(seed);
    const auto random_address = [&](bool v6) {
      std::array<std::uint8_t, 16> bytes{};
      random.fill(bytes);
      // Few different leading bits, so that prefixes meet.
      for (std::size_t i = 0; i < 3; ++i) bytes[i] = static_cast<std::uint8_t>(bytes[i] & 0x81U);
      return v6 ? IpAddress::v6(bytes) : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    };
    AllowedIps table;
    std::map<IpPrefix, PeerId> model;
    for (int i = 0; i < 400; ++i) {
      const bool v6 = random.chance(0.5);
      const IpPrefix prefix(random_address(v6), random.below(v6 ? 129 : 33));
      const PeerId peer{1 + random.below(5)};
      if (random.chance(0.7) || model.empty()) {
        table.insert(prefix, peer);
        model.insert_or_assign(prefix, peer);
      } else if (random.chance(0.95)) {
        const auto victim =
            std::next(model.begin(), random.below(static_cast<std::uint32_t>(model.size())));
        table.remove(victim->first, peer);
        if (victim->second == peer) model.erase(victim);
      } else {
        table.remove_peer(peer);
        std::erase_if(model, [&](const auto& entry) { return entry.second == peer; });
      }
      ASSERT_EQ(table.size(), model.size());
      for (int k = 0; k < 20; ++k) {
        const IpAddress address = random_address(random.chance(0.5));
        std::optional<PeerId> expected;
        unsigned longest = 0;
        for (const auto& [candidate, owner] : model) {
          if (!candidate.contains(address) || candidate.length() < longest) continue;
          longest = candidate.length();
          expected = owner;
        }
        ASSERT_EQ(table.find(address), expected) << "seed " << seed << " step " << i;
      }
    }
    table.clear();
    EXPECT_EQ(table.size(), 0U);
    EXPECT_FALSE(table.find(random_address(false)));
  }
}

}  // namespace
}  // namespace sidestream::tunnel
