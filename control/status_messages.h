// The status documents: what an edge and a sidecar say about themselves on the admin socket, for
// `sidestream status`. As JSON, times are whole milliseconds (`…_ms`) or microseconds (`…_us`).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "control/ban_messages.h"
#include "control/control_codes.h"
#include "control/tailnet_status.h"
#include "streams/time.h"

namespace sidestream::control {

// Lists in a document that is read; far above what one program can have.
inline constexpr std::size_t status_elements_max = 100'000;
inline constexpr std::size_t status_bytes_max = 64 * 1024 * 1024;

// What carries sidecar and edge to each other, seen from either side.
struct TunnelStatus {
  std::string remote;  // outer UDP address of the other side; empty: not known yet
  std::optional<Duration> last_handshake_ago;
  std::optional<Duration> last_heartbeat_ago;
  std::optional<Duration> round_trip;
  std::uint64_t bytes_received = 0;  // by the one who says it
  std::uint64_t bytes_sent = 0;
  bool operator==(const TunnelStatus&) const = default;
};

// An earlier process of the same program that has handed over to this one and still has streams.
struct PredecessorStatus {
  std::uint64_t process = 0;  // its number in the system
  std::string version;
  std::uint64_t streams = 0;
  bool operator==(const PredecessorStatus&) const = default;
};

// ---- edge --------------------------------------------------------------------------------------

struct EdgeEndpointStatus {
  std::string endpoint;
  std::string service;
  EndpointState state = EndpointState::refused;
  std::string reason;  // one sentence; empty when granted
  bool operator==(const EdgeEndpointStatus&) const = default;
};

struct EdgeSidecarStatus {
  std::string name;
  std::string tunnel_address;
  bool present = false;  // it holds a lease
  std::string version;   // of its program, when it was there last; empty: never
  std::string instance;
  TunnelStatus tunnel;
  std::uint64_t streams = 0;  // open now
  std::vector<EdgeEndpointStatus> endpoints;
  bool operator==(const EdgeSidecarStatus&) const = default;
};

struct EdgeStatus {
  std::string version;
  Duration uptime{};
  std::string endpoint;    // what tickets tell sidecars to dial
  std::string public_key;  // of the tunnel, for sidecars that have keys of their own
  std::string public_address;
  std::string public_ports;      // `443, 50001-50002`
  std::string router;            // `embedded`, `haproxy 2.6.12`, …
  std::string router_problem{};  // why it does not have all that it should; empty: it has
  std::uint64_t streams = 0;
  std::uint64_t streams_in_all = 0;
  std::vector<std::pair<std::string, std::uint64_t>> refused;  // streams, by reason
  std::vector<EdgeSidecarStatus> sidecars;
  std::uint64_t tunnel_connections = 0;  // TCP inside the tunnel, TIME-WAIT left out
  std::uint64_t timers = 0;              // that run
  std::vector<PredecessorStatus> predecessors;
  std::string tunnel_mode{};               // `user space`, `kernel (NAME)`, `interface (NAME)`
  std::optional<TailnetStatus> tailnet{};  // none: no daemon is watched
  bool operator==(const EdgeStatus&) const = default;
};

// ---- sidecar -----------------------------------------------------------------------------------

struct SidecarEdgeStatus {
  std::string edge;          // as the ticket names it: `vps.example.com:51820`
  std::string tunnel_state;  // `connecting`, `up`, `lost`, `revoked`
  std::string edge_version;  // empty: not known yet
  std::string problem;       // why nothing is published there; empty: all is well
  TunnelStatus tunnel;
  std::string tunnel_mode{};  // as in EdgeStatus
  bool operator==(const SidecarEdgeStatus&) const = default;
};

enum class PublishState : std::uint8_t {
  published,
  waiting,    // for the edge, or behind another sidecar
  refused,    // by the edge
  withdrawn,  // because the service is not healthy
  by_name,    // the edge is a router alone, which may send streams with that name at any time
};

struct ServiceEndpointStatus {
  std::string endpoint;
  std::string edge;
  PublishState state = PublishState::withdrawn;
  std::string reason;  // why it is not published; empty when it is
  bool operator==(const ServiceEndpointStatus&) const = default;
};

struct CertificateStatus {
  struct Chain {
    std::string names;   // `a.example.com, b.example.com`
    std::string until;   // `2026-11-21 15:04 UTC`
    std::string sha256;  // of the leaf, as openssl prints it
    bool operator==(const Chain&) const = default;
  };
  std::string source;   // `self-signed`, `files`
  std::string problem;  // what somebody should see to; empty: nothing
  std::vector<Chain> chains;
  bool operator==(const CertificateStatus&) const = default;
};

// One of the backends of a service.
struct BackendStatus {
  std::string backend;
  std::string health;  // as below
  std::string health_reason;
  std::uint64_t streams = 0;
  bool operator==(const BackendStatus&) const = default;
};

struct ServiceStatus {
  std::string name;
  std::string backend;        // all of them
  std::string health;         // `healthy`, `unhealthy`, `unknown`
  std::string health_reason;  // empty when healthy
  std::uint64_t streams = 0;
  std::vector<ServiceEndpointStatus> endpoints;
  std::optional<CertificateStatus> certificate{};  // where TLS ends at the sidecar
  std::vector<BackendStatus> backends{};           // each one
  bool operator==(const ServiceStatus&) const = default;
};

// What a sidecar reads of labels of containers.
struct DiscoveryStatus {
  std::string socket;  // of the engine
  bool connected = false;
  std::string problem;                // why it is not connected; empty when it is
  std::uint64_t containers = 0;       // that run and have labels
  std::vector<std::string> problems;  // with labels and containers, one line each
  bool operator==(const DiscoveryStatus&) const = default;
};

struct SidecarStatus {
  std::string version;
  Duration uptime{};
  std::vector<SidecarEdgeStatus> edges;
  std::vector<ServiceStatus> services;
  std::uint64_t tunnel_connections = 0;   // TCP inside all tunnels, TIME-WAIT left out
  std::uint64_t timers = 0;               // that run
  std::optional<DiscoveryStatus> docker;  // none: labels are not read
  std::vector<PredecessorStatus> predecessors;
  std::vector<BannedNetwork> bans{};
  std::optional<TailnetStatus> tailnet{};  // none: no daemon is watched
  bool operator==(const SidecarStatus&) const = default;
};

// ---- as JSON -----------------------------------------------------------------------------------

using Status = std::variant<EdgeStatus, SidecarStatus>;

// The document says itself which of the two it is. The error is one sentence with the place.
[[nodiscard]] std::expected<Status, std::string> parse_status(std::string_view body);
[[nodiscard]] std::string serialize(const EdgeStatus& status);
[[nodiscard]] std::string serialize(const SidecarStatus& status);

[[nodiscard]] std::string_view text_of(PublishState state);

}  // namespace sidestream::control
