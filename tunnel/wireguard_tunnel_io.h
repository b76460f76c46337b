// A tunnel of WireGuard's, whoever does the work: our own device and TCP in user space, or the
// kernel's. Edge and sidecar know this and no more.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/network_io.h"
#include "tunnel/path_mtus.h"
#include "tunnel/predecessors_io.h"
#include "tunnel/tcp_limits.h"
#include "tunnel/timestamp.h"
#include "tunnel/tunnel_io.h"
#include "tunnel/wireguard_device.h"

namespace sidestream::tunnel {

struct UserspaceTunnelConfiguration;

class WireGuardTunnel : public Tunnel {
 public:
  // Moves what there is to be moved until it is cancelled.
  virtual Task<> run() = 0;
  // For a person: "user space", "kernel (NAME)".
  [[nodiscard]] virtual std::string mode_text() const = 0;

  // ---- peers: as in WireGuardDevice ----------------------------------------------------------
  virtual std::expected<PeerId, AddPeerError> add_peer(const PeerConfiguration& configuration) = 0;
  virtual void remove_peer(PeerId peer) = 0;
  // `local`: the address of ours from where it is called.
  virtual void set_endpoint(PeerId peer, const SocketAddress& endpoint,
                            const std::optional<IpAddress>& local = {}) = 0;
  // Where the peer reached us last, when that is known and we have several addresses.
  [[nodiscard]] virtual std::optional<IpAddress> local_address(PeerId peer) const = 0;
  virtual void start_handshake(PeerId peer, bool impatient) = 0;
  [[nodiscard]] virtual std::optional<PeerStatus> peer_status(PeerId peer) const = 0;
  [[nodiscard]] virtual const PublicKey& public_key() const = 0;
  [[nodiscard]] virtual Timestamp last_timestamp() const = 0;
  virtual void set_last_timestamp(const Timestamp& timestamp) = 0;
  // Called for each event of the device, on the tunnel's thread, outside of its own calls.
  virtual void on_event(std::function<void(const DeviceEvent&)> callback) = 0;
  // Called when it was found out how large the packets are that reach a peer (path_mtu_search.h);
  // never where the kernel finds that out.
  virtual void on_path_mtu(std::function<void(const PathMtuChange&)> callback) = 0;

  // ---- this host and the way out -------------------------------------------------------------
  [[nodiscard]] virtual SocketAddress outer_address() const = 0;
  // Called when addresses or routes of this host have changed, where the system tells. Set before
  // run().
  virtual void on_address_change(std::function<void()> callback) = 0;
  // After addresses or routes of this host changed: learn anew from where peers are reached.
  virtual void forget_local_address(PeerId peer) = 0;
  // Leaves by a new UDP socket, and so from another port where the configuration says "any": a
  // router on the way may have got stuck with the old one. Stays with the old one when there is no
  // new one to be had. Sessions and streams go on.
  virtual void rebind() = 0;

  // ---- streams -------------------------------------------------------------------------------
  [[nodiscard]] virtual std::size_t connection_count() const = 0;
  [[nodiscard]] virtual std::size_t buffered_bytes() const = 0;
  [[nodiscard]] virtual const TcpLimits& tcp_limits() const = 0;
  // Strangers are asked for cookies before a handshake costs us anything.
  [[nodiscard]] virtual bool under_load() const = 0;
  // The program at the other end, `peer`, was started again: streams that came from there end as
  // reset, those of predecessors too.
  virtual void end_accepted_streams(const IpAddress& peer) = 0;

  // ---- from one process to the next: docs/protocols/handover.md ------------------------------
  // Why the tunnel cannot be handed over, for a person; empty: it can. One that cannot is asked for
  // none of what follows but predecessors().
  [[nodiscard]] virtual std::string handover_obstacle() const { return ""; }
  // Nothing goes in or out until resume() or hand_over(); what arrives waits in the socket.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // The WireGuard device and the UDP socket are another process's now, and so are our own
  // predecessors; the packets of our streams go through that process. Only after pause(), while
  // run() runs. `finish` is called when the streams are to end, as in BehindSuccessor.
  virtual void hand_over(std::unique_ptr<MessageLink> link, std::function<void()> finish) = 0;
  [[nodiscard]] virtual bool handed_over() const = 0;
  // Streams of earlier processes that go through this tunnel. Adopt before run().
  [[nodiscard]] virtual Predecessors& predecessors() = 0;
  [[nodiscard]] virtual const Predecessors& predecessors() const = 0;
  // The ends of our own ones.
  [[nodiscard]] virtual std::vector<TcpEnds> connections() const = 0;
  // Of the UDP socket, to hand it over; -1: it is not one of the kernel's.
  [[nodiscard]] virtual int descriptor() = 0;
};

// Makes the tunnel of an edge or of a sidecar's link. Throws system_error, and std::runtime_error
// with a sentence for a person.
using MakeWireGuardTunnel = std::function<std::unique_ptr<WireGuardTunnel>(
    Network& network, const UserspaceTunnelConfiguration& configuration)>;

}  // namespace sidestream::tunnel
