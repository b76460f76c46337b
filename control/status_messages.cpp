#include "control/status_messages.h"

#include <array>
#include <limits>

#include "control/json_fields.h"

namespace sidestream::control {
namespace {

constexpr std::uint64_t number_max = std::numeric_limits<std::uint64_t>::max();
// So that a duration in nanoseconds cannot overflow.
constexpr std::uint64_t milliseconds_max = 9'000'000'000'000;
constexpr std::uint64_t microseconds_max = milliseconds_max * 1000;
constexpr std::size_t text_bytes_max = 1024;

constexpr std::array<std::pair<PublishState, std::string_view>, 5> publish_states{{
    {PublishState::published, "published"},
    {PublishState::waiting, "waiting"},
    {PublishState::refused, "refused"},
    {PublishState::withdrawn, "withdrawn"},
    {PublishState::by_name, "by name"},
}};

Json milliseconds_json(Duration time) {
  return Json(std::int64_t{std::chrono::floor<std::chrono::milliseconds>(time).count()});
}
Json milliseconds_json(const std::optional<Duration>& time) {
  return time ? milliseconds_json(*time) : Json();
}
Json microseconds_json(const std::optional<Duration>& time) {
  if (!time) return {};
  return Json(std::int64_t{std::chrono::floor<std::chrono::microseconds>(*time).count()});
}

std::optional<Duration> read_milliseconds(JsonFields& fields, std::string_view name) {
  const auto count = fields.optional_number(name, 0, milliseconds_max);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*count));
}

std::string read_text(JsonFields& fields, std::string_view name) {
  return fields.optional_text(name, text_bytes_max).value_or("");
}

std::uint64_t read_count(JsonFields& fields, std::string_view name) {
  return fields.optional_number(name, 0, number_max).value_or(0);
}

Json tunnel_json(const TunnelStatus& tunnel) {
  return JsonObject{{"remote", tunnel.remote},
                    {"last_handshake_ago_ms", milliseconds_json(tunnel.last_handshake_ago)},
                    {"last_heartbeat_ago_ms", milliseconds_json(tunnel.last_heartbeat_ago)},
                    {"round_trip_us", microseconds_json(tunnel.round_trip)},
                    {"bytes_received", tunnel.bytes_received},
                    {"bytes_sent", tunnel.bytes_sent}};
}

TunnelStatus read_tunnel(JsonFields fields) {
  TunnelStatus tunnel;
  tunnel.remote = read_text(fields, "remote");
  tunnel.last_handshake_ago = read_milliseconds(fields, "last_handshake_ago_ms");
  tunnel.last_heartbeat_ago = read_milliseconds(fields, "last_heartbeat_ago_ms");
  if (const auto count = fields.optional_number("round_trip_us", 0, microseconds_max)) {
    tunnel.round_trip = std::chrono::microseconds(static_cast<std::int64_t>(*count));
  }
  tunnel.bytes_received = read_count(fields, "bytes_received");
  tunnel.bytes_sent = read_count(fields, "bytes_sent");
  return tunnel;
}

// Every element of a list of objects, in order.
template <typename Element>
std::vector<Element> read_list(JsonFields& fields, std::string_view name,
                               Element (*read)(JsonFields)) {
  std::vector<Element> elements;
  const JsonArray& array = fields.array(name, status_elements_max);
  for (std::size_t i = 0; i < array.size(); ++i) {
    elements.push_back(read(fields.element(name, array, i)));
  }
  return elements;
}

template <typename Element>
JsonArray list_json(const std::vector<Element>& elements, Json (*write)(const Element&)) {
  JsonArray array;
  array.reserve(elements.size());
  for (const Element& element : elements) array.push_back(write(element));
  return array;
}

Json predecessor_json(const PredecessorStatus& predecessor) {
  return JsonObject{{"process", predecessor.process},
                    {"version", predecessor.version},
                    {"streams", predecessor.streams}};
}

JsonArray predecessors_json(const std::vector<PredecessorStatus>& predecessors) {
  return list_json(predecessors, &predecessor_json);
}

PredecessorStatus read_predecessor(JsonFields fields) {
  PredecessorStatus predecessor;
  predecessor.process = read_count(fields, "process");
  predecessor.version = read_text(fields, "version");
  predecessor.streams = read_count(fields, "streams");
  return predecessor;
}

