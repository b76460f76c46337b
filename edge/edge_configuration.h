// What an edge is told to do, as plain values, and how they are read from edge.yaml and the
// environment.
// docs/configuration.md describes every key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "control/endpoint_pattern.h"
#include "control/program_configuration.h"
#include "control/ticket.h"
#include "edge/admission.h"
#include "edge/publish_rules.h"
#include "edge/routers/router_settings.h"
#include "streams/configuration_problem.h"
#include "streams/host_port.h"
#include "streams/ip_address.h"
#include "streams/time.h"
#include "streams/variables.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::edge {

// One of `sidecars`: a sidecar that has its own key, for which no ticket is made.
struct SidecarEntry {
  std::string name;
  tunnel::PublicKey public_key;
  tunnel::PresharedKey preshared_key;           // all zero: none
  std::optional<IpAddress> address;             // inside the tunnel; none: the edge chooses one
  std::vector<control::EndpointPattern> allow;  // at least one
};

struct EdgeLimits {
  std::size_t streams = AdmissionLimits{}.streams_max;
  std::size_t per_client = AdmissionLimits{}.streams_per_client_max;
  Duration hello_timeout = 5s;
  bool has_streams = false;      // whether `streams` was written
  std::size_t memory_bytes = 0;  // 0: what the control group allows
  bool operator==(const EdgeLimits&) const = default;
};

struct EdgeConfiguration {
  static constexpr std::size_t endpoints_max = control::TicketLimits::endpoints_max;
  static constexpr std::size_t port_ranges_max = 256;
  static constexpr std::size_t sidecars_max = 1000;
  static constexpr std::size_t patterns_max = 256;  // of one sidecar

  std::vector<HostPort> endpoints;  // what tickets tell sidecars to dial; at least one
  SocketAddress listen;             // UDP
  IpPrefix network;                 // inside the tunnel; the edge has its first address
  control::TunnelSettings tunnel;
  IpAddress public_address;             // where public ports are opened
  std::vector<PortRange> public_ports;  // ascending, without overlap; at least one
  std::vector<SidecarEntry> sidecars;   // in the order of the file
  RouterSettings router;
  EdgeLimits limits;
  bool honours_bans = true;  // of sidecars
  control::ProgramConfiguration program;

  EdgeConfiguration();  // the defaults
};

// The keys whose change a running edge cannot take over.
[[nodiscard]] std::vector<std::string> keys_for_restart(const EdgeConfiguration& now,
                                                        const EdgeConfiguration& wanted);

// Reads the file, if there is one, and the environment; docs/configuration.md says how they go
// together. The error holds every problem that was found.
[[nodiscard]] std::expected<EdgeConfiguration, ConfigurationProblems> read_edge_configuration(
    const std::optional<ConfigurationText>& file, const VariableSources& sources);

}  // namespace sidestream::edge
