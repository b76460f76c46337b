#include "tunnel/userspace_tunnel_io.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "streams/asio_io.h"
#include "streams/deadline_io.h"
#include "streams/join_io.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint8_t initiation_type = 1;

// What one sendmsg with UDP_SEGMENT may carry (UDP_MAX_SEGMENTS, and the IPv4 length field).
constexpr std::size_t batch_datagrams_max = 64;
constexpr std::size_t batch_bytes_max = 65507;
constexpr std::size_t outgoing_bytes_max = 2 * 65536;
// Rounds of sending or receiving before other coroutines of the thread get their turn.
constexpr int rounds_max = 16;
// How far the wall clock may run away from what timestamps are made of.
constexpr Duration wall_clock_interval = 10s;
// A sleep that no peer notices.
constexpr Duration suspension_min = 1s;
// Addresses and routes change in groups.
constexpr Duration address_change_pause = 100ms;

}  // namespace

TcpLimits tunnel_tcp_limits(Duration patience) {
  TcpLimits limits;
  limits.rto_initial = 300ms;
  limits.rto_initial_after_syn = 1s;
  limits.syn_rto_max = 1s;
  limits.syn_retries_max = 60;  // as often as seconds: who dials says how long
  limits.syn_text_bytes_max = 4096;
  limits.keepalive_idle = 15s;
  limits.keepalive_interval = 10s;
  limits.keepalive_probes_max = static_cast<unsigned>(
      std::max(patience - limits.keepalive_idle, Duration::zero()) / limits.keepalive_interval);
  limits.user_timeout = patience;
  return limits;
}

UserspaceTunnel::UserspaceTunnel(Network& network,
                                 const UserspaceTunnelConfiguration& configuration)
    : network_(network),
      address_(configuration.address),
      mtu_(configuration.mtu),
      listen_(configuration.listen),
      tcp_limits_(configuration.tcp_limits),
      keeps_local_address_(configuration.keeps_local_address),
      device_(configuration.private_key, configuration.mtu, network.random(),
              configuration.device_limits),
      stack_({{configuration.address},
              configuration.mtu,
              configuration.tcp_limits,
              configuration.make_congestion_control},
             network.random()),
      socket_(network.open_udp(configuration.first_listen.value_or(configuration.listen))),
      outgoing_(outgoing_bytes_max),
      predecessors_(network.executor(), network.random(), [this] { stack_was_used(); }) {
  stack_.avoid([this](const TcpEnds& ends) { return predecessors_.has(ends); });
  suspended_ = network_.timers().suspended();
  wall_clock_read_ = now();
  device_.set_wall_clock(wall_clock_read_, network_.timers().wall_now());
}

UserspaceTunnel::~UserspaceTunnel() = default;

std::unique_ptr<WireGuardTunnel> make_userspace_tunnel(
    Network& network, const UserspaceTunnelConfiguration& configuration) {
  return std::make_unique<UserspaceTunnel>(network, configuration);
}

Task<> UserspaceTunnel::run_device() {
  Task<> moving = both(both(receive_loop(), address_loop()), both(transmit_loop(), timer_loop()));
  co_await both(std::move(moving), predecessors_.run());
}

// The socket may be another one afterwards.
Task<> UserspaceTunnel::wait_socket(bool readable) {
  const DatagramSocket* const waited_for = socket_.get();
  error_code error;
  Task<> waiting = readable ? socket_->wait_readable() : socket_->wait_writable();
  try {
    co_await std::move(waiting);
  } catch (const system_error& failure) {
    error = failure.code();
  }
  if (error && waited_for == socket_.get()) throw system_error(error);
}

Task<> UserspaceTunnel::address_loop() {
  if (!address_callback_) co_return;
  const std::unique_ptr<AddressWatch> watch = network_.watch_addresses();
  if (!watch) co_return;
  for (;;) {
    co_await watch->wait_changed();
    address_callback_();
    co_await network_.timers().sleep_for(address_change_pause);
  }
}

