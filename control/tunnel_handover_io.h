// A tunnel's part in a hand-over: the descriptors that go with it, and their way back in.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "control/handover_messages.h"
#include "control/status_messages.h"
#include "streams/descriptor_io.h"
#include "streams/message_link_io.h"
#include "tunnel/wireguard_tunnel_io.h"

namespace sidestream::control {

// What one process passes to the other, by name.
using NamedDescriptors = std::map<std::string, UniqueFd>;

// Adds copies of the tunnel's UDP socket and of the links to its predecessors, and one end of a new
// link, named with `prefix`; returns the other end of that. Throws system_error.
std::unique_ptr<MessageLink> offer_tunnel(tunnel::WireGuardTunnel& tunnel,
                                          const asio::any_io_executor& executor,
                                          const std::string& prefix, NamedDescriptors& offered);
// What the next process has to know, when the tunnel stands still.
[[nodiscard]] TunnelHandover describe_tunnel(const tunnel::WireGuardTunnel& tunnel);

// The name of the UDP socket among the descriptors.
[[nodiscard]] std::string datagram_socket_name(const std::string& prefix);
// Gives a tunnel that does not run yet the streams of those before it; the youngest of them is
// `last`.
void adopt_streams(tunnel::WireGuardTunnel& tunnel, const asio::any_io_executor& executor,
                   const TunnelHandover& handover, const tunnel::PredecessorFacts& last,
                   const std::string& prefix, NamedDescriptors& descriptors);

// For status.
[[nodiscard]] std::vector<PredecessorStatus> status_of(const tunnel::Predecessors& predecessors);

}  // namespace sidestream::control
