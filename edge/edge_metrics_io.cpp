// What an edge measures; docs/metrics.md lists it.
#include <algorithm>
#include <utility>

#include "control/tunnel_metrics.h"
#include "edge/edge_io.h"

namespace sidestream::edge {
namespace {

void add_ends(control::MetricsPage& page, const RouterCounters& counters, bool refusals,
              std::string_view label) {
  for (std::size_t i = 0; i < stream_end_count; ++i) {
    const auto end = static_cast<StreamEnd>(i);
    if (is_refusal(end) == refusals) page.add(counters.ended[i], {{label, counter_of(end)}});
  }
}

void add_services(control::MetricsPage& page, const ServiceTrafficTable& traffic) {
  const auto add = [&](std::uint64_t (*count)(const ServiceTraffic&)) {
    for (const auto& [key, service] : traffic.services())
      page.add(count(service), {{"sidecar", service.sidecar}, {"service", service.service}});
  };
  page.gauge("sidestream_service_streams", "Live streams of a service.");
  add([](const ServiceTraffic& one) { return std::uint64_t{one.streams}; });
  page.counter("sidestream_service_streams_total", "Streams that were opened to a service.");
  add([](const ServiceTraffic& one) { return one.streams_in_all; });
  page.counter("sidestream_service_received_bytes_total", "Bytes from clients to a service.");
  add([](const ServiceTraffic& one) { return one.bytes.left_to_right_bytes; });
  page.counter("sidestream_service_sent_bytes_total", "Bytes from a service to clients.");
  add([](const ServiceTraffic& one) { return one.bytes.right_to_left_bytes; });
}

void add_leases(control::MetricsPage& page, const std::vector<SidecarStanding>& standings) {
  using State = control::EndpointState;
  page.gauge("sidestream_sidecar_present", "1 while the sidecar holds a lease.");
  for (const SidecarStanding& one : standings) page.add(one.present, {{"sidecar", one.name}});
  page.gauge("sidestream_sidecar_endpoints", "Endpoints that a sidecar wants, by the answer.");
  for (const SidecarStanding& one : standings)
    for (const State state : {State::granted, State::waiting, State::refused})
      page.add(static_cast<std::uint64_t>(std::ranges::count_if(
                   one.endpoints,
                   [state](const auto& endpoint) { return endpoint.answer.state == state; })),
               {{"sidecar", one.name}, {"state", text_of(state)}});
}

}  // namespace

std::size_t Edge::obey_memory(std::size_t new_streams, bool shed) {
  constexpr std::size_t share = 16;  // of the live ones at once
  router_.set_room(new_streams);
  return shed ? router_.shed_newest(1 + router_.counters().active / share) : 0;
}

void Edge::write_metrics(control::MetricsPage& page) const {
  const control::MetricsMoment moment{network_.timers().now(), network_.timers().wall_now()};
  const RouterCounters counters = router_.counters();
  const AdmissionLimits& limits = settings_.router.admission;
  page.gauge("sidestream_streams", "Live streams, of clients that were not refused (yet).");
  page.add(std::uint64_t{counters.active});
  page.gauge("sidestream_streams_limit", "How many there can be.");
  page.add(std::uint64_t{limits.streams_max});
  page.gauge("sidestream_streams_undecided", "Of these, such without a whole ClientHello.");
  page.add(std::uint64_t{counters.undecided});
  page.gauge("sidestream_streams_undecided_limit",
             "How many there can be before the oldest is given up.");
  page.add(std::uint64_t{limits.undecided_max});
  page.gauge("sidestream_streams_per_client_limit", "How many one client can have.");
  page.add(std::uint64_t{limits.streams_per_client_max});
  page.gauge("sidestream_clients", "Clients (IPv4 addresses, IPv6 /64) with live streams.");
  page.add(std::uint64_t{router_.clients()});
  page.counter("sidestream_streams_accepted_total", "Connections of clients.");
  page.add(counters.accepted);
  page.counter("sidestream_streams_ended_total", "Streams that had reached a sidecar, by the end.");
  add_ends(page, counters, false, "end");
  page.counter("sidestream_streams_refused_total", "Connections that were refused, by reason.");
  add_ends(page, counters, true, "reason");
  page.counter("sidestream_accept_failures_total",
               "Times that accept() failed for want of descriptors or memory.");
  page.add(counters.accept_failures);
  page.gauge("sidestream_public_ports_open", "Public ports that accept connections.");
  page.add(std::uint64_t{accepting_->ports().open});
  page.gauge("sidestream_public_ports_failed",
             "Public ports that are wanted and cannot be opened.");
  page.add(std::uint64_t{accepting_->ports().failed});
  page.gauge("sidestream_router_in_step", "1 while the router has what it should.");
  page.add(accepting_->problem().empty());
  add_services(page, router_.traffic());
  page.gauge("sidestream_timers", "Timers that run.");
  page.add(std::uint64_t{network_.timers().size()});

  const std::vector<SidecarStanding> standings = leases_.standings();
  add_leases(page, standings);
  page.counter("sidestream_control_refused_total",
               "Messages of the control protocol that were refused.");
  page.add(control_.refused());

  std::vector<control::TunnelPeerFacts> peers;
  for (const SidecarStanding& standing : standings) {
    control::TunnelPeerFacts facts{.peer = standing.name,
                                   .tunnel = {},
                                   .last_heartbeat = standing.last_heartbeat,
                                   .round_trip = standing.round_trip};
    if (const auto id = peers_.find(standing.name); id != peers_.end())
      facts.tunnel = tunnel_.peer_status(id->second).value_or(tunnel::PeerStatus());
    peers.push_back(std::move(facts));
  }
  control::add_tunnel_peers(page, "sidecar", moment, peers);
  const control::TunnelUsage usage{.peer = {},
                                   .connections = tunnel_.connection_count(),
                                   .connections_max = tunnel_.tcp_limits().connections_max,
                                   .buffered_bytes = tunnel_.buffered_bytes(),
                                   .buffered_bytes_max = tunnel_.tcp_limits().memory_bytes_max,
                                   .under_load = tunnel_.under_load()};
  control::add_tunnel_usage(page, "", {&usage, 1});
}

}  // namespace sidestream::edge