// ---- edge --------------------------------------------------------------------------------------

Json edge_endpoint_json(const EdgeEndpointStatus& endpoint) {
  return JsonObject{{"endpoint", endpoint.endpoint},
                    {"service", endpoint.service},
                    {"state", text_of(endpoint.state)},
                    {"reason", endpoint.reason}};
}

EdgeEndpointStatus read_edge_endpoint(JsonFields fields) {
  EdgeEndpointStatus endpoint;
  endpoint.endpoint = read_text(fields, "endpoint");
  endpoint.service = read_text(fields, "service");
  const auto state = parse_endpoint_state(fields.text("state", text_bytes_max));
  if (!state) fields.refuse("state", "expected granted, waiting or refused");
  endpoint.state = state.value_or(EndpointState::refused);
  endpoint.reason = read_text(fields, "reason");
  return endpoint;
}

Json edge_sidecar_json(const EdgeSidecarStatus& sidecar) {
  return JsonObject{{"name", sidecar.name},
                    {"tunnel_address", sidecar.tunnel_address},
                    {"present", sidecar.present},
                    {"version", sidecar.version},
                    {"instance", sidecar.instance},
                    {"tunnel", tunnel_json(sidecar.tunnel)},
                    {"streams", sidecar.streams},
                    {"endpoints", list_json(sidecar.endpoints, &edge_endpoint_json)}};
}

EdgeSidecarStatus read_edge_sidecar(JsonFields fields) {
  EdgeSidecarStatus sidecar;
  sidecar.name = read_text(fields, "name");
  sidecar.tunnel_address = read_text(fields, "tunnel_address");
  sidecar.present = fields.boolean("present");
  sidecar.version = read_text(fields, "version");
  sidecar.instance = read_text(fields, "instance");
  sidecar.tunnel = read_tunnel(fields.object("tunnel"));
  sidecar.streams = read_count(fields, "streams");
  sidecar.endpoints = read_list(fields, "endpoints", &read_edge_endpoint);
  return sidecar;
}

std::pair<std::string, std::uint64_t> read_refused(JsonFields fields) {
  std::string reason = read_text(fields, "reason");
  return {std::move(reason), read_count(fields, "streams")};
}

EdgeStatus read_edge(JsonFields& fields) {
  EdgeStatus status;
  status.version = read_text(fields, "version");
  status.uptime = read_milliseconds(fields, "uptime_ms").value_or(Duration::zero());
  status.endpoint = read_text(fields, "endpoint");
  status.public_key = read_text(fields, "public_key");
  status.public_address = read_text(fields, "public_address");
  status.public_ports = read_text(fields, "public_ports");
  status.router = read_text(fields, "router");
  status.router_problem = read_text(fields, "router_problem");
  status.streams = read_count(fields, "streams");
  status.streams_in_all = read_count(fields, "streams_in_all");
  status.refused = read_list(fields, "refused", &read_refused);
  status.sidecars = read_list(fields, "sidecars", &read_edge_sidecar);
  status.tunnel_connections = read_count(fields, "tunnel_connections");
  status.timers = read_count(fields, "timers");
  // A program of before there were any says nothing.
  if (fields.has("predecessors"))
    status.predecessors = read_list(fields, "predecessors", &read_predecessor);
  if (fields.has("tunnel_mode")) status.tunnel_mode = read_text(fields, "tunnel_mode");
  if (fields.has("tailnet")) status.tailnet = read_tailnet_status(fields.object("tailnet"));
  return status;
}

// ---- sidecar -----------------------------------------------------------------------------------

Json sidecar_edge_json(const SidecarEdgeStatus& edge) {
  return JsonObject{{"edge", edge.edge},
                    {"tunnel_state", edge.tunnel_state},
                    {"edge_version", edge.edge_version},
                    {"problem", edge.problem},
                    {"tunnel", tunnel_json(edge.tunnel)},
                    {"tunnel_mode", edge.tunnel_mode}};
}

