// One entry of `edges` in sidecar.yaml: an edge that the sidecar dials, and who it is there. A
// ticket and written-out keys come to the same.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "control/ticket.h"
#include "streams/configuration_reader.h"
#include "streams/host_port.h"
#include "streams/ip_address.h"
#include "tunnel/wireguard_keys.h"

namespace sidestream::sidecar {

struct EdgeEntry {
  static constexpr std::size_t count_max = 16;

  std::vector<HostPort> endpoints;  // what to dial, in the order of preference
  tunnel::PublicKey public_key;     // the edge's
  tunnel::PrivateKey private_key;   // the sidecar's own at this edge
  tunnel::PublicKey own_public_key;
  tunnel::PresharedKey preshared_key;  // all zero: none
  IpAddress edge_address;              // inside the tunnel
  IpAddress own_address;               // inside the tunnel
  unsigned prefix_length = 32;         // of the tunnel's network as far as the sidecar knows it

  explicit EdgeEntry(const control::Ticket& ticket);
  EdgeEntry() = default;
  bool operator==(const EdgeEntry&) const = default;

  // What status and log call the edge.
  [[nodiscard]] std::string name() const;
};

// Reads the items of `edges`, and refuses the same edge twice.
[[nodiscard]] std::vector<EdgeEntry> read_edges(const ConfigurationValue& edges);
// Reads one ticket.
[[nodiscard]] std::optional<EdgeEntry> read_ticket(const ConfigurationValue& ticket);

}  // namespace sidestream::sidecar
