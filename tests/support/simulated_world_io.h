// A small internet on a virtual clock, with a seed: hosts, the paths between them, names. The same
// seed gives the same run, to the last byte and nanosecond: nothing in here depends on real time,
// on addresses of objects or on hashes.
//
//   World world(seed);
//   SimulatedHost& edge = world.add_host("edge", {*IpAddress::parse("192.0.2.1")});
//   SimulatedHost& home = world.add_host("home", {*IpAddress::parse("198.51.100.1")});
//   world.set_paths(edge, home, {.delay = 20ms, .loss = 0.01});
//   auto program = world.start(run_edge(edge.network(), …));
//   world.advance(10s);
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/simulated_host_io.h"
#include "tests/support/simulated_nat.h"
#include "tests/support/simulated_path.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream {

class SimulatedConnection;

// One end of a simulated stream.
struct StreamEnd {
  SimulatedHost* host = nullptr;
  SocketAddress local;
  SocketAddress remote;  // as this end sees it
};

class World {
 public:
  explicit World(std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // References stay valid as long as the world.
  SimulatedHost& add_host(const std::string& name, std::vector<IpAddress> addresses);
  // A host in a private network. Hosts behind the same router see each other directly.
  SimulatedHost& add_host_behind(SimulatedNat& nat, const std::string& name,
                                 std::vector<IpAddress> addresses);
  SimulatedNat& add_nat(const IpAddress& outside, const NatOptions& options = {});

  // Conditions between the places of two hosts, in both directions or in one. The place of a host
  // behind a NAT is that of all hosts behind it.
  void set_paths(const SimulatedHost& one, const SimulatedHost& other,
                 const PathConditions& conditions);
  SimulatedPath& path(const SimulatedHost& from, const SimulatedHost& to);
  void set_up(const SimulatedHost& one, const SimulatedHost& other, bool up);

  // The names that resolve() finds, in the order of the addresses. An empty list removes a name.
  void set_name(const std::string& name, std::vector<IpAddress> addresses);

  // Looks at every datagram that is sent and may drop it (false). To count, to record, to lose
  // exactly the third handshake.
  struct DatagramView {
    SocketAddress from;
    SocketAddress to;
    Bytes bytes;
    std::uint8_t traffic_class;
  };
  void set_filter(std::function<bool(const DatagramView&)> filter) { filter_ = std::move(filter); }

  [[nodiscard]] Instant now() const { return loop_.now(); }
  VirtualLoop& loop() { return loop_; }
  VirtualTimers& timers() { return loop_.timers(); }
  // For the decisions of a test, apart from those of the paths and programs.
  SeededRandom& random() { return random_; }
  [[nodiscard]] SeededRandom split_random() { return source_.split(); }

  // Everything that can happen without time passing; then on to the next point in time at which
  // something does. See VirtualLoop.
  void settle() { loop_.settle(); }
  bool step() { return loop_.step(); }
  void advance(Duration time) { loop_.advance(time); }
  // Lets time pass until `done` holds, at most so long; returns whether it does.
  bool run_until(const std::function<bool()>& done, Duration at_most);
  template <typename T>
  Pending<T> start(Task<T> task) {
    return loop_.start(std::move(task));
  }
  template <typename T>
  T run(Task<T> task) {
    return loop_.run(std::move(task));
  }

  struct Counters {
    std::uint64_t datagrams_sent = 0;
    std::uint64_t datagrams_delivered = 0;
    std::uint64_t stream_bytes_delivered = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  // Differs as soon as two runs differ in any delivery, its time or its bytes.
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  friend class SimulatedHost;
  friend class SimulatedNetwork;
  friend class SimulatedConnection;
  friend class SimulatedDatagramSocket;
  class Flight;

  // Which host has this address, as `from` sees it. A NAT's outside address is nobody's.
  SimulatedHost* owner_of(const SimulatedHost& from, const IpAddress& address);
  SimulatedNat* nat_at(const IpAddress& address);
  SimulatedPath& path_between(std::size_t from_place, std::size_t to_place);

  void send_datagram(SimulatedHost& from, const SocketAddress& source, const SocketAddress& to,
                     Bytes bytes, std::uint8_t traffic_class);
  void deliver(Flight& flight);
  void note_delivery(Bytes bytes);

  // Who takes a stream to this address, and at which address of its own.
  struct StreamTarget {
    SimulatedHost* host = nullptr;
    SocketAddress inside;
    bool through_nat = false;  // of the host that connects
  };
  StreamTarget stream_target(SimulatedHost& from, const SocketAddress& to);
  bool is_up(const SimulatedHost& one, const SimulatedHost& other);
  SimulatedConnection& add_connection(const StreamEnd& client, const StreamEnd& server);
  void remove_connection(SimulatedConnection& connection);

  std::uint64_t seed_;
  SeededRandom source_;  // only to make other generators
  SeededRandom random_;
  std::vector<std::unique_ptr<SimulatedHost>> hosts_;
  std::vector<std::unique_ptr<SimulatedNat>> nats_;
  std::size_t places_ = 0;
  std::map<const SimulatedNat*, std::size_t> nat_places_;  // looked up, never walked through
  std::map<std::pair<std::size_t, std::size_t>, SimulatedPath> paths_;
  std::map<std::string, std::vector<IpAddress>> names_;
  std::function<bool(const DatagramView&)> filter_;
  std::list<std::unique_ptr<SimulatedConnection>> connections_;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::vector<Flight*> idle_flights_;
  Counters counters_;
  std::uint64_t fingerprint_ = 14695981039346656037U;
  VirtualLoop loop_;  // dies first, and with it every coroutine
};

}  // namespace sidestream
