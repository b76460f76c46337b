// What a sidecar hands over to its next process, as values and as JSON
// (docs/protocols/handover.md).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/handover_messages.h"
#include "sidecar/edge_entry.h"
#include "streams/ip_address.h"

namespace sidestream::sidecar {

// Names what a sidecar has with one edge: both public keys.
[[nodiscard]] std::string link_id(const EdgeEntry& entry);

// What the next process is made with.
struct SidecarOffer {
  struct Link {
    std::string id;
    std::string edge;     // its name, for messages
    SocketAddress outer;  // the UDP socket's own address
    std::string run;      // of this program, as the edge knows it
    bool operator==(const Link&) const = default;
  };
  struct ServicePort {
    std::string service;  // empty: of one that is no more, and still has streams
    std::uint16_t port = 0;
    bool operator==(const ServicePort&) const = default;
  };
  std::vector<Link> links;
  std::vector<ServicePort> services;
  bool operator==(const SidecarOffer&) const = default;

  [[nodiscard]] const Link* find(std::string_view id) const;
};
// The first edge of the offer that is not among `entries`; empty: they are all there.
[[nodiscard]] std::string missing_edge(const SidecarOffer& offer,
                                       const std::vector<EdgeEntry>& entries);

// Everything else, at the moment when the tunnels stand still.
struct SidecarHandover {
  struct Link {
    std::string id;
    std::optional<SocketAddress> endpoint;  // of the edge
    std::string edge_run;                   // of the edge's process; empty: not known
    control::TunnelHandover tunnel;
    bool operator==(const Link&) const = default;
  };
  struct Healthy {
    std::string service;
    std::string backends;  // the one of its backends that is, as text
    bool operator==(const Healthy&) const = default;
  };
  std::vector<Link> links;
  std::vector<Healthy> healthy;
  bool operator==(const SidecarHandover&) const = default;
};

[[nodiscard]] std::string serialize(const SidecarOffer& offer);
[[nodiscard]] std::string serialize(const SidecarHandover& handover);
[[nodiscard]] std::expected<SidecarOffer, std::string> parse_sidecar_offer(std::string_view text);
[[nodiscard]] std::expected<SidecarHandover, std::string> parse_sidecar_handover(
    std::string_view text);

}  // namespace sidestream::sidecar
