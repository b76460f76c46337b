// What two processes of one program say to each other while the older one has streams and the newer
// one has the WireGuard device (docs/protocols/handover.md). Each message is a kind and what
// follows it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "tunnel/tcp_ends.h"

namespace sidestream::tunnel {

enum class LinkMessageKind : std::uint8_t {
  packets = 1,    // both ways: IP packets back to back, each as long as its header says
  standing,       // from the older one: how many connections it has, then those that are no more
  path_restored,  // from the newer one: the tunnel carries again after it did not
  peer_lost,      // from the newer one: what the host with this address knew is gone with it
  finish,         // from the newer one: end all streams now
};

// ---- standing ----------------------------------------------------------------------------------

inline constexpr std::size_t standing_gone_max = 800;  // in one message

struct LinkStanding {
  std::uint32_t connections = 0;
  std::vector<TcpEnds> gone;  // at most standing_gone_max
  bool operator==(const LinkStanding&) const = default;
};

[[nodiscard]] std::vector<std::uint8_t> serialize(const LinkStanding& standing);
// `body` is what follows the kind, here and below.
[[nodiscard]] std::optional<LinkStanding> parse_link_standing(Bytes body);

// ---- peer_lost ---------------------------------------------------------------------------------

[[nodiscard]] std::vector<std::uint8_t> serialize_peer_lost(const IpAddress& address);
[[nodiscard]] std::optional<IpAddress> parse_peer_lost(Bytes body);

// ---- lists of connections ----------------------------------------------------------------------

[[nodiscard]] std::vector<std::uint8_t> serialize(std::span<const TcpEnds> connections);
[[nodiscard]] std::optional<std::vector<TcpEnds>> parse_connections(Bytes bytes);

}  // namespace sidestream::tunnel
