// Everything a sidecar has to do with one edge: the tunnel to it, finding its address, publishing
// to it, and accepting the streams that it sends.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/control_client_io.h"
#include "control/tunnel_handover_io.h"
#include "sidecar/edge_path.h"
#include "sidecar/service_io.h"
#include "sidecar/sidecar_handover.h"
#include "streams/event_io.h"
#include "streams/host_port.h"
#include "streams/introduction_io.h"
#include "streams/task_group_io.h"
#include "tunnel/userspace_tunnel_io.h"

namespace sidestream::sidecar {

// On the sidecar's tunnel address: the port where every service with a name is found by the server
// name, for edges that are a router and WireGuard and nothing else.
inline constexpr std::uint16_t name_router_port = 443;
// Services get their streams on ports from here on.
inline constexpr std::uint16_t first_service_port = 20000;

struct EdgeLinkConfiguration {
  std::string name;                 // in logs and status: the first endpoint
  std::vector<HostPort> endpoints;  // UDP, in the order of preference
  tunnel::PublicKey edge_public_key;
  tunnel::PresharedKey preshared_key;
  IpAddress edge_address;  // inside the tunnel
  tunnel::UserspaceTunnelConfiguration tunnel;
  tunnel::MakeWireGuardTunnel make_tunnel = tunnel::make_userspace_tunnel;
  Duration persistent_keepalive = 25s;  // keeps NAT mappings of 30 s and more open
  std::size_t streams_max = 10'000;     // of this edge
  // So long nothing is heard of the edge before somebody is told what to look at. Longer than a
  // restart of the edge takes.
  Duration silence_until_told = 10s;
  std::string run;  // of this program, for the edge; empty: a new one
  IntroductionLimits introduction;
};

struct EdgeLinkEvent {
  enum class Kind {
    handshake,         // a session with the edge was derived
    lost,              // the edge does not answer any more
    silent,            // nor did it come back, or it never did: problem() says what to look at
    edge_restarted,    // another process answers: the streams of the old one were ended
    no_address,        // its names cannot be resolved: problem() says why
    standing_changed,  // what the edge says about our endpoints
    stream_refused,    // a stream that the edge sent belongs to no service: `text` says why
    path_mtu_changed,  // packets of `packet_bytes` inside the tunnel reach the edge, no larger ones
  };
  Kind kind;
  std::string text{};
  std::optional<SocketAddress> client{};  // stream_refused, when it is known
  std::size_t packet_bytes = 0;
};

// Streams that belong to no service, counted.
struct LinkRefusals {
  std::uint64_t too_many = 0;       // EdgeLinkConfiguration::streams_max
  std::uint64_t no_memory = 0;      // for another stream
  std::uint64_t not_accepting = 0;  // we stop, or the sender is not the edge
  std::uint64_t no_header = 0;      // no PROXY header, or no ClientHello behind it
  std::uint64_t no_service = 0;     // for this server name
};

class EdgeLink {
 public:
  // `network` and `services` outlive it.
  EdgeLink(Network& network, EdgeLinkConfiguration configuration,
           std::vector<std::unique_ptr<Service>>& services,
           std::function<void(const EdgeLinkEvent&)> on_event);

  // Until it is cancelled.
  Task<> run();
  // So many more streams are taken until the next call.
  void set_room(std::size_t streams) { room_ = streams; }
  // Publishes what is healthy now.
  void services_changed();
  // Whose streams the edge need not send.
  void bans_changed(std::vector<control::Ban> bans) { control_.set_bans(std::move(bans)); }
  // Takes streams for a service from now on, and no more. Those of `services` at the construction
  // are added already. Dropping one leaves its streams alone.
  void add_service(Service& service);
  void drop_service(const Service& service);
  // Withdraws everything from the edge and accepts nothing new; returns when the edge knows or
  // cannot be told. Live streams go on.
  Task<> withdraw();
  // Ends all live streams, those of predecessors too; returns when they are over and the edge had
  // time to hear of it.
  Task<> end_streams();

