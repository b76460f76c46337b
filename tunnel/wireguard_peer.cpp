#include "tunnel/wireguard_peer.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "tunnel/inner_packet.h"
#include "tunnel/padding.h"

namespace sidestream::tunnel {

using Verdict = WireGuardDevice::Sealed::Verdict;
using Transmit = WireGuardDevice::Transmit;

WireGuardPeer::WireGuardPeer(PeerId id, const PeerConfiguration& configuration,
                             const SymmetricKey& static_static,
                             const PeerSurroundings& surroundings)
    : id_(id),
      public_key_(configuration.public_key),
      preshared_key_(configuration.preshared_key),
      static_static_(static_static),
      noise_begin_(SymmetricState::begin(bytes_of(wireguard_identifier), configuration.public_key)),
      persistent_keepalive_(configuration.persistent_keepalive),
      surroundings_(surroundings),
      endpoint_(configuration.endpoint),
      timers_(surroundings.random),
      cookies_(configuration.public_key),
      staged_(surroundings.staged_packets_max, surroundings.staged_budget) {
  if (endpoint_) timers_.set_persistent_keepalive(persistent_keepalive_);
}

PeerStatus WireGuardPeer::status() const {
  return {.endpoint = endpoint_,
          .last_handshake = last_handshake_,
          .traffic = traffic_,
          .handshakes = handshakes_,
          .handshakes_given_up = handshakes_given_up_,
          .unanswered_since = unanswered_since_};
}

void WireGuardPeer::set_endpoint(const SocketAddress& endpoint) {
  const bool first = !endpoint_;
  endpoint_ = endpoint;
  if (first) timers_.set_persistent_keepalive(persistent_keepalive_);
}

void WireGuardPeer::learn_endpoint(const SocketAddress& from) {
  if (endpoint_ == from) return;
  set_endpoint(from);
  report(DeviceEvent::Kind::endpoint_changed);
}

void WireGuardPeer::drop_sessions() {
  outgoing_.reset();
  slots_.clear();
  staged_.clear();
  response_.reset();
  initiation_ = Wanted::no;
  keepalive_due_ = false;
  timers_.on_sessions_dropped();
  if (endpoint_) timers_.set_persistent_keepalive(persistent_keepalive_);
}

// ---- handshake
// ------------------------------------------------------------------------------------

void WireGuardPeer::start_handshake(Instant now, bool impatient) {
  const Duration impatient_pause =
      unanswered_ < 2 ? impatient_rekey_timeout : impatient_rekey_timeout_max;
  request_handshake(now, impatient ? impatient_pause : rekey_timeout, Wanted::yes);
}

void WireGuardPeer::request_handshake(Instant now, Duration pause, Wanted wanted) {
  if (endpoint_ && timers_.request_handshake(now, pause))
    initiation_ = std::max(initiation_, wanted);
}

std::optional<Transmit> WireGuardPeer::poll_initiation(Instant now, MutableBytes buffer) {
  const Wanted wanted = std::exchange(initiation_, Wanted::no);
  if (wanted == Wanted::no || !endpoint_) return std::nullopt;
  const KeyPair ephemeral = generate_key_pair(surroundings_.random);
  const Timestamp timestamp = surroundings_.timestamps.next(now);
  SessionIndex index = surroundings_.indices.take(surroundings_.random, id_);
  Initiation message{index.value(), {}};
  const auto noise =
      write_noise_initiation(noise_begin_, surroundings_.own, public_key_, static_static_,
                             ephemeral, timestamp.bytes, message.noise);
  if (!noise) return std::nullopt;
  outgoing_.emplace(std::move(index), *noise);

  const auto wire = buffer.first<initiation_bytes>();
  message.serialize(wire);
  cookies_.write_macs(now, wire);
  timers_.on_initiation_sent(now);
  if (!unanswered_since_) unanswered_since_ = now;
  ++unanswered_;
  Transmit sent = transmit(wire.size());
  sent.handshake = true;
  sent.traffic_class = handshake_traffic_class;
  sent.forget_local_address = wanted == Wanted::yes_and_forget_local_address;
  traffic_.count_sent(wire.size());
  return sent;
}

bool WireGuardPeer::handle_initiation(Instant now, const SocketAddress& from,
                                      const ClaimedInitiator& claimed, const Initiation& message) {
  Timestamp timestamp;
  const auto noise = read_noise_initiation(claimed, static_static_, message.noise, timestamp.bytes);
  if (!noise || timestamp <= newest_timestamp_) return false;
  if (last_accepted_initiation_ && now - *last_accepted_initiation_ < initiation_interval_min)
    return false;

  const KeyPair ephemeral = generate_key_pair(surroundings_.random);
  SessionIndex index = surroundings_.indices.take(surroundings_.random, id_);
  Response response{index.value(), message.sender, {}};
  const auto finished = write_noise_response(*noise, preshared_key_, ephemeral, {}, response.noise);
  if (!finished) return false;

  newest_timestamp_ = timestamp;
  last_accepted_initiation_ = now;
  response.serialize(response_.emplace());
  cookies_.write_macs(now, *response_);
  learn_endpoint(from);
  traffic_.count_received(initiation_bytes);
  begin_session(now, {std::move(index), message.sender}, finished->keys, false);
  timers_.on_handshake_received(now);
  timers_.on_response_sent(now);
  return true;
}

bool WireGuardPeer::expects_response(std::uint32_t receiver) const {
  return outgoing_ && outgoing_->index.value() == receiver;
}

bool WireGuardPeer::handle_response(Instant now, const SocketAddress& from,
                                    const Response& message) {
  if (!expects_response(message.receiver)) return false;
  const auto finished =
      read_noise_response(outgoing_->noise, surroundings_.own, preshared_key_, message.noise, {});
  if (!finished) return false;

  SessionIndex index = std::move(outgoing_->index);
  outgoing_.reset();
  learn_endpoint(from);
  traffic_.count_received(response_bytes);
  begin_session(now, {std::move(index), message.sender}, finished->keys, true);
  complete_handshake(now);
  timers_.on_handshake_received(now);
  // The responder may not send before it has received something under the new key.
  if (staged_.empty()) keepalive_due_ = true;
  return true;
}

void WireGuardPeer::begin_session(Instant now, Keypair::Names names, const SessionKeys& keys,
                                  bool initiator) {
  auto keypair = std::make_unique<Keypair>(std::move(names), keys, now, initiator);
  if (initiator)
    slots_.add_as_initiator(std::move(keypair));
  else
    slots_.add_as_responder(std::move(keypair));
  timers_.on_session_derived(now);
}

void WireGuardPeer::complete_handshake(Instant now) {
  timers_.on_handshake_completed();
  initiation_ = Wanted::no;
  renewed_after_receiving_ = false;
  last_handshake_ = now;
  ++handshakes_;
  unanswered_since_.reset();
  unanswered_ = 0;
  report(DeviceEvent::Kind::handshake_completed);
}

bool WireGuardPeer::handle_cookie_reply(Instant now, const CookieReply& reply) {
  return cookies_.take_reply(now, reply);
}

// ---- data
// -----------------------------------------------------------------------------------------

std::optional<MutableBytes> WireGuardPeer::handle_transport(Instant now, const SocketAddress& from,
                                                            const TransportHeader& header,
                                                            MutableBytes datagram) {
  Keypair* keypair = slots_.find(header.receiver);
  if (keypair == nullptr || !keypair->can_receive(now)) return std::nullopt;
  const auto text = keypair->open(header.counter, datagram);
  if (!text) return std::nullopt;
  learn_endpoint(from);
  if (slots_.confirm(*keypair)) complete_handshake(now);
  keep_key_fresh_after_receiving(now);
  timers_.on_transport_received(now, !text->empty());
  traffic_.count_received(datagram.size());
  return text;
}

void WireGuardPeer::keep_key_fresh_after_receiving(Instant now) {
  const Keypair* current = slots_.current();
  if (renewed_after_receiving_ || current == nullptr || !current->can_receive(now) ||
      !current->wants_rekey_on_receive(now))
    return;
  renewed_after_receiving_ = true;
  request_handshake(now, rekey_timeout, Wanted::yes);
}

Keypair* WireGuardPeer::sending_session(Instant now) const {
  Keypair* current = slots_.current();
  return current != nullptr && current->can_send(now) ? current : nullptr;
}

WireGuardPeer::Sealed WireGuardPeer::seal(Instant now, MutableBytes buffer,
                                          std::size_t packet_bytes) {
  if (!endpoint_) return {Verdict::no_endpoint};
  Keypair* keypair = sending_session(now);
  // Packets keep their order: while some wait to come out of poll_transmit, others wait behind.
  if (keypair == nullptr || !staged_.empty()) {
    staged_.push(buffer.subspan(transport_header_bytes, packet_bytes));
    if (keypair == nullptr) request_handshake(now, rekey_timeout, Wanted::yes);
    return {Verdict::staged};
  }
  return {Verdict::sealed, seal_under(*keypair, now, buffer, packet_bytes)};
}

std::size_t WireGuardPeer::seal_under(Keypair& keypair, Instant now, MutableBytes buffer,
                                      std::size_t packet_bytes) {
  const std::size_t padding = padding_of(packet_bytes, surroundings_.mtu);
  std::ranges::fill(buffer.subspan(transport_header_bytes + packet_bytes, padding),
                    std::uint8_t{0});
  const std::size_t datagram_bytes = packet_bytes + padding + keepalive_bytes;
  keypair.seal(buffer.first(datagram_bytes));
  timers_.on_transport_sent(now, packet_bytes > 0);
  traffic_.count_sent(datagram_bytes);
  keepalive_due_ = false;
  if (keypair.wants_rekey_on_send(now)) request_handshake(now, rekey_timeout, Wanted::yes);
  return datagram_bytes;
}

Transmit WireGuardPeer::transmit(std::size_t datagram_bytes) const {
  Transmit transmit;
  transmit.to = *endpoint_;
  transmit.datagram_bytes = datagram_bytes;
  transmit.peer = id_;
  return transmit;
}

std::optional<Transmit> WireGuardPeer::poll_transmit(Instant now, MutableBytes buffer) {
  if (response_) {
    std::ranges::copy(*response_, buffer.begin());
    response_.reset();
    Transmit sent = transmit(response_bytes);
    sent.handshake = true;
    sent.traffic_class = handshake_traffic_class;
    traffic_.count_sent(response_bytes);
    return sent;
  }
  if (staged_.empty() && !keepalive_due_) return std::nullopt;
  Keypair* keypair = endpoint_ ? sending_session(now) : nullptr;
  if (keypair == nullptr) {
    // A handshake ends with a keepalive, or with what is staged.
    if (std::exchange(keepalive_due_, false)) request_handshake(now, rekey_timeout, Wanted::yes);
    return std::nullopt;
  }
  if (staged_.empty()) return transmit(seal_under(*keypair, now, buffer, 0));
  const Bytes packet = staged_.front();
  std::ranges::copy(packet, buffer.subspan(transport_header_bytes).begin());
  const auto inner = InnerPacket::parse(packet);
  Transmit sent = transmit(seal_under(*keypair, now, buffer, packet.size()));
  if (inner)
    sent.traffic_class = static_cast<std::uint8_t>(outer_ecn(ecn_of(inner->traffic_class)));
  staged_.pop();
  return sent;
}

// ---- time
// -----------------------------------------------------------------------------------------

void WireGuardPeer::handle_timeout(Instant now) {
  const PeerTimers::Due due = timers_.handle_timeout(now);
  if (due.zero_keys) {
    outgoing_.reset();
    slots_.clear();
    response_.reset();
    report(DeviceEvent::Kind::sessions_zeroed);
  }
  if (due.give_up) {
    staged_.clear();
    ++handshakes_given_up_;
    report(DeviceEvent::Kind::handshake_gave_up);
  }
  if (due.retry_handshake && endpoint_) initiation_ = Wanted::yes_and_forget_local_address;
  if (due.new_handshake)
    request_handshake(now, rekey_timeout, Wanted::yes_and_forget_local_address);
  if (due.deferred_handshake) request_handshake(now, Duration::zero(), Wanted::yes);
  if (due.keepalive) keepalive_due_ = true;
}

std::optional<DeviceEvent> WireGuardPeer::poll_event() {
  if (events_ == 0) return std::nullopt;
  const auto kind = static_cast<unsigned>(std::countr_zero(events_));
  events_ &= events_ - 1;
  return DeviceEvent{static_cast<DeviceEvent::Kind>(kind), id_};
}

}  // namespace sidestream::tunnel
