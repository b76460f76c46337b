#include "edge/routers/traefik_document.h"

#include <algorithm>
#include <utility>

#include "control/json.h"
#include "streams/host_port.h"

namespace sidestream::edge {
namespace {

using control::Json;
using control::JsonArray;
using control::JsonObject;

constexpr std::string_view prefix = "sidestream-";
constexpr control::JsonLimits answer_limits{
    .bytes_max = 64UL << 20U, .depth_max = 32, .values_max = 2'000'000, .members_max = 200'000};

const std::string* text_of(const JsonObject& object, std::string_view name) {
  const Json* value = object.find(name);
  return value == nullptr ? nullptr : value->text();
}

// `:443`, `0.0.0.0:443/tcp`; those of UDP have none.
std::optional<std::uint16_t> tcp_port(std::string_view address) {
  if (address.ends_with("/udp")) return std::nullopt;
  address = address.substr(0, address.find('/'));
  const auto port = parse_port_number(address.substr(address.rfind(':') + 1));
  return port ? std::optional(*port) : std::nullopt;
}

std::string rule_of(const control::Endpoint& endpoint) {
  if (!endpoint.name) return "HostSNI(`*`)";
  const std::string& name = endpoint.name->text();
  if (!endpoint.name->is_wildcard()) return "HostSNI(`" + name + "`)";
  std::string pattern;
  for (const char c : name.substr(1)) {
    if (c == '.') pattern += '\\';
    pattern += c;
  }
  return "HostSNIRegexp(`^[^.]+" + pattern + "$`)";
}

std::string name_of(const control::Endpoint& endpoint) {
  std::string name = std::string(prefix) + std::to_string(endpoint.port);
  if (!endpoint.name) return name;
  const std::string& text = endpoint.name->text();
  return name + "-" + (endpoint.name->is_wildcard() ? "any" + text.substr(1) : text);
}

std::set<std::uint16_t> ports_with_names(const std::set<control::Endpoint>& endpoints) {
  std::set<std::uint16_t> ports;
  for (const control::Endpoint& endpoint : endpoints)
    if (endpoint.name) ports.insert(endpoint.port);
  return ports;
}

// Whether Traefik has this one, as we would have it.
bool has(const JsonObject& routers, const TraefikRouter& wanted, std::string_view provider) {
  const Json* found = routers.find(wanted.name + "@" + std::string(provider));
  if (found == nullptr || found->object() == nullptr) return false;
  const JsonObject& router = *found->object();
  const std::string* status = text_of(router, "status");
  const std::string* rule = text_of(router, "rule");
  return rule != nullptr && *rule == wanted.rule && router.find("error") == nullptr &&
         (status == nullptr || *status == "enabled");
}

}  // namespace

std::optional<TraefikEntryPoints> parse_traefik_entry_points(std::string_view answer) {
  const auto json = control::parse_json(answer, answer_limits);
  if (!json || json->array() == nullptr) return std::nullopt;
  TraefikEntryPoints entry_points;
  for (const Json& one : *json->array()) {
    if (one.object() == nullptr) continue;
    const std::string* name = text_of(*one.object(), "name");
    const std::string* address = text_of(*one.object(), "address");
    if (name == nullptr || address == nullptr) continue;
    if (const auto port = tcp_port(*address)) entry_points.try_emplace(*port, *name);
  }
  return entry_points;
}

std::vector<TraefikRouter> traefik_routers(const control::Endpoint& endpoint,
                                           const TraefikEntryPoints& entry_points,
                                           bool port_has_names) {
  const auto entry_point = entry_points.find(endpoint.port);
  if (entry_point == entry_points.end()) return {};
  const TraefikRouter router{.name = name_of(endpoint),
                             .rule = rule_of(endpoint),
                             .entry_point = entry_point->second,
                             .passthrough = endpoint.name.has_value()};
  if (endpoint.name || !port_has_names) return {router};
  TraefikRouter rest = router;
  rest.name += "-tls";
  rest.passthrough = true;
  return {router, rest};
}

std::string traefik_document(const std::set<control::Endpoint>& endpoints,
                             const TraefikEntryPoints& entry_points, const std::string& inlet) {
  JsonObject routers;
  const auto named = ports_with_names(endpoints);
  for (const control::Endpoint& endpoint : endpoints) {
    for (const TraefikRouter& one :
         traefik_routers(endpoint, entry_points, named.contains(endpoint.port))) {
      JsonObject router{{"entryPoints", JsonArray{Json(one.entry_point)}},
                        {"rule", Json(one.rule)},
                        {"service", Json("sidestream")}};
      if (one.passthrough) router.add("tls", Json(JsonObject{{"passthrough", Json(true)}}));
      routers.add(one.name, Json(std::move(router)));
    }
  }
  // Without the delay Traefik cuts a stream 100 ms after one side has ended its direction.
  const JsonObject balancer{
      {"servers", Json(JsonArray{Json(JsonObject{{"address", Json(inlet)}})})},
      {"proxyProtocol", Json(JsonObject{{"version", Json(2)}})},
      {"terminationDelay", Json(-1)}};
  const JsonObject services{{"sidestream", Json(JsonObject{{"loadBalancer", Json(balancer)}})}};
  // A document without anything is skipped by Traefik; one with a service and no router is not.
  JsonObject tcp;
  if (!routers.members().empty()) tcp.add("routers", Json(std::move(routers)));
  tcp.add("services", Json(services));
  return control::serialize_json(Json(JsonObject{{"tcp", Json(tcp)}}));
}

std::optional<std::set<control::Endpoint>> parse_traefik_held(
    std::string_view answer, const std::set<control::Endpoint>& endpoints,
    const TraefikEntryPoints& entry_points, std::string_view provider) {
  const auto json = control::parse_json(answer, answer_limits);
  if (!json || json->object() == nullptr) return std::nullopt;
  const Json* found = json->object()->find("tcpRouters");
  std::set<control::Endpoint> held;
  if (found == nullptr || found->object() == nullptr) return held;
  const auto named = ports_with_names(endpoints);
  for (const control::Endpoint& endpoint : endpoints) {
    const auto routers = traefik_routers(endpoint, entry_points, named.contains(endpoint.port));
    if (!routers.empty() && std::ranges::all_of(routers, [&](const TraefikRouter& one) {
          return has(*found->object(), one, provider);
        }))
      held.insert(endpoint);
  }
  return held;
}

}  // namespace sidestream::edge
