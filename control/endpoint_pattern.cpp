#include "control/endpoint_pattern.h"

#include <algorithm>

#include "control/endpoint_notation.h"

namespace sidestream::control {
namespace {

std::uint32_t ports_excluded(const EndpointPattern& pattern) {
  return 65534U - (std::uint32_t{pattern.port_high} - pattern.port_low);
}

}  // namespace

std::expected<EndpointPattern, std::string> EndpointPattern::parse(std::string_view text) {
  auto parts = split_endpoint(text);
  if (!parts) return std::unexpected(std::move(parts.error()));
  EndpointPattern pattern{.name = std::move(parts->name)};
  if (!parts->ports) return pattern;

  const std::size_t dash = parts->ports->find('-');
  auto low = parse_port(parts->ports->substr(0, dash), text);
  if (!low) return std::unexpected(std::move(low.error()));
  pattern.port_low = pattern.port_high = *low;
  if (dash == std::string_view::npos) return pattern;

  auto high = parse_port(parts->ports->substr(dash + 1), text);
  if (!high) return std::unexpected(std::move(high.error()));
  if (*high < *low)
    return std::unexpected(endpoint_error(text, "the lower port of a range comes first"));
  pattern.port_high = *high;
  return pattern;
}

std::string EndpointPattern::text() const {
  const std::string name_text = name ? name->text() : std::string();
  if (name && port_low == 1 && port_high == 65535) return name_text;
  const std::string low = name_text + ":" + std::to_string(port_low);
  return port_low == port_high ? low : low + "-" + std::to_string(port_high);
}

bool EndpointPattern::covers(const Endpoint& endpoint) const {
  if (endpoint.port < port_low || endpoint.port > port_high) return false;
  if (!name || !endpoint.name) return !name && !endpoint.name;
  return name->matches(*endpoint.name);
}

std::optional<Specificity> coverage(std::span<const EndpointPattern> patterns,
                                    const Endpoint& endpoint) {
  std::optional<Specificity> best;
  for (const EndpointPattern& pattern : patterns) {
    if (!pattern.covers(endpoint)) continue;
    const Specificity one{.exact_name = pattern.name == endpoint.name,
                          .ports_excluded = ports_excluded(pattern)};
    best = best ? std::max(*best, one) : one;
  }
  return best;
}

ClaimVerdict decide_claim(const Endpoint& endpoint, std::span<const EndpointPattern> own,
                          std::span<const std::span<const EndpointPattern>> others) {
  const std::optional<Specificity> ours = coverage(own, endpoint);
  if (!ours) return {.claim = Claim::not_covered};
  for (std::size_t i = 0; i < others.size(); ++i)
    if (const auto theirs = coverage(others[i], endpoint); theirs && *theirs > *ours)
      return {.claim = Claim::owned_by_other, .owner = i};
  return {.claim = Claim::granted};
}

}  // namespace sidestream::control
