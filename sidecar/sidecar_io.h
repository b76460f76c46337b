// The sidecar: its services, and a link to each of its edges.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/admin_messages.h"
#include "control/ban_messages.h"
#include "control/metrics_page.h"
#include "control/status_messages.h"
#include "sidecar/discovery_io.h"
#include "sidecar/edge_link_io.h"
#include "sidecar/service_io.h"
#include "sidecar/sidecar_handover.h"
#include "sidecar/told_refusals.h"
#include "streams/log_io.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"

namespace sidestream::sidecar {

struct SidecarSettings {
  std::string version;
  Duration drain_time = 10s;  // for live streams after stop()
  std::size_t streams_max = SidecarLimits{}.streams;
  std::size_t tcp_memory_bytes = tunnel::TcpLimits{}.memory_bytes_max;  // of each edge's tunnel
  // Read the files that the configuration names, as its reader did.
  FileReader read_file{};
  FileReader read_secret_file{};
  // Of the process that is taken over: tunnels and services begin where they are.
  std::optional<SidecarOffer> before{};
  tunnel::MakeWireGuardTunnel make_tunnel = tunnel::make_userspace_tunnel;  // to each edge
};

class Sidecar {
 public:
  // Opens a UDP socket for each edge (throws system_error). `network` and `log` outlive it.
  // `state` is where the greatest handshake timestamps are kept (nullptr: nowhere).
  Sidecar(Network& network, SidecarSettings settings, SidecarConfiguration configuration,
          const StateFolder* state, const Log& log);

  // Serves until it is cancelled, which ends all streams, or until stop() is done.
  Task<> run();
  // Takes over another configuration. Services and edges that are the same in it stay as they are,
  // with their streams; what is gone or different is withdrawn, and its streams come to their end.
  // Returns the keys whose change counts only after a restart. Throws system_error when a socket
  // for a new edge cannot be opened; nothing has changed then. Only while run() runs.
  std::vector<std::string> reload(SidecarConfiguration configuration);
  // Withdraws from all edges, lets live streams end for the drain time, then ends run().
  void stop();

  // Serves nobody of this network for a time, and ends the streams that they have (how many). Kept
  // over restarts where there is a state folder. The error is a sentence.
  std::expected<std::size_t, std::string> ban(const IpPrefix& network, std::chrono::seconds time);
  // Whether exactly this network was banned.
  bool unban(const IpPrefix& network);

  // ---- from one process to the next: docs/protocols/handover.md ------------------------------
  struct Offer {
    SidecarOffer facts;
    control::NamedDescriptors descriptors;
  };
  // What another process may take over; the error is a sentence. Until commit or call-off nothing
  // is reloaded.
  std::expected<Offer, std::string> offer_handover();
  // Stands still, and says where.
  SidecarHandover freeze_handover();
  // Lives on for the streams that it has, as a predecessor of that process; run() ends with the
  // last of them. Nothing is written into the state folder any more.
  void commit_handover();
  void call_off_handover();
  [[nodiscard]] bool handing_over() const { return handing_over_; }
  [[nodiscard]] bool handed_over() const { return handed_over_; }
  // The other side, before run(): goes on where the process `from` stands still. The sidecar was
  // made with its offer.
  void go_on(const SidecarHandover& handover, const tunnel::PredecessorFacts& from,
             control::NamedDescriptors& descriptors);
  // How the descriptors of a link are called.
  [[nodiscard]] static std::string descriptor_prefix(const std::string& id);

  [[nodiscard]] control::SidecarStatus status() const;
  void write_metrics(control::MetricsPage& page) const;
  // While memory is scarce: takes so many more streams until the next call, and ends some of the
  // newest. Returns how many it ended.
  std::size_t obey_memory(std::size_t new_streams, bool shed);
  // Healthy: something is published somewhere, or an edge that is a router alone can reach it.
  [[nodiscard]] control::HealthAnswer health() const;

 private:
  struct Link {
    EdgeEntry entry;
    std::unique_ptr<EdgeLink> link;
    std::string timestamp_file;
    bool leaving = false;  // the file has it no more
    bool hurried = false;  // and another one wants its keys
    Event leaving_changed;
    tunnel::Timestamp kept{};
    bool up = false;
    std::string problem_told;
    bool no_control_told = false;
    std::map<std::string, control::EndpointAnswer> told;  // by endpoint
  };

