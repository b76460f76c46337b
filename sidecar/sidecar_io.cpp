#include "sidecar/sidecar_io.h"

#include <algorithm>
#include <utility>

#include "streams/base64.h"
#include "streams/join_io.h"
#include "streams/message_text.h"
#include "streams/quantity.h"
#include "tunnel/timestamp.h"

namespace sidestream::sidecar {
namespace {

// While handshakes go unanswered their timestamps are kept this often, which is no burden for a
// card in a small computer; a restart skips more than that.
constexpr Duration keep_timestamps_every = 2min;
constexpr std::chrono::seconds timestamp_margin = 5min;

Task<> first_of_two(Task<> one, Task<> other) {
  co_await first_of(std::move(one), std::move(other));
}

}  // namespace

Sidecar::Sidecar(Network& network, SidecarSettings settings, SidecarConfiguration configuration,
                 const StateFolder* state, const Log& log)
    : network_(network),
      settings_(std::move(settings)),
      tunnel_settings_(configuration.tunnel),
      program_settings_(configuration.program),
      docker_(configuration.docker),
      written_(configuration),
      acme_settings_(configuration.acme),
      state_(state),
      log_(log),
      stranger_log_(log.at_most_every(1s)),
      bans_(control::BanLimits{}.bans_max),
      started_(network.timers().now()),
      tasks_(network.executor()) {
  load_bans();
  make_acme_client();
  add_responder(configuration);
  for (ServiceConfiguration& service : configuration.services) add_service(std::move(service));
  for (const EdgeEntry& entry : configuration.edges) add_link(entry);
  if (docker_)
    discovery_ = std::make_unique<LabelDiscovery>(network_, discovery_settings(*docker_), log_,
                                                  [this] { take_over_labels(); });
}

void Sidecar::add_link(const EdgeEntry& entry) {
  EdgeLinkConfiguration configuration;
  configuration.name = entry.name();
  configuration.endpoints = entry.endpoints;
  configuration.edge_public_key = entry.public_key;
  configuration.preshared_key = entry.preshared_key;
  configuration.edge_address = entry.edge_address;
  configuration.make_tunnel = settings_.make_tunnel;
  configuration.tunnel.private_key = entry.private_key;
  configuration.tunnel.listen = {IpAddress::v6({}), 0};
  if (const auto* const before =
          settings_.before ? settings_.before->find(link_id(entry)) : nullptr) {
    configuration.tunnel.first_listen = before->outer;
    configuration.run = before->run;
  }
  configuration.tunnel.address = entry.own_address;
  constexpr std::size_t other_connections = 64;
  configuration.streams_max = settings_.streams_max;
  configuration.tunnel.mtu = tunnel_settings_.mtu;
  configuration.tunnel.tcp_limits = tunnel::tunnel_tcp_limits(tunnel_settings_.patience);
  configuration.tunnel.tcp_limits.connections_max = settings_.streams_max + other_connections;
  configuration.tunnel.tcp_limits.memory_bytes_max = settings_.tcp_memory_bytes;

  auto added = std::make_unique<Link>();
  Link& link = *added;
  link.entry = entry;
  // One file for each pair of keys: the edge remembers the greatest timestamp of our key.
  link.timestamp_file = "timestamp-" + serialize_base64url(entry.own_public_key.bytes);
  link.link = std::make_unique<EdgeLink>(
      network_, std::move(configuration), services_,
      [this, &link](const EdgeLinkEvent& event) { handle_event(link, event); });
  links_.push_back(std::move(added));
  if (state_ == nullptr) return;
  const auto kept = state_->read(link.timestamp_file);
  if (!kept) {
    log_.warn("timestamp not read", {{"why", kept.error()}});
  } else if (*kept && (*kept)->size() == link.kept.bytes.size()) {
    std::ranges::copy(bytes_of(**kept), link.kept.bytes.begin());
    link.link->tunnel().set_last_timestamp(last_used(link));
  }
}

Task<> Sidecar::run() {
  for (const auto& link : links_)
    log_.info("sidecar started", {{"edge", link->link->configuration().name},
                                  {"address", link->link->tunnel().address().text()},
                                  {"public_key", link->link->tunnel().public_key().text()}});
  Task<> serving = work();
  Task<> stopping = wait_stop();
  Task<> all = first_of_two(std::move(serving), std::move(stopping));
  co_await with_cleanup(std::move(all), tasks_.stop());
}

Task<> Sidecar::work() {
  tell_bans();
  for (const auto& link : links_) spawn(run_link(*link));
  for (const auto& service : services_) begin_watching(*service);
  if (acme_ && acme_->responder() != nullptr) spawn(acme_->responder()->run());
  if (state_ != nullptr) spawn(keep_timestamps());
  if (discovery_) {
    spawn(discovery_->run());
    spawn(publish_without_labels());
  }
  while (!failure_) co_await failed_.wait();
  std::rethrow_exception(failure_);
}

void Sidecar::stop() {
  stopping_ = true;
  stop_wanted_.notify_all();
}

Task<> Sidecar::wait_stop() {
  while (!stopping_ && !handed_over_) co_await stop_wanted_.wait();
  if (handed_over_) co_await live_on();
  if (!stopping_) co_return;
  log_.info("sidecar stops");
  Task<> leaving = leave(*links_.front());
  for (std::size_t i = 1; i < links_.size(); ++i)
    leaving = both(std::move(leaving), leave(*links_[i]));
  co_await std::move(leaving);
}

// ---- what happened -----------------------------------------------------------------------------

void Sidecar::handle_health(const Service& service, std::size_t backend) {
  const HealthJudge& health = service.backends().health(backend);
  const std::string name = service.backends().name(backend);
  const Log log = log_.with({{"service", service.configuration().name}});
  if (health.state() == HealthJudge::State::healthy)
    log.info("backend healthy", {{"backend", name}});
  else
    log.warn(service.backends().state() == HealthJudge::State::healthy
                 ? "backend not healthy, the others serve"
                 : "backend not healthy, its service is not published",
             {{"backend", name}, {"why", health.reason()}});
  for (const auto& link : links_) link->link->services_changed();
}

void Sidecar::handle_certificate(const Service& service) {
  const ServiceTls& tls = *service.tls();
  const std::string& name = service.configuration().name;
  for (const TlsCertificate& one : tls.certificates())
    log_.info("certificate in use", {{"service", name},
                                     {"names", names_text(one)},
                                     {"until", minute_text(one.facts().not_after)},
                                     {"sha256", fingerprint_text(one.facts().sha256)}});
  if (!tls.problem().empty())
    log_.warn(tls.ready() ? "certificate needs care" : "no certificate",
              {{"service", name}, {"why", tls.problem()}});
  for (const auto& link : links_) link->link->services_changed();
}

void Sidecar::handle_event(Link& link, const EdgeLinkEvent& event) {
  using Kind = EdgeLinkEvent::Kind;
  const std::string& edge = link.link->configuration().name;
  switch (event.kind) {
    case Kind::handshake:
      keep_timestamp(link, link.link->tunnel().last_timestamp());
      if (!std::exchange(link.up, true)) log_.info("tunnel up", {{"edge", edge}});
      return;
    case Kind::lost:
      link.up = false;
      log_.warn("edge does not answer", {{"edge", edge}});
      return;
    case Kind::edge_restarted:
      log_.info("edge was started again",
                {{"edge", edge}, {"streams_cut", std::uint64_t{link.link->streams()}}});
      return;
    case Kind::silent:
    case Kind::no_address:
      tell_problem(link);
      return;
    case Kind::standing_changed:
      tell_problem(link);
      tell_answers(link);
      return;
    case Kind::stream_refused:
      stranger_log_.info("stream refused",
                         {{"edge", edge},
                          {"client", event.client ? event.client->text() : "unknown"},
                          {"why", event.text}});
      return;
    case Kind::path_mtu_changed:
      log_.info("path carries packets of another size",
                {{"edge", edge}, {"mtu", std::uint64_t{event.packet_bytes}}});
      return;
  }
}

void Sidecar::tell_problem(Link& link) {
  const bool no_control = link.link->standing().no_control;
  if (no_control && !std::exchange(link.no_control_told, no_control))
    log_.info("edge is a router alone: services are found by name, nothing is published",
              {{"edge", link.link->configuration().name}});
  link.no_control_told = no_control;
  std::string problem = link.link->problem();
  if (problem == link.problem_told) return;
  link.problem_told = std::move(problem);
  if (!link.problem_told.empty())
    log_.warn("nothing is published",
              {{"edge", link.link->configuration().name}, {"why", link.problem_told}});
}

// That the edge opens a port lasts a moment only.
bool Sidecar::is_worth_telling(const control::EndpointAnswer& answer) {
  return answer.reason != control::Reason::listener_opening;
}

// What has changed of what the edge says. After a lease was lost everything is told anew.
void Sidecar::tell_answers(Link& link) {
  const std::string& edge = link.link->configuration().name;
  std::map<std::string, control::EndpointAnswer> current;
  for (const control::EndpointAnswer& answer : link.link->standing().answers) {
    current.emplace(answer.endpoint, answer);
    const auto told = link.told.find(answer.endpoint);
    if (!is_worth_telling(answer) || (told != link.told.end() && told->second == answer)) continue;
    if (answer.state == control::EndpointState::granted)
      log_.info("published", {{"endpoint", answer.endpoint}, {"edge", edge}});
    else
      log_.warn(answer.state == control::EndpointState::refused ? "refused by the edge"
                                                                : "waits for the edge",
                {{"endpoint", answer.endpoint}, {"edge", edge}, {"why", answer.sentence}});
  }
  link.told = std::move(current);
}

// The edge refuses handshakes that are not newer than the last one it saw, so a machine whose clock
// went back must know how far it had come. Between two times of writing that down it came a little
// further.
tunnel::Timestamp Sidecar::last_used(const Link& link) const {
  if (link.kept < tunnel::timestamp_of(network_.timers().wall_now())) return link.kept;
  log_.warn("clock went back; handshakes go on from the newest time that was kept",
            {{"edge", link.link->configuration().name}});
  return tunnel::later_timestamp(link.kept, timestamp_margin);
}

Task<> Sidecar::keep_timestamps() {
  for (;;) {
    co_await network_.timers().sleep_for(keep_timestamps_every);
    for (const auto& link : links_) keep_timestamp(*link, link->link->tunnel().last_timestamp());
  }
}

// What a handshake that is about to begin uses at least: the edge may hear of it, and this program
// may die before it knows that.
tunnel::Timestamp Sidecar::first_timestamp(const Link& link) const {
  return std::max(tunnel::timestamp_of(network_.timers().wall_now()),
                  link.link->tunnel().last_timestamp());
}

void Sidecar::keep_timestamp(Link& link, const tunnel::Timestamp& newest) {
  if (state_ == nullptr || handed_over_ || newest == link.kept) return;
  const auto kept = state_->write(link.timestamp_file, sidestream::text_of(Bytes(newest.bytes)));
  if (kept)
    link.kept = newest;
  else
    log_.warn("timestamp not kept", {{"why", kept.error()}});
}

// Programs read this line too (docs/fail2ban.md): what they look for comes first, and what a client
// has a hand in stands behind it.
void Sidecar::tell(const ServedStream& stream) {
  std::uint64_t held_back = 0;
  if (is_refusal(stream.end)) {
    const auto told = told_refusals_.tell(network_.timers().now(), stream);
    if (!told) return;
    held_back = *told;
  }
  const std::string client = stream.client.text();
  const std::string end = stream.end_text();
  std::vector<LogField> fields{{"service", stream.service},
                               {"endpoint", stream.endpoint},
                               {"client", client},
                               {"result", counter_of(stream.end)},
                               {"bytes_in", stream.client_to_backend_bytes},
                               {"bytes_out", stream.backend_to_client_bytes},
                               {"duration", stream.duration},
                               {"end", end}};
  if (!stream.tls_version.empty()) fields.emplace_back("tls", stream.tls_version);
  if (!stream.client_certificate.empty())
    fields.emplace_back("client_certificate", stream.client_certificate);
  if (stream.of_several && !stream.backend.empty()) fields.emplace_back("backend", stream.backend);
  if (held_back > 0) fields.emplace_back("held_back", held_back);
  log_.write(LogLevel::info, "stream ended", fields);
}

}  // namespace sidestream::sidecar
