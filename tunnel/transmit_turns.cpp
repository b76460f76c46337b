#include "tunnel/transmit_turns.h"

#include <utility>

namespace sidestream::tunnel {
namespace {

// More than the retransmission timer of a usual line, less than the time between two of its later
// goes, which is what a notice of the path's return saves.
constexpr Duration silence_min = 500ms;

}  // namespace

TransmitTurns::TransmitTurns(MakeCongestionControl congestion, std::size_t mss)
    : make_congestion_control_(congestion), mss_(mss), shared_(congestion(mss)->models_path()) {}

// ---- what happened ------------------------------------------------------------------------------

void TransmitTurns::join(Instant now, ConnectionEntry& entry) {
  const IpAddress& address = entry.connection.ends().remote.address;
  StackPeer& peer = peers_[address];
  if (peer.connections.empty()) peer.heard_at = now;
  peer.address = address;
  peer.connections.push_back(entry);
  entry.peer = &peer;
  entry.turn_bytes = turn_bytes;
  if (!shared_) return;
  if (!peer.macroflow)
    peer.macroflow = std::make_unique<Macroflow>(now, make_congestion_control_(mss_));
  entry.connection.share(*peer.macroflow);
}

bool TransmitTurns::hear_from(Instant now, StackPeer& peer) {
  return now - std::exchange(peer.heard_at, now) >= silence_min;
}

StackPeer* TransmitTurns::find(const IpAddress& address) {
  const auto found = peers_.find(address);
  return found == peers_.end() ? nullptr : &found->second;
}

void TransmitTurns::release(StackPeer& peer) {
  if (!peer.connections.empty()) return;
  open_.remove(peer);
  paced_.remove(peer);
  peers_.erase(peer.address);
}

void TransmitTurns::on_change(ConnectionEntry& entry) {
  ready_.push_back(entry);
  open(*entry.peer);
}

void TransmitTurns::on_over(ConnectionEntry& entry) {
  ready_.remove(entry);
  entry.peer->leave(entry);
  open(*entry.peer);
}

void TransmitTurns::open(StackPeer& peer) {
  if (peer.anybody_waits()) open_.push_back(peer);
}

void TransmitTurns::handle_timeout(Instant now) {
  while (StackPeer* const peer = paced_.pop_due(now)) open(*peer);
}

// ---- who sends ----------------------------------------------------------------------------------

std::optional<TransmitTurns::Turn> TransmitTurns::next() {
  if (ConnectionEntry* const entry = ready_.front()) {
    const StackPeer& peer = *entry->peer;
    const bool first = peer.first() == entry;
    const bool waits = entry->turn_link.linked;
    return Turn{entry,
                {.text = !waits || first,
                 .thin = waits ? entry->waits_thin : peer.anybody_waits(),
                 .others_wait = first ? peer.others_wait() : peer.anybody_waits()}};
  }
  while (StackPeer* const peer = open_.front()) {
    if (ConnectionEntry* const entry = peer->first())
      return Turn{entry, {.thin = entry->waits_thin, .others_wait = peer->others_wait()}};
    open_.remove(*peer);
  }
  return std::nullopt;
}

void TransmitTurns::on_polled(const Turn& turn, std::size_t bytes) {
  ConnectionEntry& entry = *turn.entry;
  if (bytes == 0) ready_.remove(entry);
  if (!turn.send.text) return;
  if (bytes > 0) {
    entry.turn_bytes -= static_cast<std::ptrdiff_t>(bytes);
    if (entry.turn_bytes <= 0) end_turn(entry);
    return;
  }
  const TcpSender::Held held = entry.connection.held();
  if (entry.peer->macroflow && held != TcpSender::Held::no) {
    hold(turn, held);
    return;
  }
  entry.peer->leave(entry);
  entry.turn_bytes = turn_bytes;
}

void TransmitTurns::end_turn(ConnectionEntry& entry) {
  StackPeer& peer = *entry.peer;
  entry.turn_bytes += turn_bytes;
  peer.leave(entry);
  peer.wait(entry, false);
  // Others that are ready, then other peers.
  ready_.remove(entry);
  open_.remove(peer);
  open_.push_back(peer);
}

void TransmitTurns::hold(const Turn& turn, TcpSender::Held held) {
  StackPeer& peer = *turn.entry->peer;
  peer.wait(*turn.entry, turn.send.thin);
  // What holds a thin one holds all the others, too.
  open_.remove(peer);
  if (held == TcpSender::Held::pace) paced_.set(peer, peer.macroflow->paced_until(turn.send.thin));
}

}  // namespace sidestream::tunnel