  // ---- from one process to the next, as in Sidecar -------------------------------------------
  void offer_handover(const std::string& prefix, control::NamedDescriptors& descriptors);
  SidecarHandover::Link freeze_handover();  // without its id
  void commit_handover();
  void call_off_handover();
  // Publishes nothing before publish_now().
  void hold_publishing() { publishing_held_ = true; }
  void publish_now();
  // After commit: live streams are to end now.
  [[nodiscard]] bool finish_wanted() const { return finish_wanted_; }
  void take_over(const SidecarHandover::Link& before, const tunnel::PredecessorFacts& from,
                 const std::string& prefix, control::NamedDescriptors& descriptors);
  [[nodiscard]] const std::string& run_id() const { return control_.run_id(); }

  [[nodiscard]] const EdgeLinkConfiguration& configuration() const { return configuration_; }
  [[nodiscard]] const control::ControlStanding& standing() const { return control_.standing(); }
  [[nodiscard]] std::optional<tunnel::PeerStatus> peer_status() const;
  [[nodiscard]] bool is_up() const { return up_; }
  // Why nothing is published there, for a person; empty: all is well, or it is too early to say.
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }
  [[nodiscard]] const LinkRefusals& refusals() const { return refusals_; }
  [[nodiscard]] std::size_t streams_with_predecessors() const {
    return streams_.size() + tunnel_.predecessors().streams();
  }
  [[nodiscard]] tunnel::WireGuardTunnel& tunnel() { return tunnel_; }
  [[nodiscard]] std::size_t tunnel_connections() const { return tunnel_.connection_count(); }
  [[nodiscard]] const tunnel::WireGuardTunnel& tunnel() const { return tunnel_; }

 private:
  Task<> work();
  Task<> lead();
  Task<> wait_handed_over();
  Task<> follow_path();
  Task<> resolve();
  Task<> watch_silence();
  Task<> wait_up(bool up);
  Task<> publish();
  Task<> wait_path_change(std::uint64_t seen);
  Task<> accept_for_service(Service& service, std::unique_ptr<Listener> listener);
  Task<> accept_by_name();
  Task<> serve(Service& service, std::unique_ptr<Stream> stream);
  Task<> serve_by_name(std::unique_ptr<Stream> stream);
  Task<> refuse_by_name(Introduction& introduction, const std::optional<ClientHello>& hello);
  void refuse(std::string why);  // before its introduction is over
  void tell_refused(std::string why, const std::optional<SocketAddress>& client);
  void spawn_stream(Task<> task);
  [[nodiscard]] bool may_serve(Stream& stream);
  [[nodiscard]] std::vector<control::WantedEndpoint> wanted() const;
  [[nodiscard]] Service* find_service(const std::optional<ServerName>& name, std::uint16_t port);
  void handle_tunnel_event(const tunnel::DeviceEvent& event);
  void on_path_changed();
  void handle_report();

  Network& network_;
  EdgeLinkConfiguration configuration_;
  std::vector<std::unique_ptr<Service>>& services_;
  std::function<void(const EdgeLinkEvent&)> on_event_;
  const std::unique_ptr<tunnel::WireGuardTunnel> own_tunnel_;
  tunnel::WireGuardTunnel& tunnel_;
  tunnel::PeerId peer_;
  EdgePath path_;
  std::uint64_t path_changes_ = 0;
  Event path_changed_;
  std::string edge_run_;
  bool up_ = false;
  bool silent_ = false;
  std::string no_address_;  // why the last look-up found none; empty: it did
  bool accepting_ = true;
  std::optional<std::size_t> room_;
  LinkRefusals refusals_;
  bool publishing_held_ = false;
  Event publishing_released_;
  bool handed_over_ = false;
  bool finish_wanted_ = false;
  Event handed_over_changed_;
  std::unique_ptr<MessageLink> handover_link_;  // while a hand-over goes on
  control::ControlClientRunner control_;
  std::map<const Service*, Listener*> listeners_;  // each owned by its accept_for_service()
  TaskGroup lookups_;
  TaskGroup acceptors_;
  TaskGroup streams_;
};

}  // namespace sidestream::sidecar
