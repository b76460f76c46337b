// What a sidecar measures; docs/metrics.md lists it.
#include <algorithm>
#include <map>
#include <utility>

#include "control/tunnel_metrics.h"
#include "sidecar/sidecar_io.h"

namespace sidestream::sidecar {
namespace {

// Of one name: the service as the file has it now, and former ones that still have streams.
struct NamedService {
  const Service* current = nullptr;
  ServedCounters counters;
  std::size_t streams = 0;
  struct NamedBackend {
    std::optional<bool> healthy;  // of those that it has now
    BackendCounters counters;
    std::size_t streams = 0;
  };
  std::map<std::string, NamedBackend> backends;

  void add(const Service& service) {
    counters.add(service.counters());
    streams += service.streams();
    for (std::size_t i = 0; i < service.backends().size(); ++i) {
      NamedBackend& one = backends[service.backends().name(i)];
      one.counters.add(service.backends().counters(i));
      one.streams += service.backends().streams(i);
      if (&service == current)
        one.healthy = service.backends().health(i).state() == HealthJudge::State::healthy;
    }
  }
};
using NamedServices = std::map<std::string, NamedService>;

void add_ends(control::MetricsPage& page, const NamedServices& services, bool refusals,
              std::string_view label) {
  for (const auto& [name, service] : services) {
    for (std::size_t i = 0; i < served_end_count; ++i) {
      const auto end = static_cast<ServedEnd>(i);
      if (is_refusal(end) == refusals)
        page.add(service.counters.ended[i], {{"service", name}, {label, counter_of(end)}});
    }
  }
}

void add_streams(control::MetricsPage& page, const NamedServices& services) {
  page.gauge("sidestream_service_streams", "Live streams of a service.");
  for (const auto& [name, one] : services)
    page.add(std::uint64_t{one.streams}, {{"service", name}});
  page.counter("sidestream_service_streams_total", "Streams that came for a service.");
  for (const auto& [name, one] : services)
    page.add(one.counters.streams_in_all, {{"service", name}});
  page.counter("sidestream_service_received_bytes_total", "Bytes from clients to a service.");
  for (const auto& [name, one] : services)
    page.add(one.counters.bytes.left_to_right_bytes, {{"service", name}});
  page.counter("sidestream_service_sent_bytes_total", "Bytes from a service to clients.");
  for (const auto& [name, one] : services)
    page.add(one.counters.bytes.right_to_left_bytes, {{"service", name}});
  page.counter("sidestream_service_streams_ended_total", "Streams that have ended, by the end.");
  add_ends(page, services, false, "end");
  page.counter("sidestream_service_streams_refused_total",
               "Streams that the service refused, by reason.");
  add_ends(page, services, true, "reason");
}

void add_limits(control::MetricsPage& page, const NamedServices& services) {
  page.gauge("sidestream_service_streams_limit",
             "How many there can be, where limits.streams says so.");
  for (const auto& [name, one] : services)
    if (one.current != nullptr && one.current->configuration().limits.streams)
      page.add(std::uint64_t{*one.current->configuration().limits.streams}, {{"service", name}});
  page.gauge("sidestream_service_per_client_limit",
             "How many one client can have, where limits.per_client says so.");
  for (const auto& [name, one] : services)
    if (one.current != nullptr && one.current->configuration().limits.per_client)
      page.add(std::uint64_t{*one.current->configuration().limits.per_client}, {{"service", name}});
}

void add_health(control::MetricsPage& page, const NamedServices& services) {
  page.gauge("sidestream_service_healthy", "1 while a backend of a service is well.");
  for (const auto& [name, one] : services)
    if (one.current != nullptr)
      page.add(one.current->backends().state() == HealthJudge::State::healthy, {{"service", name}});
}

// Calls `add(service, backend, facts)` for each of them.
void for_each_backend(const NamedServices& services, const auto& add) {
  for (const auto& [name, service] : services)
    for (const auto& [backend, one] : service.backends) add(name, backend, one);
}

void add_backends(control::MetricsPage& page, const NamedServices& services) {
  using Backend = NamedService::NamedBackend;
  using Text = std::string;
  page.counter("sidestream_service_probes_total", "Probes of a backend, by what they found.");
  for_each_backend(services, [&](const Text& name, const Text& backend, const Backend& one) {
    page.add(one.counters.probes_healthy,
             {{"service", name}, {"backend", backend}, {"result", "healthy"}});
    page.add(one.counters.probes_unhealthy,
             {{"service", name}, {"backend", backend}, {"result", "unhealthy"}});
  });
  page.gauge("sidestream_backend_healthy", "1 while this backend of a service is well.");
  for_each_backend(services, [&](const Text& name, const Text& backend, const Backend& one) {
    if (one.healthy) page.add(*one.healthy, {{"service", name}, {"backend", backend}});
  });
  page.gauge("sidestream_backend_streams", "Live streams of a backend.");
  for_each_backend(services, [&](const Text& name, const Text& backend, const Backend& one) {
    page.add(std::uint64_t{one.streams}, {{"service", name}, {"backend", backend}});
  });
  page.counter("sidestream_backend_streams_total", "Streams that went to a backend.");
  for_each_backend(services, [&](const Text& name, const Text& backend, const Backend& one) {
    page.add(one.counters.streams_in_all, {{"service", name}, {"backend", backend}});
  });
  page.counter("sidestream_backend_dials_failed_total",
               "Dials for a stream that failed; it went on to the next backend, if there was one.");
  for_each_backend(services, [&](const Text& name, const Text& backend, const Backend& one) {
    page.add(one.counters.dials_failed, {{"service", name}, {"backend", backend}});
  });
}

// Where TLS ends here.
void add_certificates(control::MetricsPage& page, const NamedServices& services) {
  page.gauge("sidestream_certificate_expiry_timestamp_seconds",
             "When the first certificate of a service expires.");
  for (const auto& [name, one] : services) {
    if (one.current == nullptr || one.current->tls() == nullptr || !one.current->tls()->ready())
      continue;
    WallTime first = WallTime::max();
    for (const TlsCertificate& certificate : one.current->tls()->certificates())
      first = std::min(first, certificate.facts().not_after);
    page.add(std::chrono::duration<double>(first.time_since_epoch()).count(), {{"service", name}});
  }
  page.gauge("sidestream_certificate_problem",
             "1 while somebody should see to the certificates of a service.");
  for (const auto& [name, one] : services)
    if (one.current != nullptr && one.current->tls() != nullptr)
      page.add(!one.current->tls()->problem().empty(), {{"service", name}});
}

void add_endpoints(control::MetricsPage& page, const control::SidecarStatus& status) {
  using State = control::PublishState;
  page.gauge("sidestream_service_endpoints",
             "Endpoints of a service on an edge, by what became of them.");
  for (const control::ServiceStatus& service : status.services)
    for (const control::SidecarEdgeStatus& edge : status.edges)
      for (const State state :
           {State::published, State::waiting, State::refused, State::withdrawn, State::by_name})
        page.add(static_cast<std::uint64_t>(std::ranges::count_if(
                     service.endpoints,
                     [&](const auto& one) { return one.edge == edge.edge && one.state == state; })),
                 {{"service", service.name}, {"edge", edge.edge}, {"state", text_of(state)}});
}

}  // namespace

std::size_t Sidecar::obey_memory(std::size_t new_streams, bool shed) {
  constexpr std::size_t share = 16;  // of the live ones at once
  std::size_t streams = 0;
  for (const auto& link : links_) {
    link->link->set_room(new_streams / links_.size());
    streams += link->link->streams();
  }
  std::size_t ended = 0;
  while (shed && ended < 1 + streams / share && shed_newest_stream()) ++ended;
  return ended;
}

bool Sidecar::shed_newest_stream() {
  Service* newest = nullptr;
  const auto look_at = [&](const std::unique_ptr<Service>& one) {
    const auto began = one->newest_stream();
    if (began && (newest == nullptr || *newest->newest_stream() < *began)) newest = one.get();
  };
  std::ranges::for_each(services_, look_at);
  std::ranges::for_each(retired_, look_at);
  if (newest == nullptr) return false;
  newest->shed_newest_stream();
  return true;
}

void Sidecar::write_metrics(control::MetricsPage& page) const {
  NamedServices services;
  for (const auto& service : services_) {
    NamedService& named = services[service->configuration().name];
    named.current = service.get();
    named.add(*service);
  }
  for (const auto& service : retired_) services[service->configuration().name].add(*service);
  add_streams(page, services);
  add_limits(page, services);
  add_health(page, services);
  add_backends(page, services);
  add_certificates(page, services);
  add_endpoints(page, status());
  page.gauge("sidestream_bans", "Networks whose clients are not served.");
  page.add(std::uint64_t{control::banned_networks(bans_, network_.timers().now()).size()});
  page.gauge("sidestream_timers", "Timers that run.");
  page.add(std::uint64_t{network_.timers().size()});
  write_link_metrics(page);
}

// An edge that the file has no more and one that it has instead may have one name: the last counts.
void Sidecar::write_link_metrics(control::MetricsPage& page) const {
  std::map<std::string, const EdgeLink*> links;
  for (const auto& link : links_) links[link->link->configuration().name] = link->link.get();

  page.gauge("sidestream_edge_up", "1 while the tunnel to the edge carries.");
  for (const auto& [name, link] : links) page.add(link->is_up(), {{"edge", name}});
  page.gauge("sidestream_edge_streams", "Live streams of an edge.");
  for (const auto& [name, link] : links) page.add(std::uint64_t{link->streams()}, {{"edge", name}});
  page.gauge("sidestream_edge_streams_limit", "How many there can be.");
  for (const auto& [name, link] : links)
    page.add(std::uint64_t{link->configuration().streams_max}, {{"edge", name}});
  page.counter("sidestream_edge_streams_refused_total",
               "Streams of an edge that were refused before their service was known, by reason.");
  for (const auto& [name, link] : links) {
    const LinkRefusals& refused = link->refusals();
    page.add(refused.too_many, {{"edge", name}, {"reason", "too_many_streams"}});
    page.add(refused.no_memory, {{"edge", name}, {"reason", "no_memory"}});
    page.add(refused.not_accepting, {{"edge", name}, {"reason", "not_accepting"}});
    page.add(refused.no_header, {{"edge", name}, {"reason", "no_proxy_header"}});
    page.add(refused.no_service, {{"edge", name}, {"reason", "no_such_name"}});
  }

  std::vector<control::TunnelPeerFacts> peers;
  std::vector<control::TunnelUsage> tunnels;
  for (const auto& [name, link] : links) {
    const control::ControlStanding& standing = link->standing();
    peers.push_back({.peer = name,
                     .tunnel = link->peer_status().value_or(tunnel::PeerStatus()),
                     .last_heartbeat = standing.last_answer,
                     .round_trip = standing.round_trip});
    const tunnel::WireGuardTunnel& tunnel = link->tunnel();
    tunnels.push_back({.peer = name,
                       .connections = tunnel.connection_count(),
                       .connections_max = tunnel.tcp_limits().connections_max,
                       .buffered_bytes = tunnel.buffered_bytes(),
                       .buffered_bytes_max = tunnel.tcp_limits().memory_bytes_max,
                       .under_load = tunnel.under_load()});
  }
  const control::MetricsMoment moment{network_.timers().now(), network_.timers().wall_now()};
  control::add_tunnel_peers(page, "edge", moment, peers);
  control::add_tunnel_usage(page, "edge", tunnels);
}

}  // namespace sidestream::sidecar
