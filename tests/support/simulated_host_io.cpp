#include "tests/support/simulated_host_io.h"

#include <algorithm>

#include "tests/support/simulated_datagram_io.h"
#include "tests/support/simulated_network_io.h"
#include "tests/support/simulated_stream_io.h"

namespace sidestream {

SimulatedHost::SimulatedHost(World& world, std::string name, std::vector<IpAddress> addresses,
                             SimulatedNat* nat, std::size_t place)
    : world_(world),
      name_(std::move(name)),
      addresses_(std::move(addresses)),
      nat_(nat),
      place_(place) {}

SimulatedHost::~SimulatedHost() = default;

Network& SimulatedHost::network() {
  return boots_.empty() ? boot() : *boots_.back();
}

Network& SimulatedHost::boot() {
  if (!boots_.empty() && !boots_.back()->dead()) kill();
  powered_ = true;
  boots_.push_back(std::make_unique<SimulatedNetwork>(world_, *this));
  return *boots_.back();
}

void SimulatedHost::kill() {
  take_down(true);
}

void SimulatedHost::lose_power() {
  powered_ = false;
  take_down(false);
}

void SimulatedHost::take_down(bool reset_connections) {
  if (!boots_.empty()) boots_.back()->die();
  while (!listeners_.empty()) listeners_.back()->close();
  while (!unix_listeners_.empty()) unix_listeners_.begin()->second->close();
  while (!sockets_.empty()) sockets_.back()->close();
  for (const auto& connection : world_.connections_)
    connection->forget_end_at(*this, reset_connections);
}

bool SimulatedHost::has_address(const IpAddress& address) const {
  return std::ranges::find(addresses_, address) != addresses_.end();
}

std::optional<IpAddress> SimulatedHost::source_for(const IpAddress& remote) const {
  if (remote.is_loopback()) return remote;
  const auto found = std::ranges::find_if(addresses_, [&remote](const IpAddress& address) {
    return address.is_v6() == remote.is_v6();
  });
  return found == addresses_.end() ? std::nullopt : std::optional(*found);
}

SimulatedListener* SimulatedHost::listener_at(const SocketAddress& address) const {
  // One that is bound to this very address comes before one that takes all.
  SimulatedListener* any = nullptr;
  for (SimulatedListener* listener : listeners_) {
    if (!listener->matches(address)) continue;
    if (listener->local_address().address == address.address) return listener;
    if (!any) any = listener;
  }
  return any;
}

SimulatedDatagramSocket* SimulatedHost::socket_at(const SocketAddress& address) const {
  const auto found = std::ranges::find_if(
      sockets_,
      [&address](const SimulatedDatagramSocket* socket) { return socket->matches(address); });
  return found == sockets_.end() ? nullptr : *found;
}

std::uint16_t SimulatedHost::ephemeral_port() {
  const std::uint16_t port = next_port_++;
  if (next_port_ == 0) next_port_ = 49152;
  return port;
}

}  // namespace sidestream
