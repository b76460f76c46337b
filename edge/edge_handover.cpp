#include "edge/edge_handover.h"

#include <limits>
#include <utility>

#include "control/json_fields.h"

namespace sidestream::edge {
namespace {

using control::Json;
using control::JsonArray;
using control::JsonFields;
using control::JsonObject;

constexpr control::MessageLimits limits;
constexpr std::size_t sidecars_max = 100'000;
constexpr std::size_t endpoints_max = 1'000'000;
constexpr std::size_t ports_max = 65'536;
constexpr std::uint64_t number_max = std::numeric_limits<std::uint64_t>::max();

// ---- out ---------------------------------------------------------------------------------------

Json to_json(const LeaseSuccession::Session& session) {
  return JsonObject{{"number", session.number},
                    {"version", session.version},
                    {"instance", session.instance},
                    {"run", session.run}};
}

Json to_json(const LeaseSuccession::Sidecar& sidecar) {
  JsonArray wanted;
  for (const control::WantedEndpoint& one : sidecar.wanted)
    wanted.emplace_back(JsonObject{{"endpoint", one.endpoint},
                                   {"service", one.service},
                                   {"port", std::uint64_t{one.port}},
                                   {"priority", one.priority}});
  JsonArray bans;
  for (const control::Ban& one : sidecar.bans)
    bans.emplace_back(JsonObject{{"network", one.network.text()},
                                 {"until", std::int64_t{one.until.time_since_epoch().count()}}});
  JsonObject object{{"name", sidecar.name},
                    {"active", sidecar.place.active},
                    {"session", sidecar.place.current},
                    {"sequence", sidecar.place.sequence},
                    {"opened_session", sidecar.place.opened},
                    {"opened", to_json(sidecar.opened)},
                    {"current", to_json(sidecar.current)},
                    {"wanted", std::move(wanted)},
                    {"bans", std::move(bans)}};
  if (sidecar.last_heartbeat)
    object.add("last_heartbeat", std::int64_t{sidecar.last_heartbeat->time_since_epoch().count()});
  return object;
}

Json to_json(const LeaseSuccession& leases) {
  JsonArray sidecars;
  for (const LeaseSuccession::Sidecar& one : leases.sidecars) sidecars.push_back(to_json(one));
  return JsonObject{{"epoch", leases.epoch},
                    {"last_session", leases.last_session},
                    {"last_revision", leases.last_revision},
                    {"sidecars", std::move(sidecars)}};
}

// ---- in ----------------------------------------------------------------------------------------

LeaseSuccession::Session read_session(JsonFields fields) {
  LeaseSuccession::Session session;
  session.number = fields.number("number", 0, number_max);
  session.version = fields.text("version", limits.name_bytes_max);
  session.instance = fields.text("instance", limits.name_bytes_max);
  session.run = fields.text("run", limits.name_bytes_max);
  return session;
}

control::WantedEndpoint read_wanted(JsonFields fields) {
  control::WantedEndpoint wanted;
  wanted.endpoint = fields.text("endpoint", limits.endpoint_bytes_max);
  wanted.service = fields.text("service", limits.name_bytes_max);
  wanted.port = static_cast<std::uint16_t>(fields.number("port", 1, 65'535));
  wanted.priority = static_cast<unsigned>(fields.number("priority", 0, control::priority_max));
  return wanted;
}

control::Ban read_ban(JsonFields fields) {
  constexpr std::uint64_t instant_max = std::numeric_limits<std::int64_t>::max();
  const auto network = control::parse_banned_network(fields.text("network", limits.name_bytes_max));
  if (!network) fields.refuse("network", network.error());
  return {.network = network.value_or(IpPrefix()),
          .until = Instant(std::chrono::nanoseconds(fields.number("until", 0, instant_max)))};
}

LeaseSuccession::Sidecar read_sidecar(JsonFields fields) {
  LeaseSuccession::Sidecar sidecar;
  sidecar.name = fields.text("name", limits.name_bytes_max);
  sidecar.place.active = fields.boolean("active");
  sidecar.place.current = fields.number("session", 0, number_max);
  sidecar.place.sequence = fields.number("sequence", 0, number_max);
  sidecar.place.opened = fields.number("opened_session", 0, number_max);
  sidecar.opened = read_session(fields.object("opened"));
  sidecar.current = read_session(fields.object("current"));
  constexpr std::uint64_t instant_max = std::numeric_limits<std::int64_t>::max();
  if (const auto heartbeat = fields.optional_number("last_heartbeat", 0, instant_max))
    sidecar.last_heartbeat = Instant(std::chrono::nanoseconds(*heartbeat));
  const JsonArray& wanted = fields.array("wanted", endpoints_max);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    sidecar.wanted.push_back(read_wanted(fields.element("wanted", wanted, i)));
  // A process of before there were any says nothing.
  const JsonArray* bans = fields.optional_array("bans", control::BanLimits{}.bans_told_max);
  for (std::size_t i = 0; bans != nullptr && i < bans->size(); ++i)
    sidecar.bans.push_back(read_ban(fields.element("bans", *bans, i)));
  return sidecar;
}

LeaseSuccession read_leases(JsonFields fields) {
  LeaseSuccession leases;
  leases.epoch = fields.number("epoch", 0, number_max);
  leases.last_session = fields.number("last_session", 0, number_max);
  leases.last_revision = fields.number("last_revision", 0, number_max);
  const JsonArray& sidecars = fields.array("sidecars", sidecars_max);
  for (std::size_t i = 0; i < sidecars.size(); ++i)
    leases.sidecars.push_back(read_sidecar(fields.element("sidecars", sidecars, i)));
  return leases;
}

EdgeHandover::Endpoint read_endpoint(JsonFields fields) {
  EdgeHandover::Endpoint endpoint;
  endpoint.sidecar = fields.text("sidecar", limits.name_bytes_max);
  const auto address = SocketAddress::parse(fields.text("address", limits.name_bytes_max));
  if (address)
    endpoint.address = *address;
  else
    fields.refuse("address", "is no address");
  if (const auto local = fields.optional_text("local", limits.name_bytes_max)) {
    endpoint.local = IpAddress::parse(*local);
    if (!endpoint.local) fields.refuse("local", "is no address");
  }
  return endpoint;
}

EdgeHandover read_handover(JsonFields& fields) {
  EdgeHandover handover;
  handover.leases = read_leases(fields.object("leases"));
  const JsonArray& endpoints = fields.array("endpoints", sidecars_max);
  for (std::size_t i = 0; i < endpoints.size(); ++i)
    handover.endpoints.push_back(read_endpoint(fields.element("endpoints", endpoints, i)));
  const JsonArray& ports = fields.array("open_ports", ports_max);
  for (const Json& port : ports) {
    const std::uint64_t* const number = port.unsigned_number();
    if (number == nullptr || *number == 0 || *number > 65'535)
      fields.refuse("open_ports", "has something that is no port");
    else
      handover.open_ports.push_back(static_cast<std::uint16_t>(*number));
  }
  handover.tunnel = control::read_tunnel_handover(fields.object("tunnel"));
  return handover;
}

EdgeIdentity read_identity(JsonFields& fields) {
  EdgeIdentity identity;
  identity.public_key = fields.text("public_key", limits.name_bytes_max);
  identity.tunnel_address = fields.text("tunnel_address", limits.name_bytes_max);
  identity.listen = fields.text("listen", limits.name_bytes_max);
  identity.public_address = fields.text("public_address", limits.name_bytes_max);
  return identity;
}

}  // namespace

std::string difference(const EdgeIdentity& one, const EdgeIdentity& other) {
  std::string keys;
  const auto add = [&](bool same, const char* key) {
    if (!same) keys += (keys.empty() ? "" : ", ") + std::string(key);
  };
  add(one.public_key == other.public_key, "the edge's key in `state`");
  add(one.tunnel_address == other.tunnel_address, "tunnel.network");
  add(one.listen == other.listen, "tunnel.listen");
  add(one.public_address == other.public_address, "public.address");
  return keys;
}

std::string serialize(const EdgeIdentity& identity) {
  return serialize_json(JsonObject{{"public_key", identity.public_key},
                                   {"tunnel_address", identity.tunnel_address},
                                   {"listen", identity.listen},
                                   {"public_address", identity.public_address}});
}

std::string serialize(const EdgeHandover& handover) {
  JsonArray endpoints;
  for (const EdgeHandover::Endpoint& one : handover.endpoints) {
    JsonObject endpoint{{"sidecar", one.sidecar}, {"address", one.address.text()}};
    if (one.local) endpoint.add("local", one.local->text());
    endpoints.emplace_back(std::move(endpoint));
  }
  JsonArray ports;
  for (const std::uint16_t port : handover.open_ports) ports.emplace_back(std::uint64_t{port});
  return serialize_json(JsonObject{{"leases", to_json(handover.leases)},
                                   {"endpoints", std::move(endpoints)},
                                   {"open_ports", std::move(ports)},
                                   {"tunnel", to_json(handover.tunnel)}});
}

std::expected<EdgeIdentity, std::string> parse_edge_identity(std::string_view text) {
  return control::read_json<EdgeIdentity>(text, {}, read_identity);
}

std::expected<EdgeHandover, std::string> parse_edge_handover(std::string_view text) {
  return control::read_json<EdgeHandover>(text, control::handover_json_limits(), read_handover);
}

}  // namespace sidestream::edge
