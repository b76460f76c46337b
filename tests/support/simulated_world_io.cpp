#include "tests/support/simulated_world_io.h"

#include <algorithm>

#include "tests/support/simulated_datagram_io.h"
#include "tests/support/simulated_network_io.h"
#include "tests/support/simulated_stream_io.h"

namespace sidestream {
namespace {

constexpr PathConditions same_place{.delay = 100us};
constexpr Duration loopback_delay = 20us;

}  // namespace

// One copy of a datagram on its way.
class World::Flight final : public TimerQueue::Alarm {
 public:
  explicit Flight(World& world) : world_(world) {}
  void fire() override { world_.deliver(*this); }

  SocketAddress source;           // as the receiver sees it
  SocketAddress to;               // as the sender wrote it
  SimulatedHost* host = nullptr;  // to one of these two
  SimulatedNat* nat = nullptr;
  std::uint8_t traffic_class = 0;
  std::vector<std::uint8_t> bytes;

 private:
  World& world_;
};

World::World(std::uint64_t seed) : seed_(seed), source_(seed), random_(source_.split()) {}

World::~World() = default;

SimulatedHost& World::add_host(const std::string& name, std::vector<IpAddress> addresses) {
  hosts_.push_back(
      std::make_unique<SimulatedHost>(*this, name, std::move(addresses), nullptr, places_++));
  return *hosts_.back();
}

SimulatedHost& World::add_host_behind(SimulatedNat& nat, const std::string& name,
                                      std::vector<IpAddress> addresses) {
  hosts_.push_back(std::make_unique<SimulatedHost>(*this, name, std::move(addresses), &nat,
                                                   nat_places_.at(&nat)));
  return *hosts_.back();
}

SimulatedNat& World::add_nat(const IpAddress& outside, const NatOptions& options) {
  nats_.push_back(std::make_unique<SimulatedNat>(outside, options));
  nat_places_[nats_.back().get()] = places_++;
  return *nats_.back();
}

SimulatedPath& World::path_between(std::size_t from, std::size_t to) {
  const auto found = paths_.find({from, to});
  if (found != paths_.end()) return found->second;
  const PathConditions& conditions = from == to ? same_place : PathConditions();
  // Of a seed of its own, so that it does not matter which path is used first.
  SeededRandom pair((from << 32U) + to + 1);
  const SeededRandom random(seed_ ^ pair.u64());
  return paths_.emplace(std::pair(from, to), SimulatedPath(conditions, random)).first->second;
}

SimulatedPath& World::path(const SimulatedHost& from, const SimulatedHost& to) {
  return path_between(from.place_, to.place_);
}

void World::set_paths(const SimulatedHost& one, const SimulatedHost& other,
                      const PathConditions& conditions) {
  path(one, other).conditions() = conditions;
  path(other, one).conditions() = conditions;
}

void World::set_up(const SimulatedHost& one, const SimulatedHost& other, bool up) {
  path(one, other).conditions().up = up;
  path(other, one).conditions().up = up;
}

void World::set_name(const std::string& name, std::vector<IpAddress> addresses) {
  if (addresses.empty()) {
    names_.erase(name);
  } else {
    names_[name] = std::move(addresses);
  }
}

bool World::run_until(const std::function<bool()>& done, Duration at_most) {
  const Instant end = now() + at_most;
  settle();
  while (!done()) {
    const auto next = timers().next_deadline();
    if (!next || *next > end) {
      timers().advance_to(end);
      settle();
      return done();
    }
    step();
  }
  return true;
}

SimulatedHost* World::owner_of(const SimulatedHost& from, const IpAddress& address) {
  const auto found = std::ranges::find_if(hosts_, [&](const auto& host) {
    return (!host->nat_ || host->nat_ == from.nat_) && host->has_address(address);
  });
  return found == hosts_.end() ? nullptr : found->get();
}

SimulatedNat* World::nat_at(const IpAddress& address) {
  const auto found = std::ranges::find_if(
      nats_, [&address](const auto& nat) { return nat->outside() == address; });
  return found == nats_.end() ? nullptr : found->get();
}

void World::send_datagram(SimulatedHost& from, const SocketAddress& source, const SocketAddress& to,
                          Bytes bytes, std::uint8_t traffic_class) {
  ++counters_.datagrams_sent;
  if (filter_ &&
      !filter_({.from = source, .to = to, .bytes = bytes, .traffic_class = traffic_class}))
    return;
  const bool inside = to.address.is_loopback() || from.has_address(to.address);
  if (!inside && !from.link_up_) return;
  SimulatedHost* host = inside ? &from : owner_of(from, to.address);
  SimulatedNat* nat = host ? nullptr : nat_at(to.address);
  if (!host && !nat) return;

  SimulatedPath::Arrivals arrivals{.count = 1, .at = {now() + loopback_delay}};
  SocketAddress seen = source;
  if (!inside) {
    const std::size_t place = host ? host->place_ : nat_places_.at(nat);
    if (from.nat_ && place != from.place_) seen = from.nat_->send(now(), source, to);
    arrivals = path_between(from.place_, place).send(now(), bytes.size());
  }
  for (std::size_t i = 0; i < arrivals.count; ++i) {
    if (idle_flights_.empty()) {
      flights_.push_back(std::make_unique<Flight>(*this));
      idle_flights_.push_back(flights_.back().get());
    }
    Flight& flight = *idle_flights_.back();
    idle_flights_.pop_back();
    flight.source = seen;
    flight.to = to;
    flight.host = host;
    flight.nat = nat;
    flight.traffic_class = traffic_class;
    flight.bytes.assign(bytes.begin(), bytes.end());
    timers().schedule(flight, arrivals.at[i]);
  }
}

void World::deliver(Flight& flight) {
  idle_flights_.push_back(&flight);
  SimulatedHost* host = flight.host;
  SocketAddress to = flight.to;
  if (flight.nat) {
    const auto inside = flight.nat->receive(now(), to.port, flight.source);
    if (!inside) return;
    to = *inside;
    const auto found = std::ranges::find_if(hosts_, [&](const auto& candidate) {
      return candidate->nat_ == flight.nat && candidate->has_address(to.address);
    });
    if (found == hosts_.end()) return;
    host = found->get();
  }
  const bool from_outside = !to.address.is_loopback() && !host->has_address(flight.source.address);
  if (!host->powered_ || (from_outside && !host->link_up_)) return;
  if (!to.address.is_loopback() && !host->has_address(to.address)) return;
  SimulatedDatagramSocket* socket = host->socket_at(to);
  if (!socket) return;
  ++counters_.datagrams_delivered;
  note_delivery(flight.bytes);
  socket->push(flight.source, to.address, flight.bytes, flight.traffic_class);
}

// FNV-1a over the time, the size and the first and last bytes.
void World::note_delivery(Bytes bytes) {
  const auto mix = [this](std::uint64_t word) {
    fingerprint_ = (fingerprint_ ^ word) * 1099511628211U;
  };
  mix(static_cast<std::uint64_t>(now().time_since_epoch().count()));
  mix(bytes.size());
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 16))) mix(byte);
  for (const std::uint8_t byte : bytes.last(std::min<std::size_t>(bytes.size(), 16))) mix(byte);
}

