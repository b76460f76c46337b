#include "tunnel/kernel_tunnel_io.h"

#include <algorithm>
#include <utility>

#include "streams/asio_io.h"
#include "streams/join_io.h"
#include "tunnel/crypto.h"

namespace sidestream::tunnel {
namespace {

// Whoever was called answers within a round trip; everybody else is looked at for the display.
constexpr Duration look_after_call = 50ms;
constexpr Duration look_otherwise = 2s;
// So long after a call an answer is worth looking for that often.
constexpr Duration answer_time = 5s;
// WireGuard's own end of trying (section 6.4, REKEY_ATTEMPT_TIME).
constexpr Duration give_up_time = 90s;
constexpr Duration address_change_pause = 100ms;
constexpr std::string_view congestion_control = "bbr";

// The port that a listener has is open in the interface's filter as long as it listens.
class KernelTunnelListener final : public Listener {
 public:
  KernelTunnelListener(WireGuardInterface& interface, std::unique_ptr<Listener> inner)
      : interface_(interface), inner_(std::move(inner)), port_(inner_->local_address().port) {
    interface_.open_stream_port(port_);
  }
  ~KernelTunnelListener() override { close(); }

  Task<std::unique_ptr<Stream>> accept() override { return inner_->accept(); }
  void close() noexcept override {
    if (std::exchange(open_, false)) interface_.close_stream_port(port_);
    inner_->close();
  }
  [[nodiscard]] SocketAddress local_address() const override { return inner_->local_address(); }

