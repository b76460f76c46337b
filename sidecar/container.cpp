#include "sidecar/container.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "streams/message_text.h"

namespace sidestream::sidecar {
namespace {

using control::Json;
using control::JsonObject;

constexpr std::size_t name_bytes_max = 255;
constexpr std::string_view container_mode = "container:";

constexpr control::JsonLimits limits{.bytes_max = ContainerLimits::list_bytes_max,
                                     .depth_max = 32,
                                     .values_max = 1'000'000,
                                     .members_max = 10'000};

std::unexpected<std::string> wrong(std::string_view what) {
  return std::unexpected(std::string(what));
}

std::expected<Json, std::string> read(std::string_view text) {
  auto json = control::parse_json(text, limits);
  if (json) return std::move(*json);
  return std::unexpected("byte " + std::to_string(json.error().offset) + ": " + json.error().what);
}

const JsonObject* object_in(const JsonObject* object, std::string_view name) {
  const Json* value = object == nullptr ? nullptr : object->find(name);
  return value == nullptr ? nullptr : value->object();
}

// Empty when it is not there or is no text.
std::string text_in(const JsonObject* object, std::string_view name) {
  const Json* value = object == nullptr ? nullptr : object->find(name);
  const std::string* text = value == nullptr ? nullptr : value->text();
  return text == nullptr ? "" : *text;
}

bool flag_in(const JsonObject* object, std::string_view name) {
  const Json* value = object == nullptr ? nullptr : object->find(name);
  const bool* flag = value == nullptr ? nullptr : value->boolean();
  return flag != nullptr && *flag;
}

bool is_ours(std::string_view label) {
  return label.starts_with(label_prefix);
}

ContainerHealth health_of(std::string_view text) {
  if (text == "healthy") return ContainerHealth::healthy;
  if (text == "unhealthy") return ContainerHealth::unhealthy;
  if (text == "starting") return ContainerHealth::starting;
  return ContainerHealth::none;  // Docker says `none`, Podman nothing
}

// Podman 4 says `Health`, Podman 3 `Healthcheck`.
ContainerHealth read_health(const JsonObject* state) {
  const JsonObject* health = object_in(state, "Health");
  if (health == nullptr) health = object_in(state, "Healthcheck");
  return health_of(text_in(health, "Status"));
}

void read_networks(const JsonObject* settings, Container& container) {
  const JsonObject* networks = object_in(settings, "Networks");
  if (networks == nullptr) return;
  for (const auto& [name, value] : networks->members()) {
    if (!is_engine_name(name)) continue;
    std::string address = text_in(value.object(), "IPAddress");
    if (address.empty()) address = text_in(value.object(), "GlobalIPv6Address");
    container.networks.push_back({name, std::move(address)});
  }
  std::ranges::sort(container.networks, {}, &ContainerNetwork::name);
}

// `80/tcp`
void read_exposed_ports(const JsonObject* config, Container& container) {
  const JsonObject* ports = object_in(config, "ExposedPorts");
  if (ports == nullptr) return;
  for (const auto& [name, unused] : ports->members()) {
    if (!name.ends_with("/tcp")) continue;
    std::uint16_t port = 0;
    const char* const end = name.data() + name.size() - std::string_view("/tcp").size();
    const auto [stop, code] = std::from_chars(name.data(), end, port);
    if (code == std::errc{} && stop == end && port != 0) container.exposed_ports.push_back(port);
  }
  std::ranges::sort(container.exposed_ports);
}

void read_labels(const JsonObject* config, Container& container) {
  const JsonObject* labels = object_in(config, "Labels");
  if (labels == nullptr) return;
  for (const auto& [name, value] : labels->members())
    if (is_ours(name) && value.text() != nullptr)
      container.labels.emplace_back(name, *value.text());
  std::ranges::sort(container.labels);
}

// `health_status: healthy` of Docker, `health_status` of Podman.
bool matters(std::string_view action) {
  static constexpr std::array<std::string_view, 14> actions{
      "start",  "restart", "die",    "died",    "stop",    "pause",      "unpause",
      "rename", "update",  "remove", "destroy", "connect", "disconnect", "init"};
  return action.starts_with("health_status") || std::ranges::find(actions, action) != actions.end();
}

}  // namespace

std::optional<std::string> Container::network_owner() const {
  if (!network_mode.starts_with(container_mode)) return std::nullopt;
  return network_mode.substr(container_mode.size());
}

bool is_engine_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

std::expected<std::vector<ListedContainer>, std::string> parse_container_list(
    std::string_view body) {
  const auto json = read(body);
  if (!json) return std::unexpected(json.error());
  if (json->array() == nullptr) return wrong("it is not a list of containers");
  if (json->array()->size() > ContainerLimits::containers_max)
    return std::unexpected("it has more than " + std::to_string(ContainerLimits::containers_max) +
                           " containers");
  std::vector<ListedContainer> list;
  for (const Json& item : *json->array()) {
    const std::string id = text_in(item.object(), "Id");
    if (!is_engine_name(id)) return wrong("a container in it has no ID");
    const JsonObject* labels = object_in(item.object(), "Labels");
    const bool has_labels =
        labels != nullptr && std::ranges::any_of(labels->members(), [](const auto& member) {
          return is_ours(member.first);
        });
    list.push_back({id, has_labels});
  }
  return list;
}

std::expected<Container, std::string> parse_container(std::string_view body) {
  const auto json = read(body);
  if (!json) return std::unexpected(json.error());
  const JsonObject* top = json->object();
  const JsonObject* state = object_in(top, "State");
  const JsonObject* config = object_in(top, "Config");
  Container container;
  container.id = text_in(top, "Id");
  container.name = text_in(top, "Name");
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  if (!is_engine_name(container.id) || !is_engine_name(container.name) || state == nullptr)
    return wrong("it does not describe a container");
  container.created = text_in(top, "Created");
  container.running = flag_in(state, "Running") && !flag_in(state, "Paused");
  container.health = read_health(state);
  container.network_mode = text_in(object_in(top, "HostConfig"), "NetworkMode");
  read_networks(object_in(top, "NetworkSettings"), container);
  read_exposed_ports(config, container);
  read_labels(config, container);
  return container;
}

std::expected<std::optional<EngineEvent>, std::string> parse_engine_event(std::string_view line) {
  const auto json = read(line);
  if (!json) return std::unexpected(json.error());
  const JsonObject* top = json->object();
  if (top == nullptr) return wrong("it is not an event");
  // Before API 1.22 there was no other form than `status` and `id`.
  std::string action = text_in(top, "Action");
  if (action.empty()) action = text_in(top, "status");
  if (!matters(action)) return std::nullopt;
  const JsonObject* actor = object_in(top, "Actor");
  EngineEvent event;
  if (text_in(top, "Type") == "network") {
    event.container = text_in(object_in(actor, "Attributes"), "container");
  } else {
    event.container = text_in(actor, "ID");
    if (event.container.empty()) event.container = text_in(top, "id");
  }
  if (!is_engine_name(event.container)) event.container.clear();
  return event;
}

std::string parse_engine_message(std::string_view body) {
  const auto json = read(body);
  return json ? printable(text_in(json->object(), "message"), 300) : "";
}

}  // namespace sidestream::sidecar
