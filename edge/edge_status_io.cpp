// What an edge says about itself.
#include "control/tunnel_handover_io.h"
#include "edge/edge_io.h"

namespace sidestream::edge {
namespace {

std::optional<Duration> since(Instant now, const std::optional<Instant>& then) {
  if (!then) return std::nullopt;
  return now - *then;
}

}  // namespace

control::EdgeStatus Edge::status() const {
  control::EdgeStatus status;
  status.version = settings_.version;
  status.uptime = network_.timers().now() - started_;
  if (!settings_.tickets.endpoints.empty())
    status.endpoint = settings_.tickets.endpoints.front().text();
  status.public_key = tunnel_.public_key().text();
  status.public_address = settings_.public_address.text();
  PublishRules rules;
  rules.set_public_ports(settings_.public_ports);
  status.public_ports = rules.public_ports_text();
  status.router = accepting_->text();
  status.router_problem = accepting_->problem();
  const RouterCounters counters = router_.counters();
  status.streams = counters.active;
  status.streams_in_all = counters.accepted;
  for (std::size_t i = 0; i < stream_end_count; ++i) {
    const auto end = static_cast<StreamEnd>(i);
    if (is_refusal(end) && counters.ended[i] > 0)
      status.refused.emplace_back(counter_of(end), counters.ended[i]);
  }
  for (const SidecarStanding& standing : leases_.standings())
    status.sidecars.push_back(status_of(standing));
  status.predecessors = control::status_of(tunnel_.predecessors());
  status.tunnel_connections = tunnel_.connection_count();
  status.tunnel_mode = tunnel_.mode_text();
  status.timers = network_.timers().size();
  return status;
}

control::EdgeSidecarStatus Edge::status_of(const SidecarStanding& standing) const {
  const Instant now = network_.timers().now();
  control::EdgeSidecarStatus status;
  status.name = standing.name;
  status.tunnel_address = standing.tunnel_address.text();
  status.present = standing.present;
  status.version = standing.version;
  status.instance = standing.instance;
  status.streams = router_.streams_of(standing.name);
  status.tunnel.last_heartbeat_ago = since(now, standing.last_heartbeat);
  status.tunnel.round_trip = standing.round_trip;
  if (const auto id = peers_.find(standing.name); id != peers_.end()) {
    if (const auto peer = tunnel_.peer_status(id->second)) {
      if (peer->endpoint) status.tunnel.remote = peer->endpoint->text();
      status.tunnel.last_handshake_ago = since(now, peer->last_handshake);
      status.tunnel.bytes_received = peer->traffic.received_bytes;
      status.tunnel.bytes_sent = peer->traffic.sent_bytes;
    }
  }
  for (const EndpointStanding& endpoint : standing.endpoints)
    status.endpoints.push_back({.endpoint = endpoint.wanted.endpoint,
                                .service = endpoint.wanted.service,
                                .state = endpoint.answer.state,
                                .reason = endpoint.answer.sentence});
  return status;
}

}  // namespace sidestream::edge
