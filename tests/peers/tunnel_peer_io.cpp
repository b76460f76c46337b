// tunnel_peer: joins kernel TCP to our user-space tunnel, so that tests with real peers can use
// ordinary sockets at both ends of our WireGuard and our TCP.
//
//   tunnel_peer --private-key FILE --address IP --listen IP:PORT [--mtu BYTES]
//     --peer key=…,allowed=PREFIX[,endpoint=IP:PORT][,preshared=…][,keepalive=SECONDS] …
//     [--out IP:PORT=IP:PORT …] [--in PORT=IP:PORT …]
//
// Prints `ready on IP:PORT` (its UDP address), and runs until SIGTERM.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "streams/join_io.h"
#include "streams/kernel_network_io.h"
#include "streams/relay_io.h"
#include "streams/task_group_io.h"
#include "tests/peers/tunnel_peer_options.h"
#include "tunnel/userspace_tunnel_io.h"

namespace sidestream::tunnel {
namespace {

constexpr Duration dial_timeout = 30s;

void report(const std::exception_ptr& failure) {
  std::cerr << "stream: " << code_of(failure).message() << '\n';
}

UserspaceTunnelConfiguration tunnel_configuration(const TunnelPeerOptions& options,
                                                  const PrivateKey& private_key) {
  UserspaceTunnelConfiguration configuration;
  configuration.private_key = private_key;
  configuration.listen = options.listen;
  configuration.address = options.addresses.front();
  configuration.mtu = options.mtu;
  return configuration;
}

class TunnelPeer {
 public:
  TunnelPeer(Network& network, const TunnelPeerOptions& options, const PrivateKey& private_key)
      : network_(network),
        options_(options),
        tunnel_(network, tunnel_configuration(options, private_key)),
        tasks_(network.executor()) {
    for (const PeerConfiguration& peer : options.peers)
      if (!tunnel_.add_peer(peer)) throw std::runtime_error("a peer's key is not usable");
  }

  Task<> run() {
    for (const ForwardOut& forward : options_.out) {
      auto listener = network_.listen(forward.listen, {});
      tasks_.spawn(accept_out(std::move(listener), forward.target), report);
    }
    for (const ForwardIn& forward : options_.in) {
      auto listener = tunnel_.listen(forward.port);
      tasks_.spawn(accept_in(std::move(listener), forward.target), report);
    }
    std::cout << "ready on " << tunnel_.outer_address().text() << std::endl;
    co_await with_cleanup(tunnel_.run(), tasks_.stop());
  }

 private:
  Task<> accept_out(std::unique_ptr<Listener> listener, SocketAddress target) {
    for (;;) {
      auto client = co_await listener->accept();
      tasks_.spawn(carry_out(std::move(client), target), report);
    }
  }

  Task<> accept_in(std::unique_ptr<Listener> listener, SocketAddress target) {
    for (;;) {
      auto client = co_await listener->accept();
      tasks_.spawn(carry_in(std::move(client), target), report);
    }
  }

  Task<> carry_out(std::unique_ptr<Stream> client, SocketAddress target) {
    auto backend = co_await tunnel_.connect(target, dial_timeout);
    co_await relay(network_.timers(), *client, *backend, limits_);
  }

  Task<> carry_in(std::unique_ptr<Stream> client, SocketAddress target) {
    auto backend = co_await network_.connect(target, dial_timeout);
    co_await relay(network_.timers(), *client, *backend, limits_);
  }

  Network& network_;
  const TunnelPeerOptions& options_;
  UserspaceTunnel tunnel_;
  const RelayLimits limits_;
  TaskGroup tasks_;
};

std::optional<PrivateKey> read_private_key(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return PrivateKey::parse(line);
}

int run(std::span<const std::string_view> words) {
  const auto options = parse_tunnel_peer_options(words);
  if (!options) {
    std::cerr << "tunnel_peer: " << options.error() << '\n';
    return 2;
  }
  if (options->addresses.empty()) {
    std::cerr << "tunnel_peer: no --address\n";
    return 2;
  }
  const auto private_key = read_private_key(options->private_key_file);
  if (!private_key) {
    std::cerr << "tunnel_peer: " << options->private_key_file << ": no private key\n";
    return 2;
  }
  asio::io_context io(1);
  KernelNetwork network(io);
  TunnelPeer peer(network, *options, *private_key);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  asio::cancellation_signal end;
  signals.async_wait([&end](error_code, int) { end.emit(asio::cancellation_type::terminal); });
  int exit_code = 0;
  asio::co_spawn(io, peer.run(),
                 asio::bind_cancellation_slot(end.slot(), [&](const std::exception_ptr& failure) {
                   signals.cancel();
                   if (!failure || is_cancelled(failure)) return;
                   report(failure);
                   exit_code = 1;
                 }));
  io.run();
  return exit_code;
}

}  // namespace
}  // namespace sidestream::tunnel

int main(int count, char** values) {
  const std::vector<std::string_view> words(values + 1, values + count);
  return sidestream::tunnel::run(words);
}
