#include "tunnel/wireguard_device.h"

#include <algorithm>
#include <deque>

#include "tunnel/cookie.h"
#include "tunnel/handshake_queue.h"
#include "tunnel/handshake_rate_limiter.h"
#include "tunnel/inner_packet.h"
#include "tunnel/peer_table.h"
#include "tunnel/session_indices.h"
#include "tunnel/timestamp.h"
#include "tunnel/wireguard_messages.h"

namespace sidestream::tunnel {

struct WireGuardDevice::State {
  struct CookieTransmit {
    SocketAddress to;
    CookieReply reply;
  };

  State(const PrivateKey& private_key, std::size_t mtu_of_tunnel, RandomSource& random_source,
        const DeviceLimits& device_limits)
      : own(key_pair_of(private_key)),
        noise_begin(SymmetricState::begin(bytes_of(wireguard_identifier), own.public_key)),
        mtu(std::min(mtu_of_tunnel, mtu_max)),
        cookie_replies_max(device_limits.cookie_replies_max),
        staged_budget{device_limits.staged_bytes_max},
        surroundings{own,           mtu,     device_limits.staged_packets_max,
                     random_source, indices, timestamps,
                     staged_budget},
        peers(surroundings, device_limits),
        checker(own.public_key, random_source),
        limiter(device_limits),
        handshakes(device_limits),
        initiation_budget(device_limits.handshakes_per_turn_max, device_limits.handshake_turn) {}

  void handle_handshake(Instant now, const SocketAddress& from, Bytes message);
  bool admit(Instant now, const SocketAddress& from, Bytes message);
  void work_off(Instant now, const SocketAddress& from, Bytes message);
  void work_off_queue(Instant now);
  std::optional<Received> handle_transport(Instant now, const SocketAddress& from,
                                           MutableBytes datagram, Ecn outer);
  std::optional<Transmit> poll_cookie_reply(MutableBytes buffer);
  std::optional<Transmit> poll_peers(Instant now, MutableBytes buffer);
  std::optional<Transmit> poll_initiations(Instant now, MutableBytes buffer);

  const KeyPair own;
  const SymmetricState noise_begin;
  const std::size_t mtu;
  const std::size_t cookie_replies_max;

  // What the peers borrow, so before them.
  SessionIndices indices;
  Tai64nClock timestamps;
  StagedBudget staged_budget;
  const PeerSurroundings surroundings;
  PeerTable peers;

