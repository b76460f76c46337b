// A machine of the simulated internet, and the program's view of it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/event_io.h"
#include "streams/network_io.h"
#include "tests/support/seeded_random.h"

namespace sidestream {

class SimulatedAddressWatch;
class SimulatedConnection;
class SimulatedDatagramSocket;
class SimulatedListener;
class SimulatedNat;
class SimulatedNetwork;
class World;

class SimulatedHost {
 public:
  SimulatedHost(World& world, std::string name, std::vector<IpAddress> addresses, SimulatedNat* nat,
                std::size_t place);
  SimulatedHost(const SimulatedHost&) = delete;
  SimulatedHost& operator=(const SimulatedHost&) = delete;
  ~SimulatedHost();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<IpAddress>& addresses() const { return addresses_; }

  // For the program that runs here now. After kill() or lose_power() the old one is dead (its
  // sockets are gone, connect and listen throw network_down) but stays where it is, so that what is
  // left of the program can be cancelled; the next program takes that of boot().
  Network& network();
  Network& boot();

  // The program is killed: the kernel resets its connections and forgets its sockets.
  void kill();
  // The same without a word to anyone: peers find out by silence.
  void lose_power();

  // The cable. Down, nothing goes in or out (loopback does).
  void set_link(bool up) { link_up_ = up; }
  [[nodiscard]] bool link_up() const { return link_up_; }
  // Whether the resolver answers; otherwise every lookup of a name times out.
  void set_resolver(bool answers) { resolver_answers_ = answers; }

  void add_address(const IpAddress& address) {
    addresses_.push_back(address);
    tell_address_change();
  }
  void remove_address(const IpAddress& address) {
    std::erase(addresses_, address);
    tell_address_change();
  }
  // Whether programs hear of it; some sandboxes keep them from listening.
  void set_address_watch(bool allowed) { address_watch_ = allowed; }

  // Moves this host's wall clock, not its monotonic one.
  void jump_wall_clock(Duration by) { wall_jump_ += by; }
  // This host was suspended for so long, in no time of the world's: its wall clock jumps and its
  // monotonic one does not.
  void sleep(Duration time) { slept_ += time, wall_jump_ += time; }

 private:
  friend class World;
  friend class SimulatedAddressWatch;
  friend class SimulatedConnection;
  friend class SimulatedDatagramSocket;
  friend class SimulatedListener;
  friend class SimulatedNetwork;

  [[nodiscard]] bool has_address(const IpAddress& address) const;
  // The one to send from; nothing when there is none of the right family.
  [[nodiscard]] std::optional<IpAddress> source_for(const IpAddress& remote) const;
  [[nodiscard]] SimulatedListener* listener_at(const SocketAddress& address) const;
  [[nodiscard]] SimulatedDatagramSocket* socket_at(const SocketAddress& address) const;
  std::uint16_t ephemeral_port();
  void take_down(bool reset_connections);
  void tell_address_change() {
    ++address_changes_;
    address_changed_.notify_all();
  }

  World& world_;
  std::string name_;
  std::vector<IpAddress> addresses_;
  SimulatedNat* nat_;  // nullptr: reachable by everyone
  std::size_t place_;
  bool powered_ = true;
  bool link_up_ = true;
  bool resolver_answers_ = true;
  bool address_watch_ = true;
  std::uint64_t address_changes_ = 0;
  Event address_changed_;
  Duration wall_jump_{};
  Duration slept_{};
  std::uint16_t next_port_ = 49152;
  std::vector<std::unique_ptr<SimulatedNetwork>> boots_;
  // Of the program that runs now, in the order in which they were opened.
  std::vector<SimulatedListener*> listeners_;
  std::vector<SimulatedDatagramSocket*> sockets_;
  std::map<std::string, SimulatedListener*> unix_listeners_;
};

}  // namespace sidestream
