// What the sidecars have published on this edge, for how long, and in which order it is used:
// the edge's side of the control protocol without HTTP. A refused message changes nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/control_messages.h"
#include "edge/lease_succession.h"
#include "edge/publish_rules.h"
#include "edge/route_table.h"
#include "edge/routers/router_standing.h"
#include "edge/session_order.h"
#include "streams/time.h"

namespace sidestream::edge {

struct LeaseLimits {
  std::size_t endpoints_per_sidecar = 1000;
  std::size_t events_max = 10'000;  // that nobody has polled yet; the oldest go first
  // Longer than three heartbeats, and short enough that a sidecar which vanishes loses its routes
  // within 10 s.
  std::chrono::seconds lease{8};
};

// What happened, for the log.
struct LeaseEvent {
  enum class Kind : std::uint8_t {
    session_began,
    lease_expired,
    published,
    withdrawn,
    refused,
    process_replaced,  // the sidecar was started again: the streams of the old process are gone
  };
  Kind kind = Kind::session_began;
  std::string sidecar;
  std::string endpoint;  // published, withdrawn, refused
  std::string service;
  std::string sentence;  // refused: why; session_began: the instance and version
  bool operator==(const LeaseEvent&) const = default;
};

// One endpoint as its sidecar is told about it.
struct EndpointStanding {
  control::WantedEndpoint wanted;
  control::EndpointAnswer answer;
};

// One sidecar, for status.
struct SidecarStanding {
  std::string name;
  IpAddress tunnel_address;
  bool present = false;  // has a lease
  std::string version;
  std::string instance;
  std::optional<Instant> last_heartbeat;  // or state; stays when the lease has ended
  std::optional<Duration> round_trip;     // as the sidecar has measured it
  std::vector<EndpointStanding> endpoints;
};

class LeaseTable {
 public:
  // `epoch` is random for each run of the edge. `version` is the edge's own.
  LeaseTable(std::uint64_t epoch, std::string version, const LeaseLimits& limits = {});

  // The whole truth each time. What a sidecar holds is judged anew; one that is gone, or has got
  // another tunnel address, loses its leases at once.
  void set_sidecars(std::vector<AllowedSidecar> sidecars);
  void set_public_ports(std::vector<PortRange> ports);
  // What became of listening on a port that a published endpoint needs. Ports begin as closed.
  void on_port_open(std::uint16_t port);
  void on_port_failed(std::uint16_t port, std::string why);
  void on_port_closed(std::uint16_t port);
  // What a router outside of this program has; replaces all that was told of ports. Where none ever
  // tells, every endpoint is there whose port is open.
  void on_router_standing(RouterStanding standing);

  template <typename Answer>
  using Answered = std::expected<Answer, control::RefusalAnswer>;
  // `sidecar` is who the tunnel says is speaking.
  Answered<control::SessionAnswer> open_session(std::string_view sidecar,
                                                const control::SessionRequest& request);
  Answered<control::StateAnswer> put_state(Instant now, std::string_view sidecar,
                                           const control::StateRequest& request);
  // The answer to the sidecar's last state as it would be now, after ports have been opened for it.
  [[nodiscard]] control::StateAnswer latest_answer(std::string_view sidecar);
  Answered<control::HeartbeatAnswer> heartbeat(Instant now, std::string_view sidecar,
                                               const control::HeartbeatRequest& request);

  // For another process of this edge that goes on where this one stops, and its way back in: after
  // the sidecars and public ports are set, before the first message. It counts as another run of
  // the same process; leases begin anew.
  [[nodiscard]] LeaseSuccession succession() const;
  void continue_from(Instant now, const LeaseSuccession& before);

  // Whether what sidecars say of bans counts; at first it does.
  void set_honours_bans(bool honours) { honours_bans_ = honours; }
  // Whether the sidecar does not want this client's streams.
  [[nodiscard]] bool is_banned(Instant now, std::string_view sidecar,
                               const IpAddress& client) const;

  // Ends the leases that are over at `now`.
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  std::optional<LeaseEvent> poll_event();

  // In the order of the endpoints; includes endpoints whose port is not open yet, so that somebody
  // opens it. A name below a published wildcard that belongs to a sidecar which is away has a route
  // without targets, so that its streams do not fall to the wildcard. Changes only when
  // `route_revision` does.
  [[nodiscard]] std::vector<Route> routes() const;
  [[nodiscard]] std::uint64_t route_revision() const { return route_revision_; }
  [[nodiscard]] std::vector<SidecarStanding> standings() const;

 private:
  struct Lease {
    control::WantedEndpoint wanted;
    std::optional<control::Endpoint> endpoint;  // none: bad_endpoint
    control::Reason refusal = control::Reason::none;
    std::string sentence;
  };
  using Session = LeaseSuccession::Session;
  struct Sidecar {
    AllowedSidecar allowed;
    SessionOrder order;
    Session opened;
    Session current;
    std::optional<Instant> last_heartbeat;
    std::optional<Duration> round_trip;
    Instant lease_end = Instant::max();
    std::vector<Lease> leases;
    control::BanList bans{control::BanLimits{}.bans_told_max};
    std::uint64_t revision = 0;
    std::vector<control::EndpointAnswer> answers;  // those of `revision`
  };
  struct Port {
    bool open = false;
    std::string failure;  // empty: not tried yet
  };

  std::expected<Sidecar*, control::RefusalAnswer> admit(Instant now, std::string_view name,
                                                        std::string_view session,
                                                        std::uint64_t sequence, bool is_state);
  [[nodiscard]] control::RefusalAnswer refuse(control::Refusal refusal,
                                              const Sidecar* sidecar) const;
  [[nodiscard]] std::vector<Lease> judge(const Sidecar& sidecar,
                                         const std::vector<control::WantedEndpoint>& wanted) const;
  void judge_all_again();
  void replace_leases(Sidecar& sidecar, std::vector<Lease> leases);
  void end_session(Sidecar& sidecar, LeaseEvent::Kind why);
  void renew(Sidecar& sidecar, Instant now);
  void set_lease_end(Sidecar& sidecar, Instant end);  // Instant::max(): it has none
  void renew_answers(Sidecar& sidecar);
  [[nodiscard]] control::StateAnswer state_answer(const Sidecar& sidecar) const;
  static void take_bans(Instant now, Sidecar& sidecar,
                        const std::vector<control::BannedNetwork>& bans);
  [[nodiscard]] control::EndpointAnswer answer(const Sidecar& sidecar, const Lease& lease) const;
  [[nodiscard]] std::vector<control::EndpointAnswer> answers(const Sidecar& sidecar) const;
  void push(LeaseEvent event);

  std::uint64_t epoch_;
  bool honours_bans_ = true;
  std::string version_;
  LeaseLimits limits_;
  PublishRules rules_;
  std::map<std::string, Sidecar, std::less<>> sidecars_;
  std::set<std::pair<Instant, std::string>> lease_ends_;  // with the sidecar's name
  // Who holds an endpoint, by name.
  std::map<control::Endpoint, std::map<std::string, RouteTarget, std::less<>>> held_;
  std::map<std::uint16_t, Port> ports_;
  std::optional<RouterStanding> router_;
  std::deque<LeaseEvent> events_;
  std::uint64_t last_session_ = 0;
  std::uint64_t last_revision_ = 0;
  std::uint64_t route_revision_ = 0;
};

}  // namespace sidestream::edge
