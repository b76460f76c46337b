// The tunnel when the kernel does the work: WireGuard on an interface, streams by kernel TCP. What
// is left for us is to add peers, to call them, and to look at how they do, since the kernel tells
// nobody about handshakes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "streams/event_io.h"
#include "tunnel/socket_tunnel_io.h"
#include "tunnel/userspace_tunnel_io.h"
#include "tunnel/wireguard_interface_io.h"
#include "tunnel/wireguard_tunnel_io.h"

namespace sidestream::tunnel {

class KernelTunnel final : public WireGuardTunnel {
 public:
  // `network` outlives the tunnel, the tunnel all its streams and listeners. Of the configuration
  // the interface has taken its part already.
  KernelTunnel(Network& network, const UserspaceTunnelConfiguration& configuration,
               std::unique_ptr<WireGuardInterface> interface);
  ~KernelTunnel() override;

  Task<> run() override;
  [[nodiscard]] std::string mode_text() const override;

  [[nodiscard]] IpAddress address() const override { return sockets_.address(); }
  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override;
  std::unique_ptr<Listener> listen(std::uint16_t port) override;

  std::expected<PeerId, AddPeerError> add_peer(const PeerConfiguration& configuration) override;
  void remove_peer(PeerId peer) override;
  void set_endpoint(PeerId peer, const SocketAddress& endpoint,
                    const std::optional<IpAddress>& local = {}) override;
  // The kernel answers from where it was called, and does not say where that is.
  [[nodiscard]] std::optional<IpAddress> local_address(PeerId /*peer*/) const override {
    return std::nullopt;
  }
  void start_handshake(PeerId peer, bool impatient) override;
  [[nodiscard]] std::optional<PeerStatus> peer_status(PeerId peer) const override;
  [[nodiscard]] const PublicKey& public_key() const override { return public_key_; }
  // The kernel stamps by its clock; what is kept lets user space go on from there.
  [[nodiscard]] Timestamp last_timestamp() const override { return last_timestamp_; }
  void set_last_timestamp(const Timestamp& timestamp) override { last_timestamp_ = timestamp; }
  void on_event(std::function<void(const DeviceEvent&)> callback) override {
    callback_ = std::move(callback);
  }

  void on_path_mtu(std::function<void(const PathMtuChange&)> /*callback*/) override {}
  [[nodiscard]] SocketAddress outer_address() const override;
  void on_address_change(std::function<void()> callback) override {
    address_callback_ = std::move(callback);
  }
  void forget_local_address(PeerId /*peer*/) override {}  // the kernel does, when it calls again
  void rebind() override;

  [[nodiscard]] std::size_t connection_count() const override { return sockets_.stream_count(); }
  [[nodiscard]] std::size_t buffered_bytes() const override { return 0; }
  [[nodiscard]] const TcpLimits& tcp_limits() const override { return tcp_limits_; }
  [[nodiscard]] bool under_load() const override { return false; }
  void end_accepted_streams(const IpAddress& peer) override { sockets_.end_accepted_streams(peer); }

  [[nodiscard]] std::string handover_obstacle() const override;
  void pause() override {}
  void resume() override {}
  void hand_over(std::unique_ptr<MessageLink> /*link*/, std::function<void()> /*finish*/) override {
  }
  [[nodiscard]] bool handed_over() const override { return false; }
  [[nodiscard]] Predecessors& predecessors() override { return predecessors_; }
  [[nodiscard]] const Predecessors& predecessors() const override { return predecessors_; }
  [[nodiscard]] std::vector<TcpEnds> connections() const override { return {}; }
  [[nodiscard]] int descriptor() override { return -1; }

 private:
  struct Known {
    PeerConfiguration configuration;
    PeerStatus status;
    std::optional<WallTime> last_handshake;
    std::optional<Instant> called_at;  // and not answered yet
  };

  Task<> look_loop();
  Task<> wait_call();
  Task<> address_loop();
  // Reads what the interface says about its peers, and tells what is new.
  void look();
  void believe();
  void take(PeerId id, Known& known, const WireGuardInterface::Peer& seen);
  void tell_unanswered();
  void tell(DeviceEvent::Kind kind, PeerId peer);
  [[nodiscard]] Duration look_pause() const;
  [[nodiscard]] bool has_route(const IpAddress& remote) const;

  Network& network_;
  const TcpLimits tcp_limits_;
  const PublicKey public_key_;
  std::unique_ptr<WireGuardInterface> interface_;
  SocketTunnel sockets_;
  std::map<PeerId, Known> peers_;
  std::uint32_t next_id_ = 0;
  Timestamp last_timestamp_;
  std::function<void(const DeviceEvent&)> callback_;
  std::function<void()> address_callback_;
  Event called_;
  Predecessors predecessors_;  // none: kernel TCP needs nobody to go on
};

}  // namespace sidestream::tunnel
