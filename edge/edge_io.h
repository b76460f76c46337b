// The edge: the tunnel's public end, what the sidecars have published, and the public ports whose
// streams it sends to them.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/metrics_page.h"
#include "control/status_messages.h"
#include "control/tunnel_handover_io.h"
#include "edge/control_server_io.h"
#include "edge/edge_handover.h"
#include "edge/edge_router_io.h"
#include "edge/lease_table.h"
#include "edge/peer_endpoints.h"
#include "edge/routers/router_io.h"
#include "edge/routers/router_settings.h"
#include "edge/sidecar_registry.h"
#include "streams/log_io.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"
#include "tunnel/userspace_tunnel_io.h"

namespace sidestream::edge {

struct EdgeSettings {
  TicketFacts tickets;  // the public key is filled in by the edge
  std::string version;
  tunnel::UserspaceTunnelConfiguration tunnel;  // the address is filled in by the edge
  tunnel::MakeWireGuardTunnel make_tunnel = tunnel::make_userspace_tunnel;
  IpAddress public_address;
  std::vector<PortRange> public_ports;
  RouterLimits router;
  RouterSettings accepting;   // what accepts public connections
  bool honours_bans = true;   // of sidecars, for streams to themselves
  Duration drain_time = 10s;  // for live streams after stop()
  // Public ports whose sockets somebody else keeps open: clients wait there until the sidecars have
  // had time to publish, and are answered then in any case.
  std::vector<std::uint16_t> held_ports;
};

class Edge {
 public:
  // Opens the tunnel's UDP port (throws system_error). `network` and `log` outlive it. `registry`
  // holds everyone who is enrolled; `state` is where invitations are kept (nullptr: nowhere).
  Edge(Network& network, EdgeSettings settings, SidecarRegistry registry, const StateFolder* state,
       const Log& log);

  // Serves until it is cancelled, which ends all streams, or until stop() is done.
  Task<> run();
  // Takes over another configuration: the endpoints of tickets, public ports, limits, the drain
  // time, and who is enrolled, of the same tunnel network. Sidecars that are the same keep their
  // tunnel and streams; others are cut off. Everything else in `settings` is ignored.
  void reload(EdgeSettings settings, SidecarRegistry registry);
  // Accepts nothing new, lets live streams end for the drain time, then ends run().
  void stop();

  // ---- admin
  // -------------------------------------------------------------------------------------
  [[nodiscard]] control::EdgeStatus status() const;
  void write_metrics(control::MetricsPage& page) const;
  // While memory is scarce: lets so many more streams in until the next call, and ends some of the
  // newest. Returns how many it ended.
  std::size_t obey_memory(std::size_t new_streams, bool shed);
  [[nodiscard]] const SidecarRegistry& registry() const { return registry_; }
  // The ticket; the error is a sentence. Kept in the state folder before it is handed out.
  std::expected<SecretText, std::string> invite(std::string_view name,
                                                const std::vector<std::string>& allow);
  struct Revoked {
    std::size_t endpoints = 0;  // that were withdrawn
    std::size_t streams = 0;    // that were cut
  };
  std::expected<Revoked, std::string> revoke(std::string_view name);

  // ---- from one process to the next: docs/protocols/handover.md ------------------------------
  struct Offer {
    EdgeIdentity identity;
    control::NamedDescriptors descriptors;
  };
  // What another process may take over; the error is a sentence. Until commit or call-off nobody is
  // invited or revoked and nothing is reloaded.
  std::expected<Offer, std::string> offer_handover();
  // Stands still, and says where.
  EdgeHandover freeze_handover();
  // Lives on for the streams that it has, as a predecessor of that process; run() ends with the
  // last of them. Nothing is written into the state folder any more.
  void commit_handover();
  void call_off_handover();
  [[nodiscard]] bool handing_over() const { return handover_link_ != nullptr; }
  [[nodiscard]] bool handed_over() const { return handed_over_; }
  // The other side: takes in where the process `from` stands still, which can still be called off;
  // then, when that one has let go, opens what it had open. Both before run().
  void take_over(const EdgeHandover& handover, const tunnel::PredecessorFacts& from,
                 control::NamedDescriptors& descriptors);
  void go_on(const EdgeHandover& handover, const tunnel::PredecessorFacts& from);
  [[nodiscard]] EdgeIdentity identity() const;
  // The name of a public listener among the descriptors.
  [[nodiscard]] static std::string listener_name(std::uint16_t port);

  // State files: the registry's, and from where the sidecars were heard.
  static constexpr std::string_view registry_file = "sidecars.json";
  static constexpr std::string_view endpoints_file = "endpoints.json";

 private:
  Task<> work();
  Task<> wait_stop();
  Task<> wait_handed_over();
  Task<> live_on();
  Task<> end_streams();
  std::size_t cut_streams(std::string_view name, const IpAddress& address);
  void enrol(const EnrolledSidecar& sidecar);
  void forget_peer(std::string_view name);
  void retire_peer(std::string_view name, const tunnel::PublicKey& public_key);
  void keep_configured() const;
  [[nodiscard]] bool is_public(std::uint16_t port) const;
  void recall_sidecars();
  Task<> call_sidecars();
  void handle_tunnel_event(const tunnel::DeviceEvent& event);
  Task<> keep_endpoints();
  void write_endpoints();
  // Those who are revoked stay peers until the registry forgets them.
  void renew_revoked_peers();
  std::optional<tunnel::PeerId> add_peer(std::string_view name, const tunnel::PublicKey& public_key,
                                         const tunnel::PresharedKey& preshared_key,
                                         const IpAddress& address);
  void tell_lease_table();
  void handle_leases();
  void tell(const LeaseEvent& event);
  void tell(const StreamRecord& record);
  [[nodiscard]] std::optional<SidecarIdentity> identify(const SocketAddress& address) const;
  [[nodiscard]] std::expected<void, std::string> keep(const SidecarRegistry& registry) const;
  [[nodiscard]] control::EdgeSidecarStatus status_of(const SidecarStanding& standing) const;

  Network& network_;
  EdgeSettings settings_;
  SidecarRegistry registry_;
  const StateFolder* state_;
  const Log& log_;
  const Instant started_;
  const std::unique_ptr<tunnel::WireGuardTunnel> own_tunnel_;
  tunnel::WireGuardTunnel& tunnel_;
  std::map<std::string, tunnel::PeerId, std::less<>> peers_;
  PeerEndpoints endpoints_;
  PeerEndpoints endpoints_kept_;
  Event endpoints_changed_;
  std::vector<std::pair<tunnel::PublicKey, tunnel::PeerId>> revoked_peers_;
  LeaseTable leases_;
  EdgeRouter router_;
  std::unique_ptr<Router> accepting_;
  ControlServer control_;
  std::uint64_t route_revision_ = 0;
  bool stopping_ = false;
  bool handed_over_ = false;
  Event end_wanted_;                            // one of these two, or both
  std::unique_ptr<MessageLink> handover_link_;  // while a hand-over goes on
};

}  // namespace sidestream::edge
