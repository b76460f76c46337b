// What a container engine tells of a container, read from its API: Docker Engine 1.24 to 1.5x, and
// Podman's compatible one. Members that a sidecar does not need are ignored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/json.h"

namespace sidestream::sidecar {

// Labels with this beginning are ours.
inline constexpr std::string_view label_prefix = "sidestream.";

struct ContainerLimits {
  static constexpr std::size_t containers_max = 4096;  // of one engine
  static constexpr std::size_t labelled_max = 256;     // of those, with labels of ours
  static constexpr std::size_t list_bytes_max = 16UL * 1024 * 1024;
  static constexpr std::size_t container_bytes_max = 4UL * 1024 * 1024;
  static constexpr std::size_t ping_bytes_max = 64UL * 1024;
  static constexpr std::size_t event_bytes_max = 256UL * 1024;
};

enum class ContainerHealth : std::uint8_t { none, starting, healthy, unhealthy };

struct ContainerNetwork {
  std::string name;
  std::string address;  // empty: it has none there
  bool operator==(const ContainerNetwork&) const = default;
};

struct Container {
  std::string id;
  std::string name;  // without the slash in front of it
  std::string created;
  bool running = false;  // and not paused
  ContainerHealth health = ContainerHealth::none;
  std::string network_mode;                  // `bridge`, `host`, `none`, `container:ID`, a name, …
  std::vector<ContainerNetwork> networks;    // by name
  std::vector<std::uint16_t> exposed_ports;  // of TCP
  std::vector<std::pair<std::string, std::string>> labels;  // of ours, by name
  bool operator==(const Container&) const = default;

  // Whose network it has, in place of one of its own.
  [[nodiscard]] std::optional<std::string> network_owner() const;
};

// One of the running containers.
struct ListedContainer {
  std::string id;
  bool has_labels = false;  // of ours
};

// Something that happened to a container.
struct EngineEvent {
  std::string container;  // its ID; empty: the event does not say whose it is
  bool operator==(const EngineEvent&) const = default;
};

// Errors are one sentence with the place, for a person.

// The answer to GET /containers/json.
[[nodiscard]] std::expected<std::vector<ListedContainer>, std::string> parse_container_list(
    std::string_view body);
// The answer to GET /containers/ID/json.
[[nodiscard]] std::expected<Container, std::string> parse_container(std::string_view body);
// A line of GET /events; nothing when it tells of nothing that matters here.
[[nodiscard]] std::expected<std::optional<EngineEvent>, std::string> parse_engine_event(
    std::string_view line);
// What an engine says that refuses something, or nothing.
[[nodiscard]] std::string parse_engine_message(std::string_view body);

// Names of containers and networks and IDs, as engines make them; nothing else is put into a
// request or shown.
[[nodiscard]] bool is_engine_name(std::string_view text);

}  // namespace sidestream::sidecar
