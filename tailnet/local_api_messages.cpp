#include "tailnet/local_api_messages.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "streams/message_text.h"
#include "streams/rfc3339.h"

namespace sidestream::tailnet {
namespace {

using control::Json;
using control::JsonArray;
using control::JsonObject;

constexpr control::JsonLimits json_limits{.bytes_max = LocalApiLimits::answer_bytes_max,
                                          .depth_max = 64,
                                          .values_max = 2'000'000,
                                          .members_max = 8192};

constexpr std::array<std::string_view, backend_state_count> state_names = {
    "Unknown",          "NoState", "InUseOtherUser", "NeedsLogin",
    "NeedsMachineAuth", "Stopped", "Starting",       "Running"};

std::expected<Json, std::string> parse_object(std::string_view body) {
  auto json = control::parse_json(body, json_limits);
  if (!json)
    return std::unexpected("is no JSON: byte " + std::to_string(json.error().offset) + ": " +
                           json.error().what);
  if (json->object() == nullptr) return std::unexpected("is no JSON object");
  return std::move(*json);
}

const Json& member(const Json& json, std::string_view name) {
  static const Json nothing;
  const Json* found = json.object() == nullptr ? nullptr : json.object()->find(name);
  return found == nullptr ? nothing : *found;
}

const JsonArray& list_at(const Json& json, std::string_view name) {
  static const JsonArray nothing;
  const JsonArray* found = member(json, name).array();
  return found == nullptr ? nothing : *found;
}

std::string text_at(const Json& json, std::string_view name) {
  const std::string* text = member(json, name).text();
  return text == nullptr ? "" : printable(*text, LocalApiLimits::text_bytes_max);
}

bool truth_at(const Json& json, std::string_view name, bool otherwise = false) {
  const bool* truth = member(json, name).boolean();
  return truth == nullptr ? otherwise : *truth;
}

// Names of a DNS end in a dot there.
std::string dns_name_at(const Json& json, std::string_view name) {
  std::string text = text_at(json, name);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::vector<std::string> texts_at(const Json& json, std::string_view name) {
  std::vector<std::string> texts;
  for (const Json& one : list_at(json, name))
    if (one.text() != nullptr && texts.size() < LocalApiLimits::list_max)
      texts.push_back(printable(*one.text(), LocalApiLimits::text_bytes_max));
  return texts;
}

// As addresses or as prefixes of full length.
std::vector<IpAddress> addresses_at(const Json& json, std::string_view name) {
  std::vector<IpAddress> addresses;
  for (const Json& one : list_at(json, name)) {
    if (one.text() == nullptr || addresses.size() == LocalApiLimits::list_max) continue;
    if (const auto prefix = IpPrefix::parse(*one.text())) addresses.push_back(prefix->address());
  }
  return addresses;
}

BackendState state_named(std::string_view name) {
  const auto* const found = std::ranges::find(state_names, name);
  return found == state_names.end() ? BackendState::unknown
                                    : static_cast<BackendState>(found - state_names.begin());
}

std::optional<BackendState> state_at(const Json& json, std::string_view name) {
  const std::uint64_t* number = member(json, name).unsigned_number();
  if (number == nullptr) return std::nullopt;
  // The bus counts from NoState on.
  return *number + 1 < backend_state_count ? static_cast<BackendState>(*number + 1)
                                           : BackendState::unknown;
}

// The zero time of Go means never.
std::optional<WallTime> time_at(const Json& json, std::string_view name) {
  const std::string* text = member(json, name).text();
  return text == nullptr ? std::nullopt : parse_rfc3339(*text);
}

SelfNode read_self(const Json& json, std::string_view name, std::string_view addresses) {
  SelfNode self;
  self.name = dns_name_at(json, name);
  self.addresses = addresses_at(json, addresses);
  self.tags = texts_at(json, "Tags");
  self.key_expiry = time_at(json, "KeyExpiry");
  self.expired = truth_at(json, "Expired");
  return self;
}

DaemonStatus read_status(const Json& json) {
  DaemonStatus status;
  status.version = text_at(json, "Version");
  status.state = state_named(text_at(json, "BackendState"));
  status.tun = truth_at(json, "TUN", true);
  status.auth_url = text_at(json, "AuthURL");
  status.self = read_self(member(json, "Self"), "DNSName", "TailscaleIPs");
  if (auto addresses = addresses_at(json, "TailscaleIPs"); !addresses.empty())
    status.self.addresses = std::move(addresses);
  status.health = texts_at(json, "Health");
  const Json& tailnet = member(json, "CurrentTailnet");
  status.tailnet = text_at(tailnet, "Name");
  status.dns_suffix = dns_name_at(tailnet, "MagicDNSSuffix");
  status.certificate_names = texts_at(json, "CertDomains");
  return status;
}

std::vector<HealthWarning> read_warnings(const Json& health) {
  std::vector<HealthWarning> warnings;
  const JsonObject* all = member(health, "Warnings").object();
  if (all == nullptr) return warnings;
  for (const auto& [code, one] : all->members()) {
    if (warnings.size() == LocalApiLimits::list_max || one.object() == nullptr) continue;
    warnings.push_back({.code = printable(code),
                        .title = text_at(one, "Title"),
                        .text = text_at(one, "Text"),
                        .impacts_connectivity = truth_at(one, "ImpactsConnectivity")});
  }
  return warnings;
}

std::optional<Duration> seconds_at(const Json& json, std::string_view name) {
  constexpr double most = 3600;
  const Json& value = member(json, name);
  const auto* fraction = std::get_if<double>(&value.value());
  const std::uint64_t* whole = value.unsigned_number();
  const double seconds = fraction != nullptr ? *fraction
                         : whole != nullptr  ? static_cast<double>(*whole)
                                             : 0;
  if (!(seconds > 0) || seconds > most) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

std::string_view text_of(BackendState state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::expected<DaemonStatus, std::string> parse_status(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  return read_status(*json);
}

std::expected<BusMessage, std::string> parse_bus_message(std::string_view line) {
  const auto json = parse_object(line);
  if (!json) return std::unexpected(json.error());
  BusMessage message;
  message.state = state_at(*json, "State");
  if (member(*json, "BrowseToURL").text() != nullptr)
    message.auth_url = text_at(*json, "BrowseToURL");
  if (member(*json, "Health").object() != nullptr)
    message.warnings = read_warnings(member(*json, "Health"));
  // Before 1.98 the own node came inside the netmap.
  const Json& change = member(*json, "SelfChange");
  const Json& self =
      change.object() != nullptr ? change : member(member(*json, "NetMap"), "SelfNode");
  if (self.object() != nullptr) message.self = read_self(self, "Name", "Addresses");
  message.error = text_at(*json, "ErrMessage");
  return message;
}

bool Identity::has_tag(std::string_view tag) const {
  return std::ranges::find(tags, tag) != tags.end();
}

const JsonArray* Identity::find_capability(std::string_view name) const {
  const auto found = std::ranges::find(
      capabilities, name, [](const auto& one) -> std::string_view { return one.first; });
  return found == capabilities.end() ? nullptr : &found->second;
}

std::expected<Identity, std::string> parse_identity(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  const Json& node = member(*json, "Node");
  Identity identity;
  identity.node = dns_name_at(node, "Name");
  identity.stable_id = text_at(node, "StableID");
  identity.addresses = addresses_at(node, "Addresses");
  identity.tags = texts_at(node, "Tags");
  if (identity.tags.empty()) identity.user = text_at(member(*json, "UserProfile"), "LoginName");
  // Who is nobody must not be taken for somebody.
  if (identity.stable_id.empty() || (identity.tags.empty() && identity.user.empty()))
    return std::unexpected("names neither a node with tags nor a user");
  const JsonObject* capabilities = member(*json, "CapMap").object();
  if (capabilities == nullptr) return identity;
  for (const auto& [name, values] : capabilities->members())
    if (identity.capabilities.size() < LocalApiLimits::list_max)
      identity.capabilities.emplace_back(name,
                                         values.array() == nullptr ? JsonArray() : *values.array());
  return identity;
}

std::expected<PeerPath, std::string> parse_ping(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  PeerPath path;
  path.error = text_at(*json, "Err");
  path.endpoint = text_at(*json, "Endpoint");
  path.relay = text_at(*json, "PeerRelay");
  if (path.relay.empty()) path.relay = text_at(*json, "DERPRegionCode");
  path.round_trip = seconds_at(*json, "LatencySeconds");
  return path;
}

std::expected<Preferences, std::string> parse_preferences(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  return Preferences{.control_url = text_at(*json, "ControlURL"),
                     .wants_running = truth_at(*json, "WantRunning"),
                     .shields_up = truth_at(*json, "ShieldsUp"),
                     .accepts_dns = truth_at(*json, "CorpDNS"),
                     .accepts_routes = truth_at(*json, "RouteAll")};
}

std::expected<std::vector<std::uint16_t>, std::string> parse_served_ports(std::string_view body) {
  std::vector<std::uint16_t> ports;
  // A node that serves nothing has none.
  if (body.starts_with("null")) return ports;
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  const JsonObject* all = member(*json, "TCP").object();
  if (all == nullptr) return ports;
  for (const auto& [name, one] : all->members()) {
    std::uint16_t port = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, port);
    if (error == std::errc{} && stop == end && ports.size() < LocalApiLimits::list_max)
      ports.push_back(port);
  }
  return ports;
}

std::string error_text(std::string_view body) {
  if (const auto json = parse_object(body)) {
    if (std::string text = text_at(*json, "error"); !text.empty()) return text;
  }
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
  return printable(body, LocalApiLimits::text_bytes_max);
}

}  // namespace sidestream::tailnet
