// Network in the simulated internet: what one program on one host sees.
#pragma once

#include "tests/support/simulated_world_io.h"

namespace sidestream {

// Two of these on one host (before and after a restart) have clocks and random numbers of their
// own; the monotonic clock is the world's.
class SimulatedNetwork final : public Network {
 public:
  SimulatedNetwork(World& world, SimulatedHost& host);

  asio::any_io_executor executor() override;
  Timers& timers() override { return clock_; }
  RandomSource& random() override { return random_; }

  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override;
  Task<std::unique_ptr<Stream>> connect_unix(std::string path, Duration timeout) override;
  std::unique_ptr<Listener> listen(const SocketAddress& local,
                                   const ListenOptions& options) override;
  std::unique_ptr<Listener> listen_unix(const std::string& path, unsigned mode) override;
  std::unique_ptr<DatagramSocket> open_udp(const SocketAddress& local) override;
  std::unique_ptr<AddressWatch> watch_addresses() override;
  Task<std::vector<SocketAddress>> resolve(std::string host, std::uint16_t port,
                                           Duration timeout) override;

  // The program was killed or its host lost power.
  [[nodiscard]] bool dead() const { return dead_; }
  void die() { dead_ = true; }

 private:
  class Clock final : public Timers {
   public:
    Clock(World& world, SimulatedHost& host) : world_(world), host_(host) {}
    [[nodiscard]] Instant now() const override;
    [[nodiscard]] WallTime wall_now() const override;
    [[nodiscard]] Duration suspended() const override;
    [[nodiscard]] std::size_t size() const override;
    Task<> sleep_until(Instant deadline) override;

   private:
    World& world_;
    SimulatedHost& host_;
  };

  Task<std::unique_ptr<Stream>> connect_when_possible(SocketAddress remote);
  Task<std::unique_ptr<Stream>> connect_unix_now(std::string path);
  Task<std::vector<SocketAddress>> look_up(std::string host, std::uint16_t port);
  SocketAddress address_to_bind(const SocketAddress& local) const;
  void throw_if_dead() const;

  World& world_;
  SimulatedHost& host_;
  Clock clock_;
  SeededRandom random_;
  bool dead_ = false;
};

}  // namespace sidestream
