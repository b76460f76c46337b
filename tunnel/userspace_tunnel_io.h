// The tunnel without privileges: one UDP socket, our WireGuard and our TCP/IP, on one thread.
//
//   datagram ─▶ WireGuardDevice::handle_datagram ─▶ TcpStack::handle_packet ─▶ TunnelStream
//   datagram ◀─ WireGuardDevice::seal (in place) ◀─ TcpStack::poll_transmit ◀─ TunnelStream
//
// The way out is lazy: whoever used the stack calls stack_was_used(), and everything that became
// due in that turn of the thread leaves in one batch.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "streams/event_io.h"
#include "streams/network_io.h"
#include "tunnel/bbr.h"
#include "tunnel/behind_successor_io.h"
#include "tunnel/predecessors_io.h"
#include "tunnel/tcp_stack.h"
#include "tunnel/tunnel_stream_io.h"
#include "tunnel/wireguard_device.h"
#include "tunnel/wireguard_tunnel_io.h"

namespace sidestream::tunnel {

// What differs between TCP inside a tunnel and TCP anywhere: the peer is one or two hundred
// milliseconds away at most, so that a lost SYN is sent again early (RFC 6298 section 2.1 allows
// for knowledge like that), and goes on being sent, so that who dials for 4 s outlives a pause of
// the path that is a little shorter; and a stream whose other end was restarted while it had
// nothing to say must find that out, so that it ends instead of hanging. A path that is silent
// breaks a stream only after `patience`, whether it has something to say or not.
[[nodiscard]] TcpLimits tunnel_tcp_limits(Duration patience = stream_patience_default);

struct UserspaceTunnelConfiguration {
  PrivateKey private_key;
  SocketAddress listen;  // outer UDP address; port 0: any
  // What the first socket is opened for when it is not `listen`: that of a process before us.
  std::optional<SocketAddress> first_listen{};
  IpAddress address;       // ours inside the tunnel
  std::size_t mtu = 1420;  // of inner packets
  DeviceLimits device_limits;
  TcpLimits tcp_limits = tunnel_tcp_limits();
  MakeCongestionControl make_congestion_control = make_bbr;  // or make_cubic
  // Whoever has several addresses and is called at one of them (an edge) answers and calls back
  // from there, until a call was not answered. Who only calls (a sidecar) is free to leave by
  // another address with each handshake.
  bool keeps_local_address = false;
};

class UserspaceTunnel final : public WireGuardTunnel {
 public:
  // Opens the UDP socket (throws system_error). `network` must outlive the tunnel, the tunnel all
  // its streams and listeners.
  UserspaceTunnel(Network& network, const UserspaceTunnelConfiguration& configuration);
  ~UserspaceTunnel() override;

  // Nothing goes in or out while it does not run.
  Task<> run() override;
  [[nodiscard]] std::string mode_text() const override { return "user space"; }

  [[nodiscard]] IpAddress address() const override { return address_; }
  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override;
  Task<Connected> connect_saying(SocketAddress remote, Duration timeout, Bytes first) override;
  std::unique_ptr<Listener> listen(std::uint16_t port) override;

  std::expected<PeerId, AddPeerError> add_peer(const PeerConfiguration& configuration) override;
  void remove_peer(PeerId peer) override;
  void set_endpoint(PeerId peer, const SocketAddress& endpoint,
                    const std::optional<IpAddress>& local = {}) override;
  [[nodiscard]] std::optional<IpAddress> local_address(PeerId peer) const override;
  void start_handshake(PeerId peer, bool impatient) override;
  [[nodiscard]] std::optional<PeerStatus> peer_status(PeerId peer) const override;
  [[nodiscard]] const PublicKey& public_key() const override { return device_.public_key(); }
  [[nodiscard]] Timestamp last_timestamp() const override { return device_.last_timestamp(); }
  void set_last_timestamp(const Timestamp& timestamp) override {
    device_.set_last_timestamp(timestamp);
  }
  void on_event(std::function<void(const DeviceEvent&)> callback) override {
    callback_ = std::move(callback);
  }
  void on_path_mtu(std::function<void(const PathMtuChange&)> callback) override {
    path_mtu_callback_ = std::move(callback);
  }

  [[nodiscard]] SocketAddress outer_address() const override { return socket_->local_address(); }
  void on_address_change(std::function<void()> callback) override {
    address_callback_ = std::move(callback);
  }
  void forget_local_address(PeerId peer) override;
  void rebind() override;

