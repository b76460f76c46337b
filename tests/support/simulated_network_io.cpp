#include "tests/support/simulated_network_io.h"

#include "streams/deadline_io.h"
#include "tests/support/simulated_datagram_io.h"
#include "tests/support/simulated_stream_io.h"

namespace sidestream {
namespace {

constexpr Duration loopback_delay = 20us;
constexpr Duration resolver_delay = 5ms;

error_code address_not_available() {
  return make_error_code(boost::system::errc::address_not_available);
}

}  // namespace

class SimulatedAddressWatch final : public AddressWatch {
 public:
  explicit SimulatedAddressWatch(SimulatedHost& host) : host_(host), seen_(host.address_changes_) {}

  Task<> wait_changed() override {
    while (seen_ == host_.address_changes_) co_await host_.address_changed_.wait();
    seen_ = host_.address_changes_;
  }

 private:
  SimulatedHost& host_;
  std::uint64_t seen_;
};

Instant SimulatedNetwork::Clock::now() const {
  return world_.now();
}
WallTime SimulatedNetwork::Clock::wall_now() const {
  return world_.timers().wall_now() + host_.wall_jump_;
}
Duration SimulatedNetwork::Clock::suspended() const {
  return host_.slept_;
}
std::size_t SimulatedNetwork::Clock::size() const {
  return world_.timers().size();
}
Task<> SimulatedNetwork::Clock::sleep_until(Instant deadline) {
  return world_.timers().sleep_until(deadline);
}

SimulatedNetwork::SimulatedNetwork(World& world, SimulatedHost& host)
    : world_(world), host_(host), clock_(world, host), random_(world.split_random()) {}

asio::any_io_executor SimulatedNetwork::executor() {
  return world_.loop().executor();
}

void SimulatedNetwork::throw_if_dead() const {
  if (dead_) throw_error(asio::error::network_down, "network");
}

Task<std::unique_ptr<Stream>> SimulatedNetwork::connect(SocketAddress remote, Duration timeout) {
  Task<std::unique_ptr<Stream>> connecting = connect_when_possible(remote);
  co_return co_await with_timeout(clock_, timeout, std::move(connecting));
}

// The handshake takes a round trip; without an answer it is tried again after 1, 2, 4 … seconds.
Task<std::unique_ptr<Stream>> SimulatedNetwork::connect_when_possible(SocketAddress remote) {
  throw_if_dead();
  const std::optional<IpAddress> source = host_.source_for(remote.address);
  if (!source) throw_error(asio::error::network_unreachable, "connect");
  for (Duration retry = 1s;; retry *= 2) {
    const World::StreamTarget target = world_.stream_target(host_, remote);
    const bool loopback = target.host == &host_;
    if (target.host && (loopback || world_.is_up(host_, *target.host))) {
      const Duration there =
          loopback ? loopback_delay : world_.path(host_, *target.host).conditions().delay;
      const Duration back =
          loopback ? loopback_delay : world_.path(*target.host, host_).conditions().delay;
      co_await clock_.sleep_for(there);
      throw_if_dead();
      if (target.host->powered_) {
        SimulatedListener* listener = target.host->listener_at(target.inside);
        if (!listener) {
          co_await clock_.sleep_for(back);
          throw_error(asio::error::connection_refused, "connect");
        }
        const SocketAddress local{*source, host_.ephemeral_port()};
        const SocketAddress seen =
            target.through_nat ? SocketAddress{host_.nat_->outside(), local.port} : local;
        SimulatedConnection& connection =
            world_.add_connection({.host = &host_, .local = local, .remote = remote},
                                  {.host = target.host, .local = target.inside, .remote = seen});
        std::unique_ptr<Stream> near = connection.client_stream();
        listener->push(connection.server_stream());
        co_await clock_.sleep_for(back);
        co_return near;
      }
    }
    co_await clock_.sleep_for(retry);
    throw_if_dead();
  }
}

Task<std::unique_ptr<Stream>> SimulatedNetwork::connect_unix(std::string path, Duration timeout) {
  Task<std::unique_ptr<Stream>> connecting = connect_unix_now(std::move(path));
  co_return co_await with_timeout(clock_, timeout, std::move(connecting));
}

Task<std::unique_ptr<Stream>> SimulatedNetwork::connect_unix_now(std::string path) {
  throw_if_dead();
  co_await clock_.sleep_for(loopback_delay);
  const auto found = host_.unix_listeners_.find(path);
  if (found == host_.unix_listeners_.end())
    throw_error(make_error_code(boost::system::errc::no_such_file_or_directory), "connect");
  SimulatedConnection& connection = world_.add_connection(
      {.host = &host_, .local = {}, .remote = {}}, {.host = &host_, .local = {}, .remote = {}});
  std::unique_ptr<Stream> near = connection.client_stream();
  found->second->push(connection.server_stream());
  co_return near;
}

// With a port, checked that it is ours to bind.
SocketAddress SimulatedNetwork::address_to_bind(const SocketAddress& local) const {
  throw_if_dead();
  const IpAddress& address = local.address;
  if (!address.is_unspecified() && !address.is_loopback() && !host_.has_address(address))
    throw_error(address_not_available(), "bind");
  return local.port != 0 ? local : SocketAddress{address, host_.ephemeral_port()};
}

std::unique_ptr<Listener> SimulatedNetwork::listen(const SocketAddress& local,
                                                   const ListenOptions& options) {
  const SocketAddress address = address_to_bind(local);
  for (const SimulatedListener* other : host_.listeners_) {
    const SocketAddress taken = other->local_address();
    if (taken.port == address.port && !options.reuse_port &&
        (taken.address == address.address || taken.address.is_unspecified() ||
         address.address.is_unspecified()))
      throw_error(asio::error::address_in_use, "bind");
  }
  return std::make_unique<SimulatedListener>(host_, address, options.v6_only, options.backlog,
                                             std::string());
}

std::unique_ptr<Listener> SimulatedNetwork::listen_unix(const std::string& path,
                                                        unsigned /*mode*/) {
  throw_if_dead();
  if (host_.unix_listeners_.contains(path)) throw_error(asio::error::address_in_use, "bind");
  return std::make_unique<SimulatedListener>(host_, SocketAddress(), false, 4096, path);
}

std::unique_ptr<DatagramSocket> SimulatedNetwork::open_udp(const SocketAddress& local) {
  const SocketAddress address = address_to_bind(local);
  for (const SimulatedDatagramSocket* other : host_.sockets_) {
    const SocketAddress taken = other->local_address();
    if (taken.port == address.port &&
        (taken.address == address.address || taken.address.is_unspecified() ||
         address.address.is_unspecified()))
      throw_error(asio::error::address_in_use, "bind");
  }
  return std::make_unique<SimulatedDatagramSocket>(host_, address);
}

std::unique_ptr<AddressWatch> SimulatedNetwork::watch_addresses() {
  if (!host_.address_watch_) return nullptr;
  return std::make_unique<SimulatedAddressWatch>(host_);
}

Task<std::vector<SocketAddress>> SimulatedNetwork::resolve(std::string host, std::uint16_t port,
                                                           Duration timeout) {
  Task<std::vector<SocketAddress>> lookup = look_up(std::move(host), port);
  co_return co_await with_timeout(clock_, timeout, std::move(lookup));
}

Task<std::vector<SocketAddress>> SimulatedNetwork::look_up(std::string host, std::uint16_t port) {
  throw_if_dead();
  std::vector<SocketAddress> found;
  if (const auto literal = IpAddress::parse(host)) {
    found.push_back({*literal, port});
    co_return found;
  }
  if (host == "localhost") {
    found.push_back({IpAddress::v4(0x7f000001), port});
    co_return found;
  }
  co_await clock_.sleep_for(resolver_delay);
  // Resolvers ask again and again for longer than anyone waits.
  while (!host_.resolver_answers_ || !host_.link_up_) co_await clock_.sleep_for(1s);
  const auto name = world_.names_.find(host);
  if (name == world_.names_.end()) throw_error(asio::error::host_not_found, "resolve");
  for (const IpAddress& address : name->second) found.push_back({address, port});
  co_return found;
}

}  // namespace sidestream
