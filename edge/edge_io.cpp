#include "edge/edge_io.h"

#include <algorithm>
#include <utility>

#include "edge/routers/caddy_router_io.h"
#include "edge/routers/embedded_router_io.h"
#include "edge/routers/foreign_router_io.h"
#include "edge/routers/haproxy_router_io.h"
#include "edge/routers/nginx_router_io.h"
#include "edge/routers/traefik_router_io.h"
#include "streams/join_io.h"

namespace sidestream::edge {
namespace {

constexpr std::string_view handover_goes_on =
    "another process is taking over; ask again in a moment";
constexpr Duration last_words = 200ms;
constexpr Duration look_again = 100ms;

using tunnel::Predecessors;

tunnel::UserspaceTunnelConfiguration with_address(
    tunnel::UserspaceTunnelConfiguration configuration, const IpAddress& address) {
  configuration.address = address;
  configuration.keeps_local_address = true;
  return configuration;
}

std::unique_ptr<Router> make_router(Network& network, const EdgeSettings& settings,
                                    EdgeRouter& streams, LeaseTable& leases, const Log& log) {
  std::unique_ptr<RouterDriver> driver;
  if (const auto* haproxy = std::get_if<HaproxySettings>(&settings.accepting))
    driver = std::make_unique<HaproxyDriver>(network, *haproxy);
  if (const auto* nginx = std::get_if<NginxSettings>(&settings.accepting))
    driver = std::make_unique<NginxDriver>(network, *nginx);
  if (const auto* traefik = std::get_if<TraefikSettings>(&settings.accepting))
    driver = std::make_unique<TraefikDriver>(network, *traefik);
  if (const auto* caddy = std::get_if<CaddySettings>(&settings.accepting))
    driver = std::make_unique<CaddyDriver>(network, *caddy);
  if (!driver)
    return std::make_unique<EmbeddedRouter>(network, streams, leases, log, settings.held_ports);
  return std::make_unique<ForeignRouter>(network, streams, leases, log, std::move(driver),
                                         *inlet_of(settings.accepting));
}

Task<> until_first(Task<> one, Task<> other) {
  co_await first_of(std::move(one), std::move(other));
}

}  // namespace

Edge::Edge(Network& network, EdgeSettings settings, SidecarRegistry registry,
           const StateFolder* state, const Log& log)
    : network_(network),
      settings_(std::move(settings)),
      registry_(std::move(registry)),
      state_(state),
      log_(log),
      started_(network.timers().now()),
      own_tunnel_(
          settings_.make_tunnel(network, with_address(settings_.tunnel, registry_.edge_address()))),
      tunnel_(*own_tunnel_),
      leases_(network.random().u64(), settings_.version),
      router_(network, tunnel_, settings_.public_address, settings_.router,
              {.on_stream_end = [this](const StreamRecord& record) { tell(record); },
               .is_banned =
                   [this](std::string_view sidecar, const IpAddress& client) {
                     return leases_.is_banned(network_.timers().now(), sidecar, client);
                   },
               .on_accept_failed =
                   [this](std::uint16_t port, error_code error) {
                     log_.error("accepting failed",
                                {{"port", std::uint64_t{port}}, {"error", error.message()}});
                   }}),
      accepting_(make_router(network, settings_, router_, leases_, log)),
      control_(network, tunnel_, leases_,
               [this](const SocketAddress& address) { return identify(address); }) {
  settings_.tickets.public_key = tunnel_.public_key();
  accepting_->on_change([this] { handle_leases(); });
  control_.on_change([this] { handle_leases(); });
  control_.on_settle([this] { return accepting_->settled(); });
  leases_.set_public_ports(settings_.public_ports);
  leases_.set_honours_bans(settings_.honours_bans);
  for (const EnrolledSidecar& sidecar : registry_.sidecars()) enrol(sidecar);
  renew_revoked_peers();
  tell_lease_table();
  tunnel_.on_event([this](const tunnel::DeviceEvent& event) { handle_tunnel_event(event); });
  tunnel_.on_path_mtu([this](const tunnel::PathMtuChange& change) {
    const auto sidecar = identify({change.remote, 0});
    log_.info("path carries packets of another size",
              {{"sidecar", sidecar ? sidecar->name : change.remote.text()},
               {"mtu", std::uint64_t{change.mtu}}});
  });
  recall_sidecars();
  keep_configured();
}

Task<> Edge::run() {
  log_.info("edge started", {{"tunnel", tunnel_.outer_address().text()},
                             {"public_key", tunnel_.public_key().text()},
                             {"sidecars", std::uint64_t{registry_.sidecars().size()}}});
  Task<> stop_streams = router_.stop();
  co_await with_cleanup(work(), std::move(stop_streams));
}

Task<> Edge::work() {
  Task<> calling = both(both(call_sidecars(), accepting_->run()), keep_endpoints());
  Task<> leading = both(std::move(calling), control_.run());
  Task<> until_handed_over = until_first(std::move(leading), wait_handed_over());
  Task<> serving = both(tunnel_.run(), std::move(until_handed_over));
  Task<> stopping = wait_stop();
  co_await first_of(std::move(serving), std::move(stopping));
}

Task<> Edge::wait_stop() {
  while (!stopping_ && !handed_over_) co_await end_wanted_.wait();
  if (handed_over_) co_await live_on();
  if (stopping_) co_await end_streams();
}

Task<> Edge::end_streams() {
  const Predecessors& before = tunnel_.predecessors();
  log_.info("edge stops", {{"streams", std::uint64_t{router_.counters().active}}});
  const Instant deadline = network_.timers().now() + settings_.drain_time;
  accepting_->close();
  co_await router_.drain(settings_.drain_time);
  while (before.streams() > 0 && network_.timers().now() < deadline)
    co_await network_.timers().sleep_for(look_again);
  write_endpoints();
  if (router_.counters().active == 0 && before.status().empty()) co_return;
  // The resets of what still lives have to get through the tunnel.
  tunnel_.predecessors().finish();
  co_await router_.stop();
  co_await network_.timers().sleep_for(last_words);
}

void Edge::stop() {
  stopping_ = true;
  end_wanted_.notify_all();
}

// ---- sidecars ----------------------------------------------------------------------------------

std::optional<tunnel::PeerId> Edge::add_peer(std::string_view name,
                                             const tunnel::PublicKey& public_key,
                                             const tunnel::PresharedKey& preshared_key,
                                             const IpAddress& address) {
  tunnel::PeerConfiguration peer;
  peer.public_key = public_key;
  peer.preshared_key = preshared_key;
  peer.allowed_ips = {IpPrefix(address, address.bits())};
  const auto id = tunnel_.add_peer(peer);
  if (id) return *id;
  log_.error("sidecar cannot be a peer of the tunnel", {{"sidecar", name}});
  return std::nullopt;
}

void Edge::enrol(const EnrolledSidecar& sidecar) {
  const auto id =
      add_peer(sidecar.name, sidecar.public_key, sidecar.preshared_key, sidecar.address);
  if (id) peers_[sidecar.name] = *id;
}

void Edge::renew_revoked_peers() {
  const std::vector<RevokedSidecar>& revoked = registry_.revoked();
  std::erase_if(revoked_peers_, [&](const auto& known) {
    const bool stays =
        std::ranges::find(revoked, known.first, &RevokedSidecar::public_key) != revoked.end();
    if (!stays) tunnel_.remove_peer(known.second);
    return !stays;
  });
  for (const RevokedSidecar& one : revoked) {
    if (std::ranges::any_of(revoked_peers_,
                            [&](const auto& known) { return known.first == one.public_key; }))
      continue;
    const auto id = add_peer(one.name, one.public_key, one.preshared_key, one.address);
    if (id) revoked_peers_.emplace_back(one.public_key, *id);
  }
}

void Edge::tell_lease_table() {
  std::vector<AllowedSidecar> allowed;
  for (const EnrolledSidecar& sidecar : registry_.sidecars())
    allowed.push_back({sidecar.name, sidecar.address, sidecar.allow});
  leases_.set_sidecars(std::move(allowed));
  handle_leases();
}

std::optional<SidecarIdentity> Edge::identify(const SocketAddress& address) const {
  if (const EnrolledSidecar* sidecar = registry_.find(address.address))
    return SidecarIdentity{sidecar->name};
  if (const RevokedSidecar* sidecar = registry_.find_revoked(address.address))
    return SidecarIdentity{sidecar->name, true};
  return std::nullopt;
}

std::expected<void, std::string> Edge::keep(const SidecarRegistry& registry) const {
  if (state_ == nullptr) return {};
  return state_->write(registry_file, registry.serialize());
}

// Those that earlier processes have, too. Of these it is known only later how many they were.
std::size_t Edge::cut_streams(std::string_view name, const IpAddress& address) {
  tunnel_.predecessors().handle_peer_lost(address);
  return router_.abort_streams_of(name);
}

std::expected<SecretText, std::string> Edge::invite(std::string_view name,
                                                    const std::vector<std::string>& allow) {
  std::vector<control::EndpointPattern> patterns;
  for (const std::string& text : allow) {
    const auto pattern = control::EndpointPattern::parse(text);
    if (!pattern) return std::unexpected(pattern.error());
    patterns.push_back(*pattern);
  }
  control::Ticket::SecretKey secret;
  network_.random().fill(secret.reveal());
  SidecarRegistry registry = registry_;
  if (handing_over()) return std::unexpected(std::string(handover_goes_on));
  const auto ticket = registry.invite(name, std::move(patterns), secret, settings_.tickets);
  if (!ticket) return std::unexpected(ticket.error());
  if (auto kept = keep(registry); !kept) return std::unexpected(kept.error());
  registry_ = std::move(registry);
  renew_revoked_peers();  // one of them may have made room
  enrol(*registry_.find(name));
  tell_lease_table();
  log_.info("sidecar invited", {{"sidecar", name}, {"address", ticket->sidecar_address.text()}});
  return ticket->text();
}

std::expected<Edge::Revoked, std::string> Edge::revoke(std::string_view name) {
  if (handing_over()) return std::unexpected(std::string(handover_goes_on));
  SidecarRegistry registry = registry_;
  const auto revoked = registry.revoke(name);
  if (!revoked) return std::unexpected(revoked.error());
  if (auto kept = keep(registry); !kept) return std::unexpected(kept.error());
  Revoked what;
  for (const SidecarStanding& standing : leases_.standings())
    if (standing.name == name)
      what.endpoints = static_cast<std::size_t>(
          std::ranges::count_if(standing.endpoints, [](const EndpointStanding& endpoint) {
            return endpoint.answer.state != control::EndpointState::refused;
          }));
  registry_ = std::move(registry);
  // First no route, then no stream. The tunnel stays, so that the sidecar can be told.
  tell_lease_table();
  what.streams = cut_streams(name, revoked->address);
  retire_peer(name, revoked->public_key);
  renew_revoked_peers();
  log_.info("sidecar revoked", {{"sidecar", name}, {"streams_cut", std::uint64_t{what.streams}}});
  return what;
}

// Its tunnel stays, for the one answer that it gets.
void Edge::retire_peer(std::string_view name, const tunnel::PublicKey& public_key) {
  control_.forget(std::string(name));
  router_.forget_traffic_of(name);
  const auto peer = peers_.find(name);
  if (peer == peers_.end()) return;
  revoked_peers_.emplace_back(public_key, peer->second);
  peers_.erase(peer);
  endpoints_.forget(name);
  write_endpoints();
}

// So that a later run knows who was taken out of edge.yaml meanwhile.
void Edge::keep_configured() const {
  if (state_ == nullptr) return;
  const auto before = state_->read(registry_file);
  const bool nothing = before && !*before && registry_.sidecars().empty();
  if (nothing || (before && *before && **before == registry_.serialize())) return;
  if (const auto kept = keep(registry_); !kept)
    log_.warn("not kept which sidecars edge.yaml has", {{"why", kept.error()}});
}

// ---- leases and routes -------------------------------------------------------------------------

void Edge::handle_leases() {
  while (leases_.route_revision() != route_revision_) {
    route_revision_ = leases_.route_revision();
    std::vector<Route> routes = leases_.routes();
    accepting_->set_routes(routes);
    router_.set_routes(std::move(routes));
  }
  while (const auto event = leases_.poll_event()) tell(*event);
}

void Edge::tell(const LeaseEvent& event) {
  using Kind = LeaseEvent::Kind;
  switch (event.kind) {
    case Kind::session_began:
      log_.info("sidecar connected", {{"sidecar", event.sidecar}, {"what", event.sentence}});
      return;
    case Kind::process_replaced: {
      const EnrolledSidecar* const sidecar = registry_.find(event.sidecar);
      const std::size_t streams_cut =
          cut_streams(event.sidecar, sidecar == nullptr ? IpAddress() : sidecar->address);
      log_.info("sidecar was started again",
                {{"sidecar", event.sidecar}, {"streams_cut", std::uint64_t{streams_cut}}});
      return;
    }
    case Kind::lease_expired:
      log_.warn("sidecar lost", {{"sidecar", event.sidecar}});
      return;
    case Kind::published:
      log_.info(
          "published",
          {{"endpoint", event.endpoint}, {"sidecar", event.sidecar}, {"service", event.service}});
      return;
    case Kind::withdrawn:
      log_.info(
          "withdrawn",
          {{"endpoint", event.endpoint}, {"sidecar", event.sidecar}, {"service", event.service}});
      return;
    case Kind::refused:
      log_.warn(
          "publishing refused",
          {{"endpoint", event.endpoint}, {"sidecar", event.sidecar}, {"why", event.sentence}});
      return;
  }
}

void Edge::tell(const StreamRecord& record) {
  record.tell([&](std::span<const LogField> fields) {
    log_.write(LogLevel::info, record.event(), fields);
  });
}

}  // namespace sidestream::edge
