// What a sidecar says about itself.
#include "sidecar/sidecar_io.h"
#include "streams/message_text.h"
#include "streams/quantity.h"

namespace sidestream::sidecar {
namespace {

std::optional<Duration> since(Instant now, const std::optional<Instant>& then) {
  if (!then) return std::nullopt;
  return now - *then;
}

}  // namespace

std::string Sidecar::names_text(const TlsCertificate& certificate) {
  std::string text;
  for (const std::string& name : certificate.facts().names)
    text += (text.empty() ? "" : ", ") + name;
  constexpr std::size_t shown_max = 500;
  return printable(text, shown_max);
}

control::CertificateStatus Sidecar::certificate_status(const ServiceTls& tls) {
  control::CertificateStatus status;
  status.source = tls.source();
  status.problem = tls.problem();
  for (const TlsCertificate& one : tls.certificates())
    status.chains.push_back({.names = names_text(one),
                             .until = minute_text(one.facts().not_after),
                             .sha256 = fingerprint_text(one.facts().sha256)});
  return status;
}

control::ServiceStatus Sidecar::service_status(const Service& service) const {
  const ServiceBackends& backends = service.backends();
  control::ServiceStatus status;
  status.name = service.configuration().name;
  status.backend = backends_text(service.configuration());
  status.health = text_of(backends.state());
  status.health_reason = backends.reason();
  status.streams = service.streams();
  if (const ServiceTls* tls = service.tls()) status.certificate = certificate_status(*tls);
  for (const control::Endpoint& endpoint : service.configuration().publish)
    for (const auto& link : links_)
      status.endpoints.push_back(status_of(service, endpoint.text(), *link->link));
  for (std::size_t i = 0; i < backends.size(); ++i)
    status.backends.push_back({.backend = backends.name(i),
                               .health = std::string(text_of(backends.health(i).state())),
                               .health_reason = backends.health(i).reason(),
                               .streams = backends.streams(i)});
  return status;
}

control::SidecarStatus Sidecar::status() const {
  const Instant now = network_.timers().now();
  control::SidecarStatus status;
  status.version = settings_.version;
  status.uptime = now - started_;
  for (const auto& link : links_) {
    const control::ControlStanding& standing = link->link->standing();
    control::SidecarEdgeStatus edge;
    edge.edge = link->link->configuration().name;
    edge.tunnel_state = standing.revoked       ? "revoked"
                        : link->link->is_up()  ? "up"
                        : standing.last_answer ? "lost"
                                               : "connecting";
    edge.edge_version = standing.edge_version;
    edge.problem = link->link->problem();
    edge.tunnel_mode = link->link->tunnel().mode_text();
    edge.tunnel.last_heartbeat_ago = since(now, standing.last_answer);
    edge.tunnel.round_trip = standing.round_trip;
    if (const auto peer = link->link->peer_status()) {
      if (peer->endpoint) edge.tunnel.remote = peer->endpoint->text();
      edge.tunnel.last_handshake_ago = since(now, peer->last_handshake);
      edge.tunnel.bytes_received = peer->traffic.received_bytes;
      edge.tunnel.bytes_sent = peer->traffic.sent_bytes;
    }
    status.edges.push_back(std::move(edge));
    status.tunnel_connections += link->link->tunnel_connections();
  }
  for (const auto& service : services_) status.services.push_back(service_status(*service));
  status.timers = network_.timers().size();
  if (discovery_) status.docker = discovery_->status();
  add_predecessors(status);
  status.bans = control::banned_networks(bans_, now);
  return status;
}

control::ServiceEndpointStatus Sidecar::status_of(const Service& service,
                                                  const std::string& endpoint,
                                                  const EdgeLink& link) const {
  control::ServiceEndpointStatus status;
  status.endpoint = endpoint;
  status.edge = link.configuration().name;
  const control::ControlStanding& standing = link.standing();
  if (!service.can_serve()) {
    status.state = control::PublishState::withdrawn;
    status.reason = service.obstacle();
    return status;
  }
  if (standing.no_control) return status_of_static(std::move(status));
  status.state = standing.revoked ? control::PublishState::refused : control::PublishState::waiting;
  status.reason = link.problem();
  if (status.reason.empty()) status.reason = "the edge has not answered yet";
  for (std::size_t i = 0; i < standing.answers.size() && i < standing.published.size(); ++i) {
    if (standing.published[i].endpoint != endpoint) continue;
    const control::EndpointAnswer& answer = standing.answers[i];
    status.reason = answer.sentence;
    if (answer.state == control::EndpointState::granted)
      status.state = control::PublishState::published;
    else if (answer.state == control::EndpointState::refused)
      status.state = control::PublishState::refused;
    return status;
  }
  return status;
}

// What an edge without sidestream does with the endpoint.
control::ServiceEndpointStatus Sidecar::status_of_static(control::ServiceEndpointStatus status) {
  const bool has_name = !status.endpoint.starts_with(':');
  status.state = has_name ? control::PublishState::by_name : control::PublishState::refused;
  status.reason = has_name ? ""
                           : "this edge is WireGuard and a router alone, which finds services by "
                             "their names; a port of its own needs sidestream there";
  return status;
}

control::HealthAnswer Sidecar::health() const {
  const control::SidecarStatus now = status();
  std::string why = "no service is published";
  bool any = false;
  for (const control::ServiceStatus& service : now.services) {
    for (const control::ServiceEndpointStatus& endpoint : service.endpoints) {
      if (endpoint.state == control::PublishState::published ||
          endpoint.state == control::PublishState::by_name)
        any = true;
      else
        why = service.name + " is not published: " + endpoint.reason;
    }
  }
  return {any, any ? "" : why};
}

}  // namespace sidestream::sidecar
