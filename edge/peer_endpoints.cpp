#include "edge/peer_endpoints.h"

#include <utility>

#include "control/json.h"
#include "control/json_fields.h"
#include "edge/sidecar_registry.h"

namespace sidestream::edge {
namespace {

constexpr unsigned state_version = 1;

}  // namespace

void PeerEndpoints::set(std::string_view sidecar, const PeerEndpoint& endpoint) {
  const auto known = endpoints_.find(sidecar);
  if (known != endpoints_.end())
    known->second = endpoint;
  else if (endpoints_.size() < sidecars_max)
    endpoints_.emplace(sidecar, endpoint);
}

void PeerEndpoints::forget(std::string_view sidecar) {
  if (const auto known = endpoints_.find(sidecar); known != endpoints_.end())
    endpoints_.erase(known);
}

std::optional<PeerEndpoint> PeerEndpoints::find(std::string_view sidecar) const {
  const auto known = endpoints_.find(sidecar);
  return known == endpoints_.end() ? std::nullopt : std::optional(known->second);
}

std::string PeerEndpoints::serialize() const {
  control::JsonArray endpoints;
  for (const auto& [sidecar, endpoint] : endpoints_) {
    control::JsonObject entry{{"sidecar", sidecar}, {"endpoint", endpoint.remote.text()}};
    if (endpoint.local) entry.add("local", endpoint.local->text());
    endpoints.emplace_back(std::move(entry));
  }
  return control::serialize_json(
             control::JsonObject{{"version", state_version}, {"endpoints", std::move(endpoints)}}) +
         "\n";
}

std::expected<void, std::string> PeerEndpoints::load(std::string_view text) {
  control::JsonLimits json_limits;
  json_limits.bytes_max = std::size_t{1} << 20U;
  json_limits.values_max = 5 * sidecars_max;
  const auto json = control::parse_json(text, json_limits);
  if (!json) return std::unexpected(json.error().what);
  control::JsonProblem problem;
  control::JsonFields fields(*json, "", problem);
  const auto version = fields.number("version", 1, 1'000'000);
  if (problem.empty() && version != state_version)
    return std::unexpected("it was written by a newer version of sidestream");
  const control::JsonArray& entries = fields.array("endpoints", sidecars_max);
  PeerEndpoints loaded;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    control::JsonFields entry = fields.element("endpoints", entries, i);
    const std::string sidecar = entry.text("sidecar", RegistryLimits::name_bytes_max);
    const auto endpoint = SocketAddress::parse(entry.text("endpoint", 64));
    // Not there in what an earlier version wrote.
    const auto written = entry.optional_text("local", 64);
    const auto local = written ? IpAddress::parse(*written) : std::nullopt;
    if (!problem.empty()) return std::unexpected(problem);
    if (!endpoint || (written && !local))
      return std::unexpected("endpoints[" + std::to_string(i) + "] is no address");
    loaded.set(sidecar, {*endpoint, local});
  }
  if (!problem.empty()) return std::unexpected(problem);
  *this = std::move(loaded);
  return {};
}

}  // namespace sidestream::edge
