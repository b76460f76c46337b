// The sidecar: its services, and a link to each of its edges.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/admin_messages.h"
#include "control/status_messages.h"
#include "sidecar/edge_link_io.h"
#include "sidecar/service_io.h"
#include "streams/log_io.h"
#include "streams/network_io.h"
#include "streams/state_file_io.h"

namespace sidestream::sidecar {

struct SidecarSettings {
  std::string version;
  Duration drain_time = 10s;  // for live streams after stop()
};

class Sidecar {
 public:
  // Opens a UDP socket for each edge (throws system_error). `network` and `log` outlive it.
  // `state` is where the greatest handshake timestamps are kept (nullptr: nowhere).
  Sidecar(Network& network, SidecarSettings settings, SidecarConfiguration configuration,
          const StateFolder* state, const Log& log);

  // Serves until it is cancelled, which ends all streams, or until stop() is done.
  Task<> run();
  // Withdraws from all edges, lets live streams end for the drain time, then ends run().
  void stop();

  [[nodiscard]] control::SidecarStatus status() const;
  // Healthy: something is published somewhere.
  [[nodiscard]] control::HealthAnswer health() const;

 private:
  struct Link {
    std::unique_ptr<EdgeLink> link;
    std::string timestamp_file;
    tunnel::Timestamp kept{};
    bool up = false;
    std::string problem_told;
    std::map<std::string, control::EndpointAnswer> told;  // by endpoint
  };

  void add_link(const EdgeEntry& entry);
  Task<> work();
  Task<> wait_stop();
  void handle_event(Link& link, const EdgeLinkEvent& event);
  void keep_timestamp(Link& link);
  Task<> keep_timestamps();
  // The greatest timestamp that an earlier run can have used.
  [[nodiscard]] tunnel::Timestamp last_used(const Link& link) const;
  void tell_problem(Link& link);
  static bool is_worth_telling(const control::EndpointAnswer& answer);
  void tell_answers(Link& link);
  void tell(const ServedStream& stream);
  void handle_health(const Service& service);
  [[nodiscard]] control::ServiceEndpointStatus status_of(const Service& service,
                                                         const std::string& endpoint,
                                                         const EdgeLink& link) const;

  Network& network_;
  const SidecarSettings settings_;
  const control::TunnelSettings tunnel_settings_;
  const StateFolder* state_;
  const Log& log_;
  const Log stranger_log_;
  const Instant started_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<std::unique_ptr<Link>> links_;
  bool stopping_ = false;
  Event stop_wanted_;
};

}  // namespace sidestream::sidecar
