#include "edge/publish_rules.h"

#include <algorithm>
#include <optional>
#include <set>

namespace sidestream::edge {

using control::Claim;
using control::Endpoint;
using control::EndpointPattern;
using control::Reason;

void PublishRules::set_sidecars(std::span<const AllowedSidecar> sidecars) {
  allow_.clear();
  for (const AllowedSidecar& sidecar : sidecars) allow_.emplace(sidecar.name, sidecar.allow);
}

bool PublishRules::is_public(std::uint16_t port) const {
  return std::ranges::any_of(
      ports_, [port](const PortRange& range) { return range.low <= port && port <= range.high; });
}

control::ClaimVerdict PublishRules::claim(std::string_view sidecar, const Endpoint& endpoint,
                                          std::vector<std::string_view>& others) const {
  const auto own = allow_.find(sidecar);
  if (own == allow_.end()) return {};
  std::vector<std::span<const EndpointPattern>> lists;
  for (const auto& [name, patterns] : allow_) {
    if (name == sidecar) continue;
    others.push_back(name);
    lists.emplace_back(patterns);
  }
  return decide_claim(endpoint, own->second, lists);
}

PublishVerdict PublishRules::judge(std::string_view sidecar, const Endpoint& endpoint) const {
  std::vector<std::string_view> others;
  const control::ClaimVerdict verdict = claim(sidecar, endpoint, others);
  switch (verdict.claim) {
    case Claim::not_covered:
      return {Reason::not_allowed, {}};
    case Claim::owned_by_other:
      return {Reason::held_by_another, std::string(others[verdict.owner])};
    case Claim::granted:
      break;
  }
  if (!is_public(endpoint.port)) return {Reason::port_not_open, {}};
  return {};
}

std::vector<Endpoint> PublishRules::kept_from(const Endpoint& wildcard,
                                              std::span<const std::string> holders) const {
  if (!wildcard.name || !wildcard.name->is_wildcard()) return {};
  std::set<Endpoint> kept;
  for (const auto& [name, patterns] : allow_) {
    for (const EndpointPattern& pattern : patterns) {
      if (!pattern.name || pattern.name->is_wildcard()) continue;
      if (!wildcard.name->matches(*pattern.name)) continue;
      const Endpoint endpoint{.name = pattern.name, .port = wildcard.port};
      if (!pattern.covers(endpoint)) continue;
      const bool all_own_it = std::ranges::all_of(holders, [&](const std::string& holder) {
        std::vector<std::string_view> others;
        return claim(holder, endpoint, others).claim == Claim::granted;
      });
      if (!all_own_it) kept.insert(endpoint);
    }
  }
  return {kept.begin(), kept.end()};
}

std::string PublishRules::public_ports_text() const {
  std::string text;
  for (const PortRange& range : ports_) {
    if (!text.empty()) text += ", ";
    text += std::to_string(range.low);
    if (range.high != range.low) text += '-' + std::to_string(range.high);
  }
  return text.empty() ? "none" : text;
}

}  // namespace sidestream::edge