 private:
  WireGuardInterface& interface_;
  std::unique_ptr<Listener> inner_;
  const std::uint16_t port_;
  bool open_ = true;
};

SocketPlace place_of(const UserspaceTunnelConfiguration& configuration,
                     const WireGuardInterface& interface) {
  return {.address = configuration.address,
          .device = interface.name(),
          .congestion_control = std::string(congestion_control),
          .patience = configuration.tcp_limits.user_timeout};
}

}  // namespace

KernelTunnel::KernelTunnel(Network& network, const UserspaceTunnelConfiguration& configuration,
                           std::unique_ptr<WireGuardInterface> interface)
    : network_(network),
      tcp_limits_(configuration.tcp_limits),
      public_key_(key_pair_of(configuration.private_key).public_key),
      interface_(std::move(interface)),
      sockets_(network, place_of(configuration, *interface_)),
      predecessors_(network.executor(), network.random(), [] {}) {}

KernelTunnel::~KernelTunnel() = default;

std::string KernelTunnel::mode_text() const {
  return (interface_->is_ours() ? "kernel (" : "interface (") + interface_->name() + ")";
}

SocketAddress KernelTunnel::outer_address() const {
  return {IpAddress::v6({}), interface_->port()};
}

std::string KernelTunnel::handover_obstacle() const {
  return "its tunnel is an interface of the kernel's, which is not handed over; stop it and start "
         "the new one";
}

// ---- watching ----------------------------------------------------------------------------------

Task<> KernelTunnel::run() {
  co_await both(look_loop(), address_loop());
}

Task<> KernelTunnel::look_loop() {
  for (;;) {
    look();
    co_await first_of(network_.timers().sleep_for(look_pause()), wait_call());
  }
}

Task<> KernelTunnel::wait_call() {
  co_await called_.wait();
}

Duration KernelTunnel::look_pause() const {
  const Instant now = network_.timers().now();
  const bool answer_is_due = std::ranges::any_of(peers_, [&](const auto& entry) {
    return entry.second.called_at && now < *entry.second.called_at + answer_time;
  });
  return answer_is_due ? look_after_call : look_otherwise;
}

void KernelTunnel::look() {
  if (!interface_->is_ours()) return believe();
  std::map<PublicKey, PeerId> ids;
  for (const auto& [id, known] : peers_) ids[known.configuration.public_key] = id;
  for (const WireGuardInterface::Peer& seen : interface_->peers())
    if (const auto id = ids.find(seen.public_key); id != ids.end())
      if (const auto known = peers_.find(id->second); known != peers_.end())
        take(id->second, known->second, seen);
  tell_unanswered();
}

// Whoever manages the interface keeps it up, and tells us nothing.
void KernelTunnel::believe() {
  const Instant now = network_.timers().now();
  for (auto& [id, known] : peers_) {
    if (!std::exchange(known.called_at, std::nullopt)) continue;
    known.status.last_handshake = now;
    known.status.unanswered_since.reset();
    ++known.status.handshakes;
    tell(DeviceEvent::Kind::handshake_completed, id);
  }
}

void KernelTunnel::take(PeerId id, Known& known, const WireGuardInterface::Peer& seen) {
  const bool moved = seen.endpoint && seen.endpoint != known.status.endpoint;
  if (seen.endpoint) known.status.endpoint = seen.endpoint;
  known.status.traffic.received_bytes = seen.received_bytes;
  known.status.traffic.sent_bytes = seen.sent_bytes;
  if (seen.last_handshake && seen.last_handshake != known.last_handshake) {
    known.last_handshake = seen.last_handshake;
    const auto ago =
        std::chrono::duration_cast<Duration>(network_.timers().wall_now() - *seen.last_handshake);
    known.status.last_handshake = network_.timers().now() - std::max(ago, Duration::zero());
    known.status.unanswered_since.reset();
    known.called_at.reset();
    ++known.status.handshakes;
    last_timestamp_ = std::max(last_timestamp_, timestamp_of(*seen.last_handshake));
    return tell(DeviceEvent::Kind::handshake_completed, id);
  }
  if (moved) tell(DeviceEvent::Kind::endpoint_changed, id);
}

void KernelTunnel::tell_unanswered() {
  const Instant now = network_.timers().now();
  std::vector<PeerId> tired;
  for (auto& [id, known] : peers_) {
    if (!known.called_at || now < *known.called_at + give_up_time) continue;
    known.called_at.reset();
    ++known.status.handshakes_given_up;
    tired.push_back(id);
  }
  for (const PeerId id : tired) tell(DeviceEvent::Kind::handshake_gave_up, id);
}

void KernelTunnel::tell(DeviceEvent::Kind kind, PeerId peer) {
  if (callback_) callback_({kind, peer});
}

Task<> KernelTunnel::address_loop() {
  if (!address_callback_) co_return;
  const std::unique_ptr<AddressWatch> watch = network_.watch_addresses();
  if (!watch) co_return;
  for (;;) {
    co_await watch->wait_changed();
    address_callback_();
    co_await network_.timers().sleep_for(address_change_pause);
  }
}

// ---- peers -------------------------------------------------------------------------------------

std::expected<PeerId, AddPeerError> KernelTunnel::add_peer(const PeerConfiguration& configuration) {
  if (configuration.public_key == public_key_) return std::unexpected(AddPeerError::own_key);
  if (is_low_order(configuration.public_key)) return std::unexpected(AddPeerError::low_order_key);
  for (const auto& [id, known] : peers_)
    if (known.configuration.public_key == configuration.public_key)
      return std::unexpected(AddPeerError::already_there);
  try {
    interface_->set_peer(configuration);
  } catch (const system_error&) {
    return std::unexpected(AddPeerError::too_many);
  }
  const PeerId id{++next_id_};
  Known known{.configuration = configuration, .status = {}, .last_handshake = {}, .called_at = {}};
  known.status.endpoint = configuration.endpoint;
  peers_.emplace(id, std::move(known));
  return id;
}

void KernelTunnel::remove_peer(PeerId peer) {
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return;
  try {
    interface_->remove_peer(known->second.configuration);
  } catch (const system_error&) {
    // The interface is gone, and the peer with it.
  }
  peers_.erase(known);
}

void KernelTunnel::set_endpoint(PeerId peer, const SocketAddress& endpoint,
                                const std::optional<IpAddress>& /*local*/) {
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return;
  known->second.configuration.endpoint = endpoint;
  known->second.status.endpoint = endpoint;
  try {
    interface_->set_peer(known->second.configuration);
  } catch (const system_error&) {
    // No way there; the next address is tried.
  }
}

void KernelTunnel::start_handshake(PeerId peer, bool /*impatient*/) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  Known& known = found->second;
  const Instant now = network_.timers().now();
  if (!known.status.unanswered_since) known.status.unanswered_since = now;
  if (!known.called_at) known.called_at = now;
  // It may have roamed since it was told to us.
  PeerConfiguration calling = known.configuration;
  calling.endpoint = known.status.endpoint;
  try {
    interface_->call_peer(calling);
  } catch (const system_error&) {
    // As a call that nobody answers.
  }
  called_.notify_all();
}

std::optional<PeerStatus> KernelTunnel::peer_status(PeerId peer) const {
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return std::nullopt;
  return known->second.status;
}

void KernelTunnel::rebind() {
  try {
    interface_->choose_new_port();
  } catch (const system_error&) {
    // It stays with the old one.
  }
}

// ---- streams -----------------------------------------------------------------------------------

bool KernelTunnel::has_route(const IpAddress& remote) const {
  return std::ranges::any_of(peers_, [&](const auto& entry) {
    return std::ranges::any_of(entry.second.configuration.allowed_ips,
                               [&](const IpPrefix& prefix) { return prefix.contains(remote); });
  });
}

Task<std::unique_ptr<Stream>> KernelTunnel::connect(SocketAddress remote, Duration timeout) {
  if (!has_route(remote.address)) throw_error(asio::error::host_unreachable, "kernel tunnel");
  co_return co_await sockets_.connect(remote, timeout);
}

std::unique_ptr<Listener> KernelTunnel::listen(std::uint16_t port) {
  return std::make_unique<KernelTunnelListener>(*interface_, sockets_.listen(port));
}

}  // namespace sidestream::tunnel
