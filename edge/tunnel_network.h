// The addresses inside the tunnel: which networks are fit for it, and who gets which address.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "streams/ip_address.h"

namespace sidestream::edge {

// Reads a network for the tunnel. The error is for a person: what is wrong and what to write.
[[nodiscard]] std::expected<IpPrefix, std::string> parse_tunnel_network(std::string_view text);

// The edge has the first address, `.1`.
[[nodiscard]] IpAddress edge_address_in(const IpPrefix& network);
// Why an address cannot be a sidecar's, for a person; empty when it can.
[[nodiscard]] std::string sidecar_address_problem(const IpPrefix& network,
                                                  const IpAddress& address);
// For how many sidecars there are addresses; what is more than 2^31 counts as that.
[[nodiscard]] std::uint32_t sidecar_addresses_in(const IpPrefix& network);

}  // namespace sidestream::edge