SidecarEdgeStatus read_sidecar_edge(JsonFields fields) {
  SidecarEdgeStatus edge;
  edge.edge = read_text(fields, "edge");
  edge.tunnel_state = read_text(fields, "tunnel_state");
  edge.edge_version = read_text(fields, "edge_version");
  edge.problem = read_text(fields, "problem");
  edge.tunnel = read_tunnel(fields.object("tunnel"));
  if (fields.has("tunnel_mode")) edge.tunnel_mode = read_text(fields, "tunnel_mode");
  return edge;
}

Json service_endpoint_json(const ServiceEndpointStatus& endpoint) {
  return JsonObject{{"endpoint", endpoint.endpoint},
                    {"edge", endpoint.edge},
                    {"state", text_of(endpoint.state)},
                    {"reason", endpoint.reason}};
}

ServiceEndpointStatus read_service_endpoint(JsonFields fields) {
  ServiceEndpointStatus endpoint;
  endpoint.endpoint = read_text(fields, "endpoint");
  endpoint.edge = read_text(fields, "edge");
  const std::string state = fields.text("state", text_bytes_max);
  bool known = false;
  for (const auto& [value, text] : publish_states) {
    if (text != state) continue;
    endpoint.state = value;
    known = true;
  }
  if (!known) fields.refuse("state", "expected published, waiting, refused, withdrawn or by name");
  endpoint.reason = read_text(fields, "reason");
  return endpoint;
}

Json chain_json(const CertificateStatus::Chain& chain) {
  return JsonObject{{"names", chain.names}, {"until", chain.until}, {"sha256", chain.sha256}};
}

CertificateStatus::Chain read_chain(JsonFields fields) {
  CertificateStatus::Chain chain;
  chain.names = read_text(fields, "names");
  chain.until = read_text(fields, "until");
  chain.sha256 = read_text(fields, "sha256");
  return chain;
}

Json backend_json(const BackendStatus& backend) {
  return JsonObject{{"backend", backend.backend},
                    {"health", backend.health},
                    {"health_reason", backend.health_reason},
                    {"streams", backend.streams}};
}

BackendStatus read_backend(JsonFields fields) {
  BackendStatus backend;
  backend.backend = read_text(fields, "backend");
  backend.health = read_text(fields, "health");
  backend.health_reason = read_text(fields, "health_reason");
  backend.streams = read_count(fields, "streams");
  return backend;
}

Json service_json(const ServiceStatus& service) {
  JsonObject json{{"name", service.name},
                  {"backend", service.backend},
                  {"health", service.health},
                  {"health_reason", service.health_reason},
                  {"streams", service.streams},
                  {"endpoints", list_json(service.endpoints, &service_endpoint_json)},
                  {"backends", list_json(service.backends, &backend_json)}};
  if (service.certificate) {
    json.add("certificate_source", service.certificate->source);
    json.add("certificate_problem", service.certificate->problem);
    json.add("certificates", list_json(service.certificate->chains, &chain_json));
  }
  return json;
}

std::optional<CertificateStatus> read_certificate(JsonFields& fields) {
  const JsonArray* chains = fields.optional_array("certificates", status_elements_max);
  if (chains == nullptr) return std::nullopt;
  CertificateStatus certificate;
  certificate.source = read_text(fields, "certificate_source");
  certificate.problem = read_text(fields, "certificate_problem");
  for (std::size_t i = 0; i < chains->size(); ++i)
    certificate.chains.push_back(read_chain(fields.element("certificates", *chains, i)));
  return certificate;
}

ServiceStatus read_service(JsonFields fields) {
  ServiceStatus service;
  service.name = read_text(fields, "name");
  service.backend = read_text(fields, "backend");
  service.health = read_text(fields, "health");
  service.health_reason = read_text(fields, "health_reason");
  service.streams = read_count(fields, "streams");
  service.certificate = read_certificate(fields);
  service.endpoints = read_list(fields, "endpoints", &read_service_endpoint);
  // A program of before there were several says nothing.
  if (fields.has("backends")) service.backends = read_list(fields, "backends", &read_backend);
  return service;
}

Json discovery_json(const DiscoveryStatus& discovery) {
  JsonArray problems;
  for (const std::string& problem : discovery.problems) problems.emplace_back(problem);
  return JsonObject{{"socket", discovery.socket},
                    {"connected", discovery.connected},
                    {"problem", discovery.problem},
                    {"containers", discovery.containers},
                    {"problems", std::move(problems)}};
}