World::StreamTarget World::stream_target(SimulatedHost& from, const SocketAddress& to) {
  if (to.address.is_loopback() || from.has_address(to.address))
    return {.host = &from, .inside = to};
  if (SimulatedHost* host = owner_of(from, to.address))
    return {.host = host, .inside = to, .through_nat = from.nat_ && host->nat_ != from.nat_};
  SimulatedNat* nat = nat_at(to.address);
  const auto inside = nat ? nat->forwarded_to(to.port) : std::nullopt;
  if (!inside) return {};
  const auto found = std::ranges::find_if(hosts_, [&](const auto& host) {
    return host->nat_ == nat && host->has_address(inside->address);
  });
  if (found == hosts_.end()) return {};
  return {.host = found->get(), .inside = *inside, .through_nat = from.nat_ && from.nat_ != nat};
}

bool World::is_up(const SimulatedHost& one, const SimulatedHost& other) {
  return one.link_up() && other.link_up() && path(one, other).conditions().up &&
         path(other, one).conditions().up;
}

SimulatedConnection& World::add_connection(const StreamEnd& client, const StreamEnd& server) {
  return *connections_.emplace_back(std::make_unique<SimulatedConnection>(*this, client, server));
}

void World::remove_connection(SimulatedConnection& connection) {
  std::erase_if(connections_, [&](const auto& each) { return each.get() == &connection; });
}

}  // namespace sidestream