  CookieChecker checker;
  HandshakeRateLimiter limiter;
  HandshakeQueue handshakes;
  TurnBudget initiation_budget;
  std::deque<CookieTransmit> cookie_replies;
};

// ---- handshake messages
// -----------------------------------------------------------------------------

void WireGuardDevice::State::handle_handshake(Instant now, const SocketAddress& from,
                                              Bytes message) {
  if (!checker.has_valid_mac1(message)) return;
  if (const auto response = Response::parse(message)) {
    const PeerTable::Member* peer = peers.find_by_index(response->receiver);
    if (peer == nullptr || !peer->expects_response(response->receiver)) return;
  }
  const bool under_load = handshakes.under_load(now);
  if (under_load && !admit(now, from, message)) return;
  if (handshakes.empty() && handshakes.take_turn(now))
    work_off(now, from, message);
  else
    handshakes.push(now, from, message, under_load);
}

// Under load: whether the sender has proved its address and does not ask too often. One that has
// not proved it gets a cookie.
bool WireGuardDevice::State::admit(Instant now, const SocketAddress& from, Bytes message) {
  if (checker.has_valid_mac2(now, from, message)) return limiter.allow(now, from.address);
  if (cookie_replies.size() < cookie_replies_max)
    cookie_replies.emplace_back(from, checker.make_reply(now, from, message));
  return false;
}

void WireGuardDevice::State::work_off(Instant now, const SocketAddress& from, Bytes message) {
  PeerTable::Member* peer = nullptr;
  bool good = false;
  if (const auto initiation = Initiation::parse(message)) {
    const auto claimed = read_noise_initiator(noise_begin, own, initiation->noise);
    if (claimed) peer = peers.find(claimed->initiator);
    good = peer != nullptr && peer->handle_initiation(now, from, *claimed, *initiation);
  } else if (const auto response = Response::parse(message)) {
    peer = peers.find_by_index(response->receiver);
    good = peer != nullptr && peer->handle_response(now, from, *response);
  }
  if (good) peers.refresh(now, *peer);
}

void WireGuardDevice::State::work_off_queue(Instant now) {
  while (!handshakes.empty()) {
    HandshakeQueue::Waiting& first = handshakes.front();
    if (!first.cookie_was_good && handshakes.under_load(now)) {
      if (!admit(now, first.from, first.message())) {
        handshakes.pop();
        continue;
      }
      first.cookie_was_good = true;
    }
    if (!handshakes.take_turn(now)) return;
    work_off(now, first.from, first.message());
    handshakes.pop();
  }
}

// ---- data messages
// ----------------------------------------------------------------------------------

std::optional<WireGuardDevice::Received> WireGuardDevice::State::handle_transport(
    Instant now, const SocketAddress& from, MutableBytes datagram, Ecn outer) {
  const auto header = TransportHeader::parse(datagram);
  PeerTable::Member* peer = header ? peers.find_by_index(header->receiver) : nullptr;
  if (peer == nullptr) return std::nullopt;
  const auto text = peer->handle_transport(now, from, *header, datagram);
  if (!text) return std::nullopt;
  peers.refresh(now, *peer);

  const auto packet = InnerPacket::parse(*text);
  if (!packet || !peers.owns(*peer, packet->source)) return std::nullopt;
  const MutableBytes cut = text->first(packet->length);
  const Ecn inner = ecn_of(packet->traffic_class);
  if (inner_ecn(inner, outer) != inner) set_ecn(cut, inner_ecn(inner, outer));
  return Received{peer->id(), cut};
}

// ---- sending
// ----------------------------------------------------------------------------------------

std::optional<WireGuardDevice::Transmit> WireGuardDevice::State::poll_cookie_reply(
    MutableBytes buffer) {
  if (cookie_replies.empty()) return std::nullopt;
  const CookieTransmit& waiting = cookie_replies.front();
  waiting.reply.serialize(buffer.first<cookie_reply_bytes>());
  Transmit transmit;
  transmit.to = waiting.to;
  transmit.datagram_bytes = cookie_reply_bytes;
  cookie_replies.pop_front();
  return transmit;
}

// One peer is emptied before the next has its turn, so that runs of datagrams go to one address.
std::optional<WireGuardDevice::Transmit> WireGuardDevice::State::poll_peers(Instant now,
                                                                            MutableBytes buffer) {
  while (PeerTable::Member* peer = peers.transmitting()) {
    const auto transmit = peer->poll_transmit(now, buffer);
    if (!transmit) peers.stop_transmitting();
    peers.refresh(now, *peer);
    if (transmit) return transmit;
  }
  return std::nullopt;
}

std::optional<WireGuardDevice::Transmit> WireGuardDevice::State::poll_initiations(
    Instant now, MutableBytes buffer) {
  while (PeerTable::Member* peer = peers.initiating()) {
    if (peer->wants_to_initiate() && !initiation_budget.take(now)) return std::nullopt;
    peers.stop_initiating();
    const auto transmit = peer->poll_initiation(now, buffer);
    peers.refresh(now, *peer);
    if (transmit) return transmit;
  }
  return std::nullopt;
}

// ---- the device
// -------------------------------------------------------------------------------------

WireGuardDevice::WireGuardDevice(const PrivateKey& private_key, std::size_t mtu,
                                 RandomSource& random, const DeviceLimits& limits)
    : state_(std::make_unique<State>(private_key, mtu, random, limits)) {}

WireGuardDevice::~WireGuardDevice() = default;

const PublicKey& WireGuardDevice::public_key() const {
  return state_->own.public_key;
}

std::expected<PeerId, AddPeerError> WireGuardDevice::add_peer(
    const PeerConfiguration& configuration) {
  return state_->peers.add(configuration);
}

void WireGuardDevice::remove_peer(PeerId peer) {
  state_->peers.remove(peer);
}

std::optional<PeerId> WireGuardDevice::find_peer(const PublicKey& key) const {
  const PeerTable::Member* found = state_->peers.find(key);
  if (found == nullptr) return std::nullopt;
  return found->id();
}

void WireGuardDevice::set_endpoint(PeerId peer, const SocketAddress& endpoint) {
  state_->peers.set_endpoint(peer, endpoint);
}

void WireGuardDevice::set_preshared_key(PeerId peer, const PresharedKey& key) {
  if (PeerTable::Member* found = state_->peers.find(peer)) found->set_preshared_key(key);
}

std::optional<PeerStatus> WireGuardDevice::status(PeerId peer) const {
  const PeerTable::Member* found = state_->peers.find(peer);
  if (found == nullptr) return std::nullopt;
  return found->status();
}

std::optional<PeerId> WireGuardDevice::route(const IpAddress& inner) const {
  const PeerTable::Member* found = state_->peers.find_by_address(inner);
  if (found == nullptr) return std::nullopt;
  return found->id();
}

void WireGuardDevice::start_handshake(Instant now, PeerId peer, bool impatient) {
  PeerTable::Member* found = state_->peers.find(peer);
  if (found == nullptr) return;
  found->start_handshake(now, impatient);
  state_->peers.refresh(now, *found);
}

void WireGuardDevice::drop_sessions() {
  state_->peers.drop_sessions();
}

void WireGuardDevice::set_wall_clock(Instant now, WallTime wall) {
  state_->timestamps.set_wall_clock(now, wall);
}

Timestamp WireGuardDevice::last_timestamp() const {
  return state_->timestamps.last();
}

void WireGuardDevice::set_last_timestamp(const Timestamp& timestamp) {
  state_->timestamps.set_last(timestamp);
}

void WireGuardDevice::handle_timeout(Instant now) {
  state_->work_off_queue(now);
  while (PeerTable::Member* due = state_->peers.due(now)) {
    due->handle_timeout(now);
    state_->peers.refresh(now, *due);
  }
}

std::optional<Instant> WireGuardDevice::next_deadline() const {
  Instant next = std::min(state_->handshakes.next_deadline(), state_->peers.next_deadline());
  if (state_->peers.initiating() != nullptr)
    next = std::min(next, state_->initiation_budget.next_turn());
  if (next == Instant::max()) return std::nullopt;
  return next;
}

std::optional<WireGuardDevice::Received> WireGuardDevice::handle_datagram(
    Instant now, const SocketAddress& from, MutableBytes datagram, std::uint8_t traffic_class) {
  const SocketAddress source{from.address.unmapped(), from.port};
  const auto type = message_type(datagram);
  if (type == MessageType::transport)
    return state_->handle_transport(now, source, datagram, ecn_of(traffic_class));
  if (type == MessageType::initiation || type == MessageType::response) {
    state_->handle_handshake(now, source, datagram);
  } else if (const auto reply = CookieReply::parse(datagram)) {
    if (PeerTable::Member* peer = state_->peers.find_by_index(reply->receiver))
      peer->handle_cookie_reply(now, *reply);
  }
  return std::nullopt;
}

WireGuardDevice::Sealed WireGuardDevice::seal(Instant now, MutableBytes buffer,
                                              std::size_t packet_bytes) {
  Sealed result{Sealed::Verdict::no_route};
  if (packet_bytes > state_->mtu || buffer.size() < packet_bytes + transport_overhead_max)
    return result;
  const auto packet = InnerPacket::parse(buffer.subspan(transport_header_bytes, packet_bytes));
  PeerTable::Member* peer = packet ? state_->peers.find_by_address(packet->destination) : nullptr;
  if (peer == nullptr) return result;
  const WireGuardPeer::Sealed sealed = peer->seal(now, buffer, packet_bytes);
  state_->peers.refresh(now, *peer);
  result.verdict = sealed.verdict;
  result.datagram_bytes = sealed.datagram_bytes;
  result.peer = peer->id();
  result.traffic_class = static_cast<std::uint8_t>(outer_ecn(ecn_of(packet->traffic_class)));
  if (peer->endpoint()) result.endpoint = *peer->endpoint();
  return result;
}

std::optional<WireGuardDevice::Transmit> WireGuardDevice::poll_transmit(Instant now,
                                                                        MutableBytes buffer) {
  if (auto transmit = state_->poll_cookie_reply(buffer)) return transmit;
  if (auto transmit = state_->poll_peers(now, buffer)) return transmit;
  return state_->poll_initiations(now, buffer);
}

std::optional<DeviceEvent> WireGuardDevice::poll_event() {
  while (PeerTable::Member* peer = state_->peers.reporting()) {
    if (const auto event = peer->poll_event()) return event;
    state_->peers.stop_reporting();
  }
  return std::nullopt;
}

bool WireGuardDevice::under_load(Instant now) const {
  return state_->handshakes.under_load(now);
}

}  // namespace sidestream::tunnel
