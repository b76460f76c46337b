// A WireGuard interface of the kernel's, as a tunnel uses it. Every call asks the kernel and
// returns at once; errors are system_error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/ip_address.h"
#include "tunnel/wireguard_device.h"

namespace sidestream::tunnel {

class WireGuardInterface {
 public:
  WireGuardInterface() = default;
  WireGuardInterface(const WireGuardInterface&) = delete;
  WireGuardInterface& operator=(const WireGuardInterface&) = delete;
  virtual ~WireGuardInterface() = default;

  [[nodiscard]] virtual const std::string& name() const = 0;
  // Whether peers are ours to add and to look at. If not, none of the calls below does anything.
  [[nodiscard]] virtual bool is_ours() const { return true; }

  virtual void set_peer(const PeerConfiguration& peer) = 0;
  // Forgets the peer's sessions and calls it, if it has an endpoint.
  virtual void call_peer(const PeerConfiguration& peer) = 0;
  virtual void remove_peer(const PeerConfiguration& peer) = 0;
  struct Peer {
    PublicKey public_key;
    std::optional<SocketAddress> endpoint;
    std::optional<WallTime> last_handshake;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
  };
  [[nodiscard]] virtual std::vector<Peer> peers() const = 0;

  // The UDP port.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  virtual void choose_new_port() = 0;

  // The TCP ports that peers may open streams to.
  virtual void open_stream_port(std::uint16_t port) = 0;
  virtual void close_stream_port(std::uint16_t port) noexcept = 0;
};

struct WireGuardInterfaceSettings {
  PrivateKey private_key;
  IpAddress address;       // inside
  std::uint16_t port = 0;  // UDP; 0: any
  std::size_t mtu = 1420;
};

// Makes an interface of our own in this network namespace, whose name is derived from the key; one
// that a process before us left is replaced. It goes when it is destroyed. Throws
// std::runtime_error with a sentence for a person: no capability, no module, an address or a name
// that somebody else has.
[[nodiscard]] std::unique_ptr<WireGuardInterface> make_wireguard_interface(
    const WireGuardInterfaceSettings& settings);
// Uses one that somebody else manages: it must be there and have the address.
[[nodiscard]] std::unique_ptr<WireGuardInterface> use_wireguard_interface(const std::string& name,
                                                                          const IpAddress& address);
// Whether the first of these would work here as far as can be told without changing anything that
// stays; the error says why not.
[[nodiscard]] std::expected<void, std::string> probe_kernel_wireguard();

}  // namespace sidestream::tunnel