void UserspaceTunnel::rebind() {
  std::unique_ptr<DatagramSocket> fresh;
  try {
    fresh = network_.open_udp(listen_);
  } catch (const system_error&) {
    return;
  }
  socket_->close();
  former_socket_ = std::exchange(socket_, std::move(fresh));
}

// ---- in ----------------------------------------------------------------------------------------

Task<> UserspaceTunnel::receive_loop() {
  for (;;) {
    co_await wait_socket(true);
    while (paused_) co_await pause_over_.wait();
    const Instant now = this->now();
    for (int round = 0; round < rounds_max; ++round) {
      const auto batches = socket_->receive();
      if (batches.empty()) break;
      for (const DatagramSocket::Batch& batch : batches) handle_batch(now, batch);
    }
    predecessors_.flush();
    handle_events();
    stack_was_used();
  }
}

void UserspaceTunnel::handle_batch(Instant now, const DatagramSocket::Batch& batch) {
  const std::size_t step = std::max<std::size_t>(batch.segment_bytes, 1);
  for (std::size_t at = 0; at < batch.bytes.size(); at += step) {
    const MutableBytes datagram = batch.bytes.subspan(at, std::min(step, batch.bytes.size() - at));
    const auto received = device_.handle_datagram(now, batch.remote, datagram, batch.traffic_class);
    if (received && !predecessors_.take(received->packet))
      stack_.handle_packet(now, received->packet);
  }
}

void UserspaceTunnel::handle_events() {
  handle_stack_events();
  while (const auto change = stack_.poll_path_mtu())
    if (path_mtu_callback_) path_mtu_callback_(*change);
  while (const auto event = device_.poll_event()) {
    using Kind = DeviceEvent::Kind;
    if (event->kind == Kind::handshake_completed || event->kind == Kind::endpoint_changed) {
      stack_.handle_path_restored(now());
      if (const auto host = hosts_.find(event->peer); host != hosts_.end())
        stack_.search_path_mtu(now(), host->second);
      predecessors_.handle_path_restored();
    }
    if (callback_) callback_(*event);
  }
}

void UserspaceTunnel::handle_stack_events() {
  while (const auto event = stack_.poll_event()) handle_stack_event(*event);
}

void UserspaceTunnel::handle_stack_event(const StackEvent& event) {
  if (event.kind == StackEvent::Kind::accepted) {
    const auto listener = listeners_.find(event.listener_port);
    auto stream = std::make_unique<TunnelStream>(*this, event.connection);
    stream->handle_event(event);
    // Without a listener (it was closed this moment) the stream's end resets the connection.
    if (listener != listeners_.end()) listener->second->handle_accepted(std::move(stream));
    return;
  }
  const auto stream = streams_.find(event.connection);
  if (stream != streams_.end()) stream->second->handle_event(event);
}

// ---- out ---------------------------------------------------------------------------------------

Task<> UserspaceTunnel::transmit_loop() {
  for (;;) {
    while (!transmit_wanted_) co_await transmit_wanted_changed_.wait();
    transmit_wanted_ = false;
    while (transmit(now())) co_await wait_socket(false);
    handle_events();
    rearm();
    if (transmit_wanted_) co_await yield_now();
  }
}

bool UserspaceTunnel::transmit(Instant now) {
  if (paused_) return false;
  notice_suspension();
  for (int round = 0; round < rounds_max; ++round) {
    if (!send_collected()) return true;
    if (!collect(now)) return false;
  }
  stack_was_used();  // there may be more; others first
  return !send_collected();
}

