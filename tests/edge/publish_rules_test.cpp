#include "edge/publish_rules.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace sidestream::edge {
namespace {

using control::Endpoint;
using control::EndpointPattern;
using control::Reason;

AllowedSidecar sidecar(const std::string& name, std::initializer_list<const char*> allow) {
  AllowedSidecar allowed{.name = name, .tunnel_address = {}, .allow = {}};
  for (const char* pattern : allow) allowed.allow.push_back(*EndpointPattern::parse(pattern));
  return allowed;
}

Endpoint endpoint(const char* text) {
  return *Endpoint::parse(text);
}

PublishRules rules_of(std::initializer_list<AllowedSidecar> sidecars) {
  PublishRules rules;
  const std::vector<AllowedSidecar> list(sidecars);
  rules.set_sidecars(list);
  rules.set_public_ports({{443, 443}, {2222, 2222}, {50001, 50002}});
  return rules;
}

// Who may publish what when the allow lists overlap. Nobody is online: that plays no part.
TEST(PublishRules, PolicyTable) {
  const PublishRules rules = rules_of({
      sidecar("exact", {"a.example.com"}),
      sidecar("wildcard", {"*.example.com"}),
      sidecar("twin", {"*.example.com", ":2222"}),
      sidecar("range", {":2000-3000", ":50000-50099"}),
      sidecar("port", {"b.example.com:50001"}),
      sidecar("nothing", {}),
  });
  struct Row {
    const char* sidecar;
    const char* endpoint;
    Reason reason;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"exact", "a.example.com", Reason::none},
           {"exact", "A.Example.COM.", Reason::none},
           {"exact", "a.example.com:50001", Reason::none},
           {"exact", "a.example.com:8443", Reason::port_not_open},
           {"exact", "b.example.com", Reason::not_allowed},
           {"exact", "x.a.example.com", Reason::not_allowed},
           {"exact", "*.a.example.com", Reason::not_allowed},
           {"exact", "*.example.com", Reason::not_allowed},
           {"exact", ":443", Reason::not_allowed},
           {"wildcard", "a.example.com", Reason::held_by_another},
           {"wildcard", "a.example.com:50001", Reason::held_by_another},
           {"wildcard", "b.example.com", Reason::none},
           {"wildcard", "b.example.com:50001", Reason::held_by_another},
           {"wildcard", "*.example.com", Reason::none},
           {"wildcard", "example.com", Reason::not_allowed},
           {"wildcard", "c.d.example.com", Reason::not_allowed},
           {"twin", "b.example.com", Reason::none},
           {"twin", "*.example.com", Reason::none},
           {"twin", ":2222", Reason::none},
           {"range", ":2222", Reason::held_by_another},
           {"range", ":50002", Reason::none},
           {"range", ":50099", Reason::port_not_open},
           {"range", "a.example.com:50002", Reason::not_allowed},
           {"port", "b.example.com:50001", Reason::none},
           {"port", "b.example.com:50002", Reason::not_allowed},
           {"nothing", "a.example.com", Reason::not_allowed},
           {"stranger", "a.example.com", Reason::not_allowed},
       }) {
    EXPECT_EQ(rules.judge(row.sidecar, endpoint(row.endpoint)).reason, row.reason)
        << row.sidecar << ' ' << row.endpoint;
  }
  EXPECT_EQ(rules.judge("wildcard", endpoint("a.example.com")).owner, "exact");
}

TEST(PublishRules, NamesThatAWildcardMustNotServe) {
  const PublishRules rules = rules_of({
      sidecar("exact", {"a.example.com", "b.example.com:50001", "deep.a.example.com"}),
      sidecar("both", {"*.example.com", "a.example.com", "c.example.com"}),
      sidecar("wildcard", {"*.example.com"}),
  });
  const std::vector<std::string> both{"both"};
  const std::vector<std::string> wildcard{"wildcard"};
  EXPECT_EQ(rules.kept_from(endpoint("*.example.com"), both), std::vector<Endpoint>{});
  EXPECT_EQ(rules.kept_from(endpoint("*.example.com:50001"), both),
            std::vector{endpoint("b.example.com:50001")});
  EXPECT_EQ(rules.kept_from(endpoint("*.example.com"), wildcard),
            (std::vector{endpoint("a.example.com"), endpoint("c.example.com")}));
  EXPECT_EQ(rules.kept_from(endpoint("a.example.com"), wildcard), std::vector<Endpoint>{});
  EXPECT_EQ(rules.kept_from(endpoint(":443"), wildcard), std::vector<Endpoint>{});
}

TEST(PublishRules, PublicPortsText) {
  PublishRules rules;
  EXPECT_EQ(rules.public_ports_text(), "none");
  rules.set_public_ports({{443, 443}, {50001, 50002}});
  EXPECT_EQ(rules.public_ports_text(), "443, 50001-50002");
}

}  // namespace
}  // namespace sidestream::edge
