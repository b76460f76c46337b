#include "tunnel/stack_state.h"

#include <algorithm>
#include <utility>

#include "tunnel/bbr.h"

namespace sidestream::tunnel {
namespace {

// Far enough behind what an old connection may have had in flight.
constexpr std::uint32_t reopened_distance = 65537;

// What a segment with timestamps carries.
std::size_t full_segment_bytes(std::size_t mtu) {
  TcpOptions options;
  options.timestamps.emplace();
  return mtu - ipv4_header_bytes - tcp_header_bytes - tcp_options_bytes(options);
}

}  // namespace

TcpStack::State::State(const StackConfiguration& chosen, RandomSource& random_source)
    : configuration(chosen),
      random(random_source),
      pool(configuration.limits.memory_bytes_max),
      replies(configuration.limits.replies_max + configuration.limits.connections_max),
      surroundings{configuration.limits, pool, replies, configuration.mtu,
                   configuration.make_congestion_control != nullptr
                       ? configuration.make_congestion_control
                       : make_bbr},
      sequence_hash(random),
      timestamp_hash(random),
      ends_hash{KeyedHash(random)},
      path_mtus(configuration.mtu, configuration.addresses,
                static_cast<std::uint16_t>(random.u32())),
      turns(surroundings.make_congestion_control, full_segment_bytes(configuration.mtu)),
      table(ends_hash),
      time_wait(configuration.limits, replies, ends_hash) {}

bool TcpStack::State::is_ours(const IpAddress& address) const {
  return std::ranges::find(configuration.addresses, address) != configuration.addresses.end();
}

TcpConnection::Secrets TcpStack::State::secrets_for(
    Instant now, const TcpEnds& ends, std::optional<std::uint32_t> sequence_after) const {
  const EndsBytes message(ends);
  // RFC 9293 section 3.4.1: a clock of 4 microseconds and a hash of the ends.
  const auto clock = static_cast<std::uint32_t>(now.time_since_epoch() / 4us);
  auto sequence = static_cast<std::uint32_t>(sequence_hash(message.bytes())) + clock;
  if (sequence_after && static_cast<std::int32_t>(sequence - *sequence_after) <= 0)
    sequence = *sequence_after + reopened_distance;
  return {.initial_sequence = sequence,
          .timestamp_offset = static_cast<std::uint32_t>(timestamp_hash(message.bytes()))};
}

std::expected<ConnectionId, TcpError> TcpStack::State::connect(Instant now,
                                                               const SocketAddress& remote) {
  const auto local =
      std::ranges::find(configuration.addresses, remote.address.is_v4(), &IpAddress::is_v4);
  if (local == configuration.addresses.end()) return std::unexpected(TcpError::no_route);
  if (table.size() >= configuration.limits.connections_max)
    return std::unexpected(TcpError::too_many);
  TcpEnds ends{.local = {*local, 0}, .remote = remote};
  const std::uint32_t first = configuration.limits.ephemeral_port_first;
  const std::uint32_t count = configuration.limits.ephemeral_port_last - first + 1;
  const std::uint32_t start = random.below(count);
  std::optional<std::uint32_t> sequence_after;
  // First a port that nobody has; when there is none, one whose TIME-WAIT can be cut short.
  for (std::uint32_t i = 0; i < 2 * count; ++i) {
    ends.local.port = static_cast<std::uint16_t>(first + (start + i) % count);
    if (listeners.contains(ends.local.port) || table.find(ends) != nullptr) continue;
    if (is_taken && is_taken(ends)) continue;
    if (time_wait.holds(ends)) {
      if (i < count) continue;
      sequence_after = time_wait.reuse(now, ends);
      if (!sequence_after) continue;
    }
    ConnectionEntry& entry = table.add(std::make_unique<ConnectionEntry>(
        now, surroundings, ends, secrets_for(now, ends, sequence_after)));
    turns.join(now, entry);
    entry.connection.set_path_mtu(path_mtus.mtu(remote.address));
    settle(now, entry);
    return entry.id;
  }
  return std::unexpected(TcpError::no_ports);
}

void TcpStack::State::stop_listening(std::uint16_t port) {
  const auto found = listeners.find(port);
  if (found == listeners.end()) return;
  TcpListener& listener = found->second;
  for (ConnectionEntry* entry = listener.half_open.front(); entry != nullptr;
       entry = listener.half_open.front()) {
    entry->connection.abort();
    destroy(*entry);
  }
  for (ConnectionEntry* entry = listener.unannounced.front(); entry != nullptr;
       entry = listener.unannounced.front()) {
    entry->connection.abort();
    destroy(*entry);
  }
  listeners.erase(found);
}

void TcpStack::State::leave_backlog(ConnectionEntry& entry) {
  TcpListener* const listener = std::exchange(entry.listener, nullptr);
  if (listener == nullptr) return;
  if (entry.connection.opened() && entry.accept_pending) {
    listener->unannounced.remove(entry);
    --listener->unannounced_count;
  } else {
    listener->half_open.remove(entry);
    --listener->half_open_count;
  }
  entry.accept_pending = false;
}

void TcpStack::State::destroy(ConnectionEntry& entry) {
  leave_backlog(entry);
  deadlines.remove(entry);
  turns.on_over(entry);
  eventful.remove(entry);
  StackPeer& peer = *entry.peer;
  peer.connections.remove(entry);
  table.destroy(entry);
  turns.release(peer);
}

void TcpStack::State::settle(Instant now, ConnectionEntry& entry) {
  TcpConnection& connection = entry.connection;
  if (entry.listener != nullptr) {
    if (connection.over()) {  // before anybody knew of it
      destroy(entry);
      return;
    }
    if (connection.opened() && !entry.accept_pending) {
      TcpListener& listener = *entry.listener;
      listener.half_open.remove(entry);
      --listener.half_open_count;
      listener.unannounced.push_back(entry);
      ++listener.unannounced_count;
      entry.accept_pending = true;
      eventful.push_back(entry);
    }
  }
  if (connection.over() && entry.reachable) {
    table.hide(entry);
    if (connection.state() == TcpState::time_wait || connection.early())
      time_wait.add(now, connection.ends(), connection.remains());
  }
  if (connection.over() && entry.released) {
    destroy(entry);
    return;
  }
  if (connection.has_event() && !entry.released) eventful.push_back(entry);
  if (entry.released) eventful.remove(entry);
  if (connection.over()) {
    deadlines.remove(entry);
    turns.on_over(entry);
    return;
  }
  // What is due now is for poll_transmit, which sets the next deadline.
  if (connection.deadline() > now) deadlines.set(entry, connection.deadline());
  turns.on_change(entry);
}

void TcpStack::State::handle_timeout(Instant now) {
  while (ConnectionEntry* const entry = deadlines.pop_due(now)) {
    entry->connection.handle_timeout(now);
    if (entry->connection.doubts_path_mtu())
      path_mtus.doubt(now, entry->connection.ends().remote.address);
    settle(now, *entry);
  }
  path_mtus.handle_timeout(now);
  take_path_mtus(now);
  turns.handle_timeout(now);
  time_wait.handle_timeout(now);
}

void TcpStack::State::handle_path_restored(Instant now) {
  table.for_each([this, now](ConnectionEntry& entry) {
    if (!entry.connection.waits_for_path()) return;
    entry.connection.handle_path_restored(now);
    settle(now, entry);
  });
}

void TcpStack::State::handle_heard_again(Instant now, const IpAddress& remote) {
  const StackPeer* const peer = turns.find(remote);
  if (peer == nullptr) return;
  for (ConnectionEntry* entry = peer->connections.front(); entry != nullptr;) {
    ConnectionEntry* const after = peer->connections.after(*entry);
    if (entry->connection.silent()) {
      entry->connection.handle_path_restored(now);
      settle(now, *entry);
    }
    entry = after;
  }
}

void TcpStack::State::take_path_mtus(Instant now) {
  while (const auto change = path_mtus.poll_change()) {
    path_mtu_changes.push_back(*change);
    const StackPeer* const peer = turns.find(change->remote);
    if (peer == nullptr) continue;
    for (ConnectionEntry* entry = peer->connections.front(); entry != nullptr;) {
      ConnectionEntry* const after = peer->connections.after(*entry);
      entry->connection.set_path_mtu(change->mtu);
      if (entry->connection.silent()) entry->connection.handle_path_restored(now);
      settle(now, *entry);
      entry = after;
    }
  }
}

std::size_t TcpStack::State::poll_transmit(Instant now, MutableBytes buffer) {
  if (const std::size_t bytes = replies.pop(buffer)) return bytes;
  if (const std::size_t bytes = path_mtus.poll_transmit(buffer)) return bytes;
  while (const auto turn = turns.next()) {
    ConnectionEntry& entry = *turn->entry;
    const std::size_t bytes = entry.connection.poll_transmit(now, buffer, turn->send);
    deadlines.set(entry, entry.connection.deadline());
    if (entry.connection.has_event() && !entry.released) eventful.push_back(entry);
    turns.on_polled(*turn, bytes);
    if (bytes != 0) return bytes;
  }
  return 0;
}

std::optional<StackEvent> TcpStack::State::poll_event() {
  while (ConnectionEntry* const entry = eventful.front()) {
    StackEvent event{.kind = StackEvent::Kind::accepted, .connection = entry->id};
    if (entry->accept_pending) {
      event.listener_port = entry->listener_port;
      leave_backlog(*entry);
      if (!entry->connection.has_event()) eventful.remove(*entry);
      return event;
    }
    const auto kind = entry->connection.poll_event();
    if (!kind || !entry->connection.has_event()) eventful.remove(*entry);
    if (!kind) continue;
    event.kind = *kind;
    if (*kind == StackEvent::Kind::closed) event.error = entry->connection.error();
    return event;
  }
  return std::nullopt;
}

}  // namespace sidestream::tunnel