bool UserspaceTunnel::collect(Instant now) {
  const std::size_t room_for_one =
      std::max(mtu_ + transport_header_bytes + transport_overhead_max, datagram_bytes_max);
  for (bool ours = false; outgoing_.size() - outgoing_bytes_ >= room_for_one; ours = !ours) {
    const MutableBytes place = MutableBytes(outgoing_).subspan(outgoing_bytes_);
    if (const auto own = device_.poll_transmit(now, place)) {
      // A new try should be free to leave by another address than the last one.
      const bool may_move = own->forget_local_address || !keeps_local_address_;
      if (place[0] == initiation_type && may_move) socket_->forget_local_address(own->to);
      append(own->to, own->datagram_bytes, own->traffic_class);
      continue;
    }
    const std::size_t packet_bytes =
        poll_packet(now, place.subspan(transport_header_bytes, mtu_), ours);
    if (packet_bytes == 0) break;
    const bool probe = is_path_mtu_probe(place.subspan(transport_header_bytes, packet_bytes));
    const auto sealed = device_.seal(now, place, packet_bytes);
    if (sealed.verdict != WireGuardDevice::Sealed::Verdict::sealed) continue;
    if (probe)
      append_probe(sealed.endpoint, sealed.datagram_bytes);
    else
      append(sealed.endpoint, sealed.datagram_bytes, sealed.traffic_class);
  }
  return outgoing_bytes_ > 0;
}

// Our own packets and those of predecessors take turns.
std::size_t UserspaceTunnel::poll_packet(Instant now, MutableBytes into, bool ours_first) {
  std::size_t bytes = ours_first ? stack_.poll_transmit(now, into) : 0;
  if (bytes == 0) bytes = predecessors_.poll_transmit(into);
  if (bytes == 0 && !ours_first) bytes = stack_.poll_transmit(now, into);
  return bytes;
}

void UserspaceTunnel::append(const SocketAddress& remote, std::size_t datagram_bytes,
                             std::uint8_t traffic_class) {
  const MutableBytes datagram = MutableBytes(outgoing_).subspan(outgoing_bytes_, datagram_bytes);
  outgoing_bytes_ += datagram_bytes;
  if (last_batch_open_) {
    DatagramSocket::Batch& last = batches_.back();
    const std::size_t bytes = last.bytes.size() + datagram_bytes;
    if (last.remote == remote && last.traffic_class == traffic_class &&
        datagram_bytes <= last.segment_bytes && bytes <= batch_bytes_max &&
        bytes <= last.segment_bytes * batch_datagrams_max) {
      last.bytes = {last.bytes.data(), bytes};
      last_batch_open_ = datagram_bytes == last.segment_bytes;
      return;
    }
  }
  batches_.push_back({remote, datagram, datagram_bytes, traffic_class});
  last_batch_open_ = true;
}

void UserspaceTunnel::append_probe(const SocketAddress& remote, std::size_t datagram_bytes) {
  last_batch_open_ = false;
  append(remote, datagram_bytes, 0);
  batches_.back().unfragmented = true;
  last_batch_open_ = false;
}

bool UserspaceTunnel::send_collected() {
  while (batches_sent_ < batches_.size()) {
    if (!socket_->send(batches_[batches_sent_])) return false;
    ++batches_sent_;
  }
  batches_.clear();
  batches_sent_ = 0;
  outgoing_bytes_ = 0;
  last_batch_open_ = false;
  return true;
}

// ---- time --------------------------------------------------------------------------------------

// The monotonic clock, by which sessions age, stands still while the machine sleeps; the peer's
// does not. Nor is it known what a hibernated image was resumed from, and how often.
void UserspaceTunnel::notice_suspension() {
  const Duration suspended = network_.timers().suspended();
  if (suspended - suspended_ < suspension_min) return;
  suspended_ = suspended;
  device_.drop_sessions();
}

void UserspaceTunnel::rearm() {
  Instant earliest = Instant::max();
  if (const auto deadline = device_.next_deadline()) earliest = std::min(earliest, *deadline);
  if (const auto deadline = stack_.next_deadline()) earliest = std::min(earliest, *deadline);
  if (earliest >= armed_for_) return;  // waking early costs less than arming for each packet
  armed_for_ = earliest;
  armed_earlier_.notify_all();
}