DiscoveryStatus read_discovery(JsonFields fields) {
  DiscoveryStatus discovery;
  discovery.socket = read_text(fields, "socket");
  discovery.connected = fields.boolean("connected");
  discovery.problem = read_text(fields, "problem");
  discovery.containers = read_count(fields, "containers");
  const JsonArray& problems = fields.array("problems", status_elements_max);
  for (std::size_t i = 0; i < problems.size(); ++i)
    discovery.problems.push_back(fields.element_text("problems", problems, i, text_bytes_max));
  return discovery;
}

SidecarStatus read_sidecar(JsonFields& fields) {
  SidecarStatus status;
  status.version = read_text(fields, "version");
  status.uptime = read_milliseconds(fields, "uptime_ms").value_or(Duration::zero());
  status.edges = read_list(fields, "edges", &read_sidecar_edge);
  status.services = read_list(fields, "services", &read_service);
  status.tunnel_connections = read_count(fields, "tunnel_connections");
  status.timers = read_count(fields, "timers");
  if (fields.has("docker")) status.docker = read_discovery(fields.object("docker"));
  // A program of before there were any says nothing.
  if (fields.has("predecessors"))
    status.predecessors = read_list(fields, "predecessors", &read_predecessor);
  if (fields.has("bans")) status.bans = read_banned_networks(fields, "bans", BanLimits{}.bans_max);
  if (fields.has("tailnet")) status.tailnet = read_tailnet_status(fields.object("tailnet"));
  return status;
}

Status read_status(JsonFields& fields) {
  const std::string program = fields.text("program", text_bytes_max);
  if (program == "edge") return read_edge(fields);
  if (program != "sidecar") fields.refuse("program", "expected edge or sidecar");
  return read_sidecar(fields);
}

}  // namespace

std::expected<Status, std::string> parse_status(std::string_view body) {
  JsonLimits limits;
  limits.bytes_max = status_bytes_max;
  limits.values_max = status_bytes_max / 8;
  return read_json<Status>(body, limits, &read_status);
}

std::string serialize(const EdgeStatus& status) {
  JsonArray refused;
  for (const auto& [reason, streams] : status.refused) {
    refused.emplace_back(JsonObject{{"reason", reason}, {"streams", streams}});
  }
  return serialize_json(JsonObject{{"program", "edge"},
                                   {"version", status.version},
                                   {"uptime_ms", milliseconds_json(status.uptime)},
                                   {"endpoint", status.endpoint},
                                   {"public_key", status.public_key},
                                   {"public_address", status.public_address},
                                   {"public_ports", status.public_ports},
                                   {"router", status.router},
                                   {"router_problem", status.router_problem},
                                   {"streams", status.streams},
                                   {"streams_in_all", status.streams_in_all},
                                   {"refused", std::move(refused)},
                                   {"sidecars", list_json(status.sidecars, &edge_sidecar_json)},
                                   {"tunnel_connections", status.tunnel_connections},
                                   {"timers", status.timers},
                                   {"predecessors", predecessors_json(status.predecessors)},
                                   {"tunnel_mode", status.tunnel_mode},
                                   {"tailnet", json_of(status.tailnet)}});
}

std::string serialize(const SidecarStatus& status) {
  return serialize_json(
      JsonObject{{"program", "sidecar"},
                 {"version", status.version},
                 {"uptime_ms", milliseconds_json(status.uptime)},
                 {"edges", list_json(status.edges, &sidecar_edge_json)},
                 {"services", list_json(status.services, &service_json)},
                 {"tunnel_connections", status.tunnel_connections},
                 {"timers", status.timers},
                 {"docker", status.docker ? discovery_json(*status.docker) : Json()},
                 {"bans", banned_networks_json(status.bans)},
                 {"predecessors", predecessors_json(status.predecessors)},
                 {"tailnet", json_of(status.tailnet)}});
}

std::string_view text_of(PublishState state) {
  for (const auto& [value, text] : publish_states) {
    if (value == state) return text;
  }
  return "withdrawn";
}

}  // namespace sidestream::control
