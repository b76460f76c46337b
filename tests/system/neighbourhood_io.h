// Several homes and several edges on a simulated internet with a seed, real programs on all of
// them:
//
//   client ── vps 0, 1 (edges) ══ lossy, reordering, duplicating UDP ══ [nat] home 0, 1, 2
//   (sidecars)
//
// Every sidecar wants to publish every endpoint, and the edges say who may. What a client is told
// begins with the number of the home that serves it, so that a stream at the wrong home is seen.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "streams/task_group_io.h"
#include "tests/system/conversation_io.h"
#include "tests/system/machine_io.h"

namespace sidestream {

inline constexpr std::uint16_t plain_backend_port = 22;
inline constexpr std::uint16_t tls_backend_port = 443;

[[nodiscard]] IpAddress edge_address(std::size_t number);

// Where clients go, and which homes may serve them there.
struct Destination {
  std::string endpoint;
  std::string server_name;  // empty: no TLS
  std::uint16_t port = 0;
  std::set<std::size_t> owners;
};

class Neighbourhood {
 public:
  static constexpr std::size_t homes_max = 3;

  Neighbourhood(std::uint64_t seed, std::size_t edges, std::size_t homes,
                const PathConditions& path);
  ~Neighbourhood();
  Neighbourhood(const Neighbourhood&) = delete;
  Neighbourhood& operator=(const Neighbourhood&) = delete;

  World& world() { return world_; }
  std::vector<std::unique_ptr<EdgeMachine>>& edges() { return edges_; }
  std::vector<std::unique_ptr<SidecarMachine>>& homes() { return homes_; }
  SimulatedNat& nat(std::size_t home) { return *nats_[home]; }
  // Edges first.
  std::vector<Machine*> machines();

  // Lets time pass. Programs whose crash point is reached are killed at once, and started again
  // `later`.
  void run_for(Duration time);
  bool run_until(const std::function<bool()>& done, Duration at_most);
  void restart_later(Machine& machine, Duration later);
  // At once, and nobody crashes from now on.
  void start_what_is_down();
  // Nobody who is connected to it from outside of the tunnels is told, nor ever finds out.
  void lose_power(Machine& machine);
  // How long a program that reaches its crash point stays away.
  void set_absence(Duration absence) { absence_ = absence; }

  // Whether each sidecar that runs, and each edge of it, says that it has published what it owns.
  // One of them alone may still speak of what was before a crash.
  [[nodiscard]] bool all_published() const;
  // The destinations that somebody who runs owns.
  [[nodiscard]] std::vector<const Destination*> destinations() const;

  // A client begins a stream; whole() tells how it ended.
  struct Attempt {
    std::size_t edge;
    const Destination* destination;
    std::unique_ptr<Pending<void>> stream;
    // The edge lost power, and nobody tells this client.
    bool forlorn = false;
  };
  Attempt& begin_stream(std::size_t edge, const Destination& destination, Duration pause = {});
  std::vector<std::unique_ptr<Attempt>>& attempts() { return attempts_; }
  void forget_attempts() { attempts_.clear(); }
  // Client streams that backends have, without those whose sidecar lost power.
  [[nodiscard]] std::size_t at_backends() const;

  // What must never happen, in words: streams that lost, repeated or altered something and ended
  // in order all the same, streams at a wrong home, leases that live on.
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  void add_edge(std::size_t number);
  void add_home(std::size_t number, const PathConditions& path);
  void look_for_crashes();
  [[nodiscard]] bool knows_published(std::size_t home) const;
  [[nodiscard]] bool has_published(std::size_t home, const control::EdgeStatus& edge) const;
  void look_at_leases();
  Task<> ask(std::size_t edge, const Destination& destination, Conversation what);
  Task<> serve(std::size_t home, SimulatedHost& backend, std::uint16_t port);
  Task<> answer(std::size_t home, bool tls, std::unique_ptr<Stream> stream);
  void judge(const std::string& who, const std::exception_ptr& failure);

  World world_;
  Log log_;
  Duration absence_{};
  Instant leases_looked_at_{};
  std::vector<std::pair<Instant, Machine*>> restarts_;
  std::vector<std::string> violations_;
  std::list<std::size_t> backend_counts_;
  std::vector<std::size_t*> at_backend_;  // by home; into the list, another one after a power cut
  SimulatedHost& client_;
  std::vector<SimulatedNat*> nats_;
  std::vector<edge::SidecarRegistry> registries_;
  std::vector<std::vector<control::Ticket>> tickets_;  // by edge and home
  TaskGroup backend_tasks_;
  std::vector<std::unique_ptr<EdgeMachine>> edges_;
  std::vector<std::unique_ptr<SidecarMachine>> homes_;
  std::vector<std::unique_ptr<Pending<void>>> backends_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
};

// All of them.
[[nodiscard]] const std::vector<Destination>& all_destinations();

}  // namespace sidestream
