// The real world: the kernel's clock, sockets and resolver.
#pragma once

#include <map>
#include <vector>

#include "streams/descriptor_io.h"
#include "streams/name_lookup_io.h"
#include "streams/network_io.h"
#include "streams/random_io.h"
#include "streams/timer_queue_io.h"

namespace sidestream {

// One per io_context, on its thread. It dies before the io_context, after everything that uses it,
// and no handler may run after it.
class KernelNetwork final : public Network {
 public:
  explicit KernelNetwork(asio::io_context& io);

  // Takes a TCP socket that listens already and was opened by somebody else: listen() on its port
  // uses it, whatever address it is bound to. One that is `held` is used again and again: the last
  // descriptor of it is never closed, so that clients wait in its backlog while nobody accepts.
  void inherit_listener(UniqueFd fd, bool held = true);
  // The ports and descriptors of those that are held.
  [[nodiscard]] std::vector<std::uint16_t> inherited_ports() const;
  [[nodiscard]] std::vector<int> held_listeners() const;
  // Takes a UDP socket that an earlier process has opened: the next open_udp() on its port is it.
  void inherit_datagram_socket(UniqueFd fd);
  // Closes what was inherited, is not held, and was not asked for.
  void close_unclaimed();

  asio::any_io_executor executor() override { return executor_; }
  Timers& timers() override { return timers_; }
  RandomSource& random() override { return random_; }

  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override;
  Task<std::unique_ptr<Stream>> connect_unix(std::string path, Duration timeout) override;
  std::unique_ptr<Listener> listen(const SocketAddress& local,
                                   const ListenOptions& options) override;
  std::unique_ptr<Listener> listen_unix(const std::string& path, unsigned mode) override;
  Task<std::unique_ptr<Stream>> connect_from(SocketPlace place, SocketAddress remote,
                                             Duration timeout) override;
  std::unique_ptr<Listener> listen_at(const SocketPlace& place, std::uint16_t port) override;
  std::unique_ptr<DatagramSocket> open_udp(const SocketAddress& local) override;
  std::unique_ptr<AddressWatch> watch_addresses() override;
  Task<std::vector<SocketAddress>> resolve(std::string host, std::uint16_t port,
                                           Duration timeout) override;

 private:
  asio::any_io_executor executor_;
  KernelTimers timers_;
  SystemRandom random_;
  NameLookup names_;
  struct Inherited {
    UniqueFd fd;
    bool held = false;
  };
  std::map<std::uint16_t, Inherited> inherited_;  // that listen, by port
  std::map<std::uint16_t, UniqueFd> inherited_datagram_sockets_;
};

}  // namespace sidestream