Task<> UserspaceTunnel::armed_before(Instant deadline) {
  while (armed_for_ >= deadline) co_await armed_earlier_.wait();
}

Task<> UserspaceTunnel::timer_loop() {
  for (;;) {
    if (armed_for_ == Instant::max())
      co_await armed_earlier_.wait();
    else
      co_await first_of(network_.timers().sleep_until(armed_for_), armed_before(armed_for_));
    while (paused_) co_await pause_over_.wait();
    const Instant now = this->now();
    if (now < armed_for_) continue;
    armed_for_ = Instant::max();
    if (now - wall_clock_read_ >= wall_clock_interval) {
      wall_clock_read_ = now;
      device_.set_wall_clock(now, network_.timers().wall_now());
    }
    device_.handle_timeout(now);
    stack_.handle_timeout(now);
    handle_events();
    stack_was_used();
    rearm();
  }
}

// ---- users -------------------------------------------------------------------------------------

Task<std::unique_ptr<Stream>> UserspaceTunnel::connect(SocketAddress remote, Duration timeout) {
  Connected connected = co_await connect_saying(remote, timeout, {});
  co_return std::move(connected.stream);
}

Task<Tunnel::Connected> UserspaceTunnel::connect_saying(SocketAddress remote, Duration timeout,
                                                        Bytes first) {
  if (!handed_over() && !device_.route(remote.address))
    throw boost::system::system_error(boost::asio::error::host_unreachable);
  const auto connection = stack_.connect(now(), remote);
  if (!connection) throw boost::system::system_error(error_code_of(connection.error()));
  auto stream = std::make_unique<TunnelStream>(*this, *connection);
  const std::size_t written = stack_.write(now(), *connection, first);
  stack_was_used();
  co_await with_timeout(network_.timers(), timeout, stream->wait_connected());
  co_return Connected{std::move(stream), written};
}

std::unique_ptr<Listener> UserspaceTunnel::listen(std::uint16_t port) {
  return std::make_unique<TunnelListener>(*this, port);
}

std::expected<PeerId, AddPeerError> UserspaceTunnel::add_peer(
    const PeerConfiguration& configuration) {
  auto peer = device_.add_peer(configuration);
  if (peer && !configuration.allowed_ips.empty() && configuration.allowed_ips.front().is_host())
    hosts_.emplace(*peer, configuration.allowed_ips.front().address());
  stack_was_used();
  return peer;
}

void UserspaceTunnel::remove_peer(PeerId peer) {
  device_.remove_peer(peer);
  hosts_.erase(peer);
}

void UserspaceTunnel::set_endpoint(PeerId peer, const SocketAddress& endpoint,
                                   const std::optional<IpAddress>& local) {
  device_.set_endpoint(peer, endpoint);
  if (local) socket_->set_local_address_for(endpoint, *local);
  stack_was_used();
}

void UserspaceTunnel::start_handshake(PeerId peer, bool impatient) {
  device_.start_handshake(now(), peer, impatient);
  stack_was_used();
}

// Whoever was accepted before us came from the same peer.
void UserspaceTunnel::end_accepted_streams(const IpAddress& peer) {
  predecessors_.handle_peer_lost(peer);
  stack_.reset_accepted(now());
  handle_events();
  stack_was_used();
}

std::optional<PeerStatus> UserspaceTunnel::peer_status(PeerId peer) const {
  return device_.status(peer);
}

std::optional<IpAddress> UserspaceTunnel::local_address(PeerId peer) const {
  const auto status = device_.status(peer);
  if (!status || !status->endpoint) return std::nullopt;
  return socket_->local_address_for(*status->endpoint);
}

void UserspaceTunnel::forget_local_address(PeerId peer) {
  const auto status = device_.status(peer);
  if (status && status->endpoint) socket_->forget_local_address(*status->endpoint);
}

}  // namespace sidestream::tunnel
