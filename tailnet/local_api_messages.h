// What the Tailscale daemon answers on its LocalAPI, as values: status, who somebody is, lines of
// the bus, paths to peers. Names of members are those of Tailscale's Go types (ipn/ipnstate,
// tailcfg, ipn.Notify) at v1.24 to v1.104. They are not promised to be stable, so what is missing,
// null, of another kind or unknown is no error: it is not there.
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
#include "streams/ip_address.h"
#include "streams/time.h"

namespace sidestream::tailnet {

struct LocalApiLimits {
  static constexpr std::size_t answer_bytes_max = 16UL * 1024 * 1024;
  static constexpr std::size_t bus_line_bytes_max = 8UL * 1024 * 1024;
  static constexpr std::size_t text_bytes_max = 300;  // of one text that is kept
  static constexpr std::size_t list_max = 64;         // of addresses, tags, names, warnings
};

enum class BackendState : std::uint8_t {
  unknown,  // none that we know
  no_state,
  in_use_other_user,
  needs_login,
  needs_machine_auth,
  stopped,
  starting,
  running,
};
inline constexpr std::size_t backend_state_count = 8;
// `NeedsLogin`, as the daemon writes it; `Unknown`.
[[nodiscard]] std::string_view text_of(BackendState state);

// The daemon's own node.
struct SelfNode {
  std::string name;  // in the tailnet's DNS, without the dot at its end
  std::vector<IpAddress> addresses;
  std::vector<std::string> tags;
  std::optional<WallTime> key_expiry;  // none: never, as for tagged nodes
  bool expired = false;
  bool operator==(const SelfNode&) const = default;
};

struct DaemonStatus {
  std::string version;
  BackendState state = BackendState::unknown;
  bool tun = true;       // false: user space, and loopback is reachable from the tailnet
  std::string auth_url;  // where somebody has to log in; empty: nowhere
  SelfNode self;
  std::vector<std::string> health;  // sentences
  std::string tailnet;
  std::string dns_suffix;
  std::vector<std::string> certificate_names;  // CertDomains; empty: HTTPS is off
  bool operator==(const DaemonStatus&) const = default;
};
// The error is the end of a sentence.
[[nodiscard]] std::expected<DaemonStatus, std::string> parse_status(std::string_view body);

struct HealthWarning {
  std::string code;
  std::string title;
  std::string text;
  bool impacts_connectivity = false;
  bool operator==(const HealthWarning&) const = default;
};

// One line of the bus. Only what a line has has changed.
struct BusMessage {
  std::optional<BackendState> state;
  std::optional<std::string> auth_url;
  std::optional<std::vector<HealthWarning>> warnings;
  std::optional<SelfNode> self;
  std::string error;
};
[[nodiscard]] std::expected<BusMessage, std::string> parse_bus_message(std::string_view line);

// Who has an address. Of a node with tags the user is meaningless, and left empty.
struct Identity {
  std::string node;       // name in the tailnet's DNS, without the dot at its end
  std::string stable_id;  // of the node
  std::vector<IpAddress> addresses;
  std::vector<std::string> tags;
  std::string user;  // login name
  // App capabilities that the tailnet's policy grants this peer towards us, with their values.
  std::vector<std::pair<std::string, control::JsonArray>> capabilities;

  [[nodiscard]] bool has_tag(std::string_view tag) const;
  // nullptr: it has not got that one.
  [[nodiscard]] const control::JsonArray* find_capability(std::string_view name) const;
};
[[nodiscard]] std::expected<Identity, std::string> parse_identity(std::string_view body);

// How packets reach a peer, by a disco ping.
struct PeerPath {
  std::string error;     // why there is none; empty: there is one
  std::string endpoint;  // direct: UDP address of the peer
  std::string relay;     // else the region of the relay, or the relaying peer
  std::optional<Duration> round_trip;
  [[nodiscard]] bool is_direct() const { return !endpoint.empty(); }
  bool operator==(const PeerPath&) const = default;
};
[[nodiscard]] std::expected<PeerPath, std::string> parse_ping(std::string_view body);

// What of `prefs` matters to who uses the node.
struct Preferences {
  std::string control_url;
  bool wants_running = false;
  bool shields_up = false;  // no connection comes in from the tailnet
  bool accepts_dns = false;
  bool accepts_routes = false;
  bool operator==(const Preferences&) const = default;
};
[[nodiscard]] std::expected<Preferences, std::string> parse_preferences(std::string_view body);

// TCP ports of the node's own addresses that the daemon serves itself, before any listener.
[[nodiscard]] std::expected<std::vector<std::uint16_t>, std::string> parse_served_ports(
    std::string_view body);

// Go's runtime answers errors as text, or as {"error": "…"}: one line of it.
[[nodiscard]] std::string error_text(std::string_view body);

}  // namespace sidestream::tailnet