  [[nodiscard]] std::size_t connection_count() const override { return stack_.connection_count(); }
  [[nodiscard]] std::size_t buffered_bytes() const override { return stack_.buffered_bytes(); }
  [[nodiscard]] const TcpLimits& tcp_limits() const override { return tcp_limits_; }
  [[nodiscard]] bool under_load() const override { return device_.under_load(now()); }
  void end_accepted_streams(const IpAddress& peer) override;

  void pause() override;
  void resume() override;
  void hand_over(std::unique_ptr<MessageLink> link, std::function<void()> finish) override;
  [[nodiscard]] bool handed_over() const override { return behind_ != nullptr; }
  [[nodiscard]] Predecessors& predecessors() override { return predecessors_; }
  [[nodiscard]] const Predecessors& predecessors() const override { return predecessors_; }
  [[nodiscard]] std::vector<TcpEnds> connections() const override { return stack_.connections(); }
  [[nodiscard]] int descriptor() override { return socket_->descriptor(); }

  // ---- for TunnelStream and TunnelListener ---------------------------------------------------
  [[nodiscard]] TcpStack& stack() { return stack_; }
  [[nodiscard]] Instant now() const { return network_.timers().now(); }
  [[nodiscard]] boost::asio::any_io_executor executor() const { return network_.executor(); }
  // The stack may have something to send or a new deadline.
  void stack_was_used() {
    transmit_wanted_ = true;
    transmit_wanted_changed_.notify_all();
    if (behind_) behind_->stack_was_used();
  }
  void attach(ConnectionId connection, TunnelStream* stream) { streams_[connection] = stream; }
  void detach(ConnectionId connection) { streams_.erase(connection); }
  void attach(std::uint16_t port, TunnelListener* listener) { listeners_[port] = listener; }
  void detach(std::uint16_t port) { listeners_.erase(port); }

 private:
  Task<> run_device();
  Task<> wait_handed_over();
  Task<> receive_loop();
  Task<> transmit_loop();
  Task<> timer_loop();
  Task<> address_loop();
  Task<> wait_socket(bool readable);
  Task<> armed_before(Instant deadline);
  void handle_batch(Instant now, const DatagramSocket::Batch& batch);
  void handle_events();
  void handle_stack_events();
  void handle_stack_event(const StackEvent& event);
  // Lets everything that is due leave; true: the socket's buffer is full, wait for it.
  bool transmit(Instant now);
  // Fills the outgoing buffer with datagrams; false: nothing was due.
  bool collect(Instant now);
  std::size_t poll_packet(Instant now, MutableBytes into, bool ours_first);
  void append(const SocketAddress& remote, std::size_t datagram_bytes, std::uint8_t traffic_class);
  void append_probe(const SocketAddress& remote, std::size_t datagram_bytes);
  bool send_collected();
  void notice_suspension();
  void rearm();

  Network& network_;
  const IpAddress address_;
  const std::size_t mtu_;
  const SocketAddress listen_;
  const TcpLimits tcp_limits_;
  const bool keeps_local_address_;
  WireGuardDevice device_;
  TcpStack stack_;
  std::unique_ptr<DatagramSocket> socket_;
  std::unique_ptr<DatagramSocket> former_socket_;  // closed; somebody may still wait for it
  std::function<void(const DeviceEvent&)> callback_;
  std::function<void()> address_callback_;
  std::function<void(const PathMtuChange&)> path_mtu_callback_;
  std::unordered_map<PeerId, IpAddress> hosts_;                   // peers that are one host
  std::unordered_map<ConnectionId, TunnelStream*> streams_;       // not owned
  std::unordered_map<std::uint16_t, TunnelListener*> listeners_;  // not owned
  bool transmit_wanted_ = false;
  Event transmit_wanted_changed_;
  Instant armed_for_ = Instant::max();  // when timer_loop wakes
  Event armed_earlier_;
  Instant wall_clock_read_{};
  Duration suspended_{0};  // as the timers said last

  // Sealed datagrams on their way out: `batches_` are views into `outgoing_`, in order.
  std::vector<std::uint8_t> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  std::vector<DatagramSocket::Batch> batches_;
  std::size_t batches_sent_ = 0;
  bool last_batch_open_ = false;  // more datagrams may join it

  Predecessors predecessors_;
  bool paused_ = false;
  Event pause_over_;
  std::vector<TcpEnds> connections_at_pause_;
  std::unique_ptr<BehindSuccessor> behind_;  // none: the device is ours
  Event handed_over_;
};

// The one that works everywhere.
[[nodiscard]] std::unique_ptr<WireGuardTunnel> make_userspace_tunnel(
    Network& network, const UserspaceTunnelConfiguration& configuration);

}  // namespace sidestream::tunnel
