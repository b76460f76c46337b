// What an edge hands over to its next process, as values and as JSON
// (docs/protocols/handover.md).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/handover_messages.h"
#include "edge/lease_succession.h"
#include "streams/ip_address.h"

namespace sidestream::edge {

// Whether the next process is the same edge: what cannot change while streams live on.
struct EdgeIdentity {
  std::string public_key;      // of the tunnel
  std::string tunnel_address;  // inside
  std::string listen;          // UDP
  std::string public_address;
  bool operator==(const EdgeIdentity&) const = default;
};
// What differs, as the configuration's keys; empty: nothing.
[[nodiscard]] std::string difference(const EdgeIdentity& one, const EdgeIdentity& other);

// Everything else, at the moment when the tunnel stands still.
struct EdgeHandover {
  struct Endpoint {
    std::string sidecar;
    SocketAddress address;             // where it was heard last
    std::optional<IpAddress> local{};  // of ours, that it calls; none: not known
    bool operator==(const Endpoint&) const = default;
  };
  LeaseSuccession leases;
  std::vector<Endpoint> endpoints;
  std::vector<std::uint16_t> open_ports;
  control::TunnelHandover tunnel;
  bool operator==(const EdgeHandover&) const = default;
};

[[nodiscard]] std::string serialize(const EdgeIdentity& identity);
[[nodiscard]] std::string serialize(const EdgeHandover& handover);
[[nodiscard]] std::expected<EdgeIdentity, std::string> parse_edge_identity(std::string_view text);
[[nodiscard]] std::expected<EdgeHandover, std::string> parse_edge_handover(std::string_view text);

}  // namespace sidestream::edge
