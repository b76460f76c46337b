// The command line of tunnel_peer and tun_peer, the test programs that join ordinary TCP to our
// user-space tunnel, or to our TCP/IP stack alone.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streams/ip_address.h"
#include "tests/support/simulated_link.h"
#include "tunnel/congestion_control.h"
#include "tunnel/wireguard_device.h"

namespace sidestream::tunnel {

// --out: kernel TCP accepted at `listen` goes to `target` inside the tunnel.
struct ForwardOut {
  SocketAddress listen;
  SocketAddress target;
};

// --in: what peers dial at our tunnel address's `port` goes to `target` by kernel TCP.
struct ForwardIn {
  std::uint16_t port = 0;
  SocketAddress target;
};

struct TunnelPeerOptions {
  std::string private_key_file;
  std::vector<IpAddress> addresses;  // ours inside; tunnel_peer uses the first one
  SocketAddress listen;
  std::size_t mtu = 1420;
  std::vector<PeerConfiguration> peers;
  std::vector<ForwardOut> out;
  std::vector<ForwardIn> in;
  // tun_peer only.
  std::string tun;
  LinkQuality line;  // between the device and the stack, both ways
  Duration keepalive{0};
  MakeCongestionControl congestion = nullptr;  // the stack's choice
};

// The error is a line for a person.
std::expected<TunnelPeerOptions, std::string> parse_tunnel_peer_options(
    std::span<const std::string_view> words);

}  // namespace sidestream::tunnel
