#include "tunnel/tcp_stack.h"

#include <algorithm>

#include "tunnel/stack_state.h"

namespace sidestream::tunnel {

TcpStack::TcpStack(const StackConfiguration& configuration, RandomSource& random)
    : state_(std::make_unique<State>(configuration, random)) {}

TcpStack::~TcpStack() = default;

// ---- packets ------------------------------------------------------------------------------------

void TcpStack::handle_packet(Instant now, Bytes packet) {
  state_->handle_packet(now, packet);
}

void TcpStack::handle_timeout(Instant now) {
  state_->handle_timeout(now);
}

void TcpStack::handle_path_restored(Instant now) {
  state_->handle_path_restored(now);
}

void TcpStack::search_path_mtu(Instant now, const IpAddress& remote) {
  state_->path_mtus.search(now, remote);
}

std::size_t TcpStack::path_mtu(const IpAddress& remote) const {
  return state_->path_mtus.mtu(remote);
}

std::optional<PathMtuChange> TcpStack::poll_path_mtu() {
  auto& changes = state_->path_mtu_changes;
  if (changes.empty()) return std::nullopt;
  const PathMtuChange change = changes.front();
  changes.pop_front();
  return change;
}

std::optional<Instant> TcpStack::next_deadline() const {
  const Instant earliest = std::min({state_->deadlines.earliest(), state_->turns.deadline(),
                                     state_->time_wait.deadline(), state_->path_mtus.deadline()});
  if (earliest == Instant::max()) return std::nullopt;
  return earliest;
}

std::size_t TcpStack::poll_transmit(Instant now, MutableBytes buffer) {
  return state_->poll_transmit(now, buffer);
}

std::optional<StackEvent> TcpStack::poll_event() {
  return state_->poll_event();
}

// ---- connections --------------------------------------------------------------------------------

std::expected<ConnectionId, TcpError> TcpStack::connect(Instant now, const SocketAddress& remote) {
  return state_->connect(now, remote);
}

std::expected<void, TcpError> TcpStack::listen(std::uint16_t port) {
  if (state_->listeners.contains(port)) return std::unexpected(TcpError::address_in_use);
  if (state_->listeners.size() >= state_->configuration.limits.listeners_max)
    return std::unexpected(TcpError::too_many);
  state_->listeners[port].port = port;
  return {};
}

void TcpStack::stop_listening(std::uint16_t port) {
  state_->stop_listening(port);
}

TcpStack::ReadResult TcpStack::read(Instant now, ConnectionId connection, MutableBytes into) {
  ConnectionEntry* const entry = state_->table.find(connection);
  if (entry == nullptr) return {.error = TcpError::aborted};
  const ReadResult result = entry->connection.read(now, into);
  state_->settle(now, *entry);
  return result;
}

bool TcpStack::readable(ConnectionId connection) const {
  const ConnectionEntry* const entry = state_->table.find(connection);
  return entry == nullptr || entry->connection.has_something_to_read();
}

std::size_t TcpStack::write(Instant now, ConnectionId connection, Bytes from) {
  ConnectionEntry* const entry = state_->table.find(connection);
  if (entry == nullptr) return 0;
  const std::size_t taken = entry->connection.write(from);
  state_->settle(now, *entry);
  return taken;
}

void TcpStack::close_write(Instant now, ConnectionId connection) {
  ConnectionEntry* const entry = state_->table.find(connection);
  if (entry == nullptr) return;
  entry->connection.close_write();
  state_->settle(now, *entry);
}

void TcpStack::abort(Instant now, ConnectionId connection) {
  ConnectionEntry* const entry = state_->table.find(connection);
  if (entry == nullptr) return;
  entry->connection.abort();
  state_->settle(now, *entry);
}

void TcpStack::reset_accepted(Instant now) {
  state_->table.for_each([this, now](ConnectionEntry& entry) {
    if (entry.listener_port == 0 || entry.connection.over()) return;
    entry.connection.fail_as_reset();
    state_->settle(now, entry);
  });
}

void TcpStack::reset_all(Instant now, const std::optional<IpAddress>& remote) {
  state_->table.for_each([&](ConnectionEntry& entry) {
    TcpConnection& connection = entry.connection;
    if (connection.over() || (remote && connection.ends().remote.address != *remote)) return;
    connection.fail_as_reset();
    state_->settle(now, entry);
  });
}

void TcpStack::release(Instant now, ConnectionId connection) {
  ConnectionEntry* const entry = state_->table.find(connection);
  if (entry == nullptr || entry->released) return;
  entry->released = true;
  if (!entry->connection.ended_both_ways()) entry->connection.abort();
  state_->settle(now, *entry);
}

std::optional<ConnectionStatus> TcpStack::status(ConnectionId connection) const {
  const ConnectionEntry* const entry = state_->table.find(connection);
  if (entry == nullptr) return std::nullopt;
  return entry->connection.status();
}

std::size_t TcpStack::connection_count() const {
  return state_->table.size();
}

std::size_t TcpStack::buffered_bytes() const {
  return state_->pool.used_bytes();
}

std::vector<TcpEnds> TcpStack::connections() const {
  std::vector<TcpEnds> connections;
  state_->table.for_each([&](const ConnectionEntry& entry) {
    if (entry.reachable) connections.push_back(entry.connection.ends());
  });
  return connections;
}

void TcpStack::avoid(std::function<bool(const TcpEnds&)> is_taken) {
  state_->is_taken = std::move(is_taken);
}

}  // namespace sidestream::tunnel