  // The configuration that was read, with the services of labels beside its own.
  [[nodiscard]] SidecarConfiguration with_labels();
  void take_over_labels();
  void take_over(const SidecarConfiguration& configuration);
  bool shed_newest_stream();
  void write_link_metrics(control::MetricsPage& page) const;
  void add_service(ServiceConfiguration configuration);
  void begin_watching(Service& service);
  void add_link(const EdgeEntry& entry);
  void add_links(const std::vector<EdgeEntry>& edges);
  void begin_service(const ServiceConfiguration& configuration);
  void retire_services(const SidecarConfiguration& configuration);
  void spawn(Task<> task);
  Task<> run_link(Link& link);
  Task<> leave(Link& link);
  Task<> drain_link(Link& link);
  Task<> bury(Service& service);
  [[nodiscard]] std::uint16_t port_for_service(const std::string& name) const;
  Task<> work();
  Task<> wait_stop();
  Task<> live_on();
  [[nodiscard]] std::size_t live_streams() const;
  void add_predecessors(control::SidecarStatus& status) const;
  void adopt_health(Service& service) const;
  Task<> publish_without_labels();
  void publish_now();
  [[nodiscard]] static std::string backends_text(const ServiceConfiguration& configuration);
  [[nodiscard]] static std::string names_text(const TlsCertificate& certificate);
  [[nodiscard]] static control::CertificateStatus certificate_status(const ServiceTls& tls);
  void handle_event(Link& link, const EdgeLinkEvent& event);
  [[nodiscard]] tunnel::Timestamp first_timestamp(const Link& link) const;
  void keep_timestamp(Link& link, const tunnel::Timestamp& newest);
  Task<> keep_timestamps();
  // The greatest timestamp that an earlier run can have used.
  [[nodiscard]] tunnel::Timestamp last_used(const Link& link) const;
  void tell_problem(Link& link);
  static bool is_worth_telling(const control::EndpointAnswer& answer);
  void tell_answers(Link& link);
  void tell(const ServedStream& stream);
  void handle_health(const Service& service, std::size_t backend);
  void handle_certificate(const Service& service);
  [[nodiscard]] static control::ServiceEndpointStatus status_of_static(
      control::ServiceEndpointStatus status);
  [[nodiscard]] bool is_banned(const IpAddress& client) const;
  void load_bans();
  void keep_bans() const;
  void tell_bans();
  void make_acme_client();
  void add_responder(SidecarConfiguration& configuration) const;
  // Whether all of its names are published somewhere.
  [[nodiscard]] bool is_published(const ServiceConfiguration& service) const;
  [[nodiscard]] control::ServiceStatus service_status(const Service& service) const;
  [[nodiscard]] control::ServiceEndpointStatus status_of(const Service& service,
                                                         const std::string& endpoint,
                                                         const EdgeLink& link) const;

  Network& network_;
  SidecarSettings settings_;
  const control::TunnelSettings tunnel_settings_;
  const control::ProgramConfiguration program_settings_;
  const std::optional<EngineAddress> docker_;
  SidecarConfiguration written_;  // what was read last, without the services of labels
  const AcmeSettings acme_settings_;
  const StateFolder* state_;
  const Log& log_;
  const Log stranger_log_;
  ToldRefusals told_refusals_;
  control::BanList bans_;
  const Instant started_;
  std::unique_ptr<AcmeClient> acme_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<std::unique_ptr<Service>> retired_;  // of which streams are left, or may still come
  std::vector<std::unique_ptr<Link>> links_;
  std::unique_ptr<LabelDiscovery> discovery_;  // nullptr: labels are not read
  bool stopping_ = false;
  std::vector<SidecarHandover::Healthy> healthy_before_;
  bool handing_over_ = false;
  bool handed_over_ = false;
  Event stop_wanted_;
  std::exception_ptr failure_;
  Event failed_;
  TaskGroup tasks_;
};

}  // namespace sidestream::sidecar
