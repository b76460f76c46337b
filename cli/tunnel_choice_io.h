// Who does the work of the tunnel: the kernel or we.
#pragma once

#include <cstdint>
#include <string>

#include "control/program_configuration.h"
#include "streams/log_io.h"
#include "tunnel/wireguard_tunnel_io.h"

namespace sidestream::cli {

// Makes tunnels as the configuration wants them. With `auto` the kernel's, and where that does not
// work ours, which `log` is told once. `port` is one that will be listened on inside: a server of
// this host that listens there at all addresses has the kernel's, too. `log` outlives what is
// returned. `taking_over`: of a running process, whose tunnel is in user space and stays there.
[[nodiscard]] tunnel::MakeWireGuardTunnel tunnel_maker(const control::TunnelSettings& settings,
                                                       const Log& log, std::uint16_t port,
                                                       bool taking_over);

// For `check`: what would be made here, and why. One line; a temporary interface is tried where
// this process may make one.
[[nodiscard]] std::string expected_tunnel(const control::TunnelSettings& settings,
                                          const SocketAddress& listen);

}  // namespace sidestream::cli
