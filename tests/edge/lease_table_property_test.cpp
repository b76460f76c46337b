#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "edge/lease_table.h"
#include "tests/support/seeded_random.h"

namespace sidestream::edge {
namespace {

using control::EndpointPattern;
using control::Reason;
using control::WantedEndpoint;

// Whatever is said in whatever order, an endpoint is only ever held by sidecars whose allow list
// covers it most specifically, on public ports, by a lease that has not ended.
TEST(LeaseTableProperty, NoEndpointIsHeldByASidecarThatIsNotAllowed) {
  const std::vector<const char*> patterns{
      "*.example.com", "a.example.com", "b.example.com:443", "*.example.com:2222",
      ":2222",         ":2000-3000",    "*.a.example.com"};
  const std::vector<const char*> endpoints{
      "a.example.com",      "A.example.com.",  "b.example.com", "*.example.com",
      "a.example.com:2222", ":2222",           ":443",          "x.a.example.com",
      "*.a.example.com",    "c.example.com:9", "bad name",      ""};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SeededRandom random(seed);
    const auto pick = [&](const auto& list) {
      return list[random.below(static_cast<std::uint32_t>(list.size()))];
    };
    LeaseTable table(seed, "9");
    Instant now{};
    std::vector<AllowedSidecar> allowed;
    std::vector<std::string> sessions{"junk"};
    PublishRules rules;
    std::map<std::string, Instant> heard;
    for (int step = 0; step < 60; ++step) {
      now += std::chrono::milliseconds(random.below(4000));
      const std::string name = "s" + std::to_string(random.below(4));
      switch (random.below(6)) {
        case 0: {
          allowed.clear();
          for (int i = 0; i < 4; ++i) {
            if (random.chance(0.2)) continue;
            AllowedSidecar one{.name = "s" + std::to_string(i),
                               .tunnel_address = IpAddress::v4(random.below(3)),
                               .allow = {}};
            for (std::uint32_t n = random.below(3); n > 0; --n) {
              one.allow.push_back(*EndpointPattern::parse(pick(patterns)));
            }
            allowed.push_back(std::move(one));
          }
          table.set_sidecars(allowed);
          rules.set_sidecars(allowed);
          break;
        }
        case 1: {
          std::vector<PortRange> ports;
          if (random.chance(0.8)) ports.push_back({443, 443});
          if (random.chance(0.8)) ports.push_back({2000, 2222});
          table.set_public_ports(ports);
          rules.set_public_ports(ports);
          break;
        }
        case 2:
          if (const auto answer = table.open_session(name, {1, "", ""})) {
            sessions.push_back(answer->session);
          }
          break;
        case 3:
          if (table.heartbeat(now, name, {pick(sessions), random.below(20) + 1, 0})) {
            heard[name] = now;
          }
          break;
        default: {
          std::vector<WantedEndpoint> wanted;
          for (std::uint32_t n = random.below(5); n > 0; --n) {
            wanted.push_back({pick(endpoints), "w", 1, random.below(3)});
          }
          const std::string session = random.chance(0.7) ? sessions.back() : pick(sessions);
          if (table.put_state(now, name, {session, random.below(20) + 1, wanted})) {
            heard[name] = now;
          }
        }
      }
      table.handle_timeout(now);
      for (const Route& route : table.routes()) {
        std::set<std::string> names;
        for (const RouteTarget& target : route.targets) {
          ASSERT_TRUE(names.insert(target.sidecar).second);
          ASSERT_EQ(rules.judge(target.sidecar, route.endpoint).reason, Reason::none)
              << "seed " << seed << " step " << step << ' ' << route.endpoint.text();
          ASSERT_LT(now, heard.at(target.sidecar) + 8s) << "seed " << seed;
        }
        ASSERT_TRUE(std::ranges::is_sorted(route.targets, std::greater{}, &RouteTarget::priority));
      }
    }
  }
}

}  // namespace
}  // namespace sidestream::edge
