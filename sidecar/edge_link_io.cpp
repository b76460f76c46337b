#include "sidecar/edge_link_io.h"

#include <algorithm>
#include <utility>

#include "streams/close_io.h"
#include "streams/join_io.h"
#include "streams/tls_alert.h"

namespace sidestream::sidecar {
namespace {

constexpr Duration resolve_timeout = 5s;
constexpr Duration last_words = 200ms;
// No clock that is right shows less.
constexpr std::chrono::year plausible_from{2026};

std::chrono::year year_of(WallTime time) {
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time)).year();
}

tunnel::PeerId add_edge(tunnel::WireGuardTunnel& tunnel,
                        const EdgeLinkConfiguration& configuration) {
  tunnel::PeerConfiguration peer;
  peer.public_key = configuration.edge_public_key;
  peer.preshared_key = configuration.preshared_key;
  peer.allowed_ips = {IpPrefix(configuration.edge_address, configuration.edge_address.bits())};
  peer.persistent_keepalive = configuration.persistent_keepalive;
  const auto id = tunnel.add_peer(peer);
  // The configuration was checked: the only peer, and not our own key.
  if (!id) throw_error(asio::error::invalid_argument, "the edge's public key");
  return *id;
}

}  // namespace

EdgeLink::EdgeLink(Network& network, EdgeLinkConfiguration configuration,
                   std::vector<std::unique_ptr<Service>>& services,
                   std::function<void(const EdgeLinkEvent&)> on_event)
    : network_(network),
      configuration_(std::move(configuration)),
      services_(services),
      on_event_(std::move(on_event)),
      own_tunnel_(configuration_.make_tunnel(network, configuration_.tunnel)),
      tunnel_(*own_tunnel_),
      peer_(add_edge(tunnel_, configuration_)),
      control_(network, tunnel_, configuration_.edge_address, configuration_.run),
      lookups_(network.executor()),
      acceptors_(network.executor()),
      streams_(network.executor()) {
  tunnel_.on_event([this](const tunnel::DeviceEvent& event) { handle_tunnel_event(event); });
  tunnel_.on_path_mtu([this](const tunnel::PathMtuChange& change) {
    on_event_({.kind = EdgeLinkEvent::Kind::path_mtu_changed, .packet_bytes = change.mtu});
  });
  tunnel_.on_address_change([this] {
    // The edge learns where we are from the first packet that leaves by the new address.
    tunnel_.forget_local_address(peer_);
    control_.ask_now();
  });
  control_.on_report([this] { handle_report(); });
  control_.on_force_handshake([this] {
    tunnel_.start_handshake(peer_, true);
    if (up_) on_event_({EdgeLinkEvent::Kind::lost});
    up_ = false;
    path_.handle_lost(network_.timers().now());
    on_path_changed();
  });
  for (const auto& service : services_) add_service(*service);
  services_changed();
}

Task<> EdgeLink::run() {
  Task<> stop_all = both(both(lookups_.stop(), acceptors_.stop()), streams_.stop());
  co_await with_cleanup(work(), std::move(stop_all));
}

Task<> EdgeLink::work() {
  Task<> inside = both(accept_by_name(), lead());
  co_await both(tunnel_.run(), std::move(inside));
}

// What is only one process's.
Task<> EdgeLink::lead() {
  Task<> looking = both(follow_path(), watch_silence());
  Task<> publishing = both(std::move(looking), publish());
  co_await first_of(std::move(publishing), wait_handed_over());
}

// ---- finding the edge --------------------------------------------------------------------------

void EdgeLink::on_path_changed() {
  ++path_changes_;
  path_changed_.notify_all();
}

Task<> EdgeLink::wait_path_change(std::uint64_t seen) {
  while (path_changes_ == seen) co_await path_changed_.wait();
}

Task<> EdgeLink::follow_path() {
  for (;;) {
    const std::uint64_t seen = path_changes_;
    const EdgePath::Action action = path_.poll(network_.timers().now());
    switch (action.kind) {
      case EdgePath::Action::Kind::resolve:
        lookups_.spawn(resolve(), [](const std::exception_ptr&) {});
        break;
      case EdgePath::Action::Kind::try_address:
        tunnel_.set_endpoint(peer_, action.address);
        tunnel_.start_handshake(peer_, true);
        break;
      case EdgePath::Action::Kind::rebind:
        tunnel_.rebind();
        break;
      case EdgePath::Action::Kind::wait:
        if (action.until)
          co_await first_of(network_.timers().sleep_until(*action.until), wait_path_change(seen));
        else
          co_await wait_path_change(seen);
        break;
    }
  }
}

Task<> EdgeLink::resolve() {
  std::vector<SocketAddress> found;
  std::string why;
  for (const HostPort& endpoint : configuration_.endpoints) {
    try {
      const auto addresses =
          co_await network_.resolve(endpoint.host, endpoint.port, resolve_timeout);
      found.insert(found.end(), addresses.begin(), addresses.end());
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      why = endpoint.host + " cannot be resolved (" + error.code().message() +
            "); see whether that is the edge's name, and this machine's DNS";
    }
  }
  const Instant now = network_.timers().now();
  no_address_ = found.empty() ? why : "";
  if (found.empty()) {
    path_.handle_resolve_failed(now);
    on_event_({EdgeLinkEvent::Kind::no_address});
  } else {
    path_.handle_resolved(now, found);
  }
  on_path_changed();
}

void EdgeLink::handle_tunnel_event(const tunnel::DeviceEvent& event) {
  using Kind = tunnel::DeviceEvent::Kind;
  if (event.kind == Kind::handshake_completed) {
    path_.handle_alive();
    up_ = true;
    // Perhaps it is an edge that was started again and has forgotten us.
    control_.ask_now();
    on_event_({EdgeLinkEvent::Kind::handshake});
  } else if (event.kind == Kind::handshake_gave_up) {
    if (up_) on_event_({EdgeLinkEvent::Kind::lost});
    up_ = false;
    path_.handle_lost(network_.timers().now());
  }
  on_path_changed();
}

Task<> EdgeLink::wait_up(bool up) {
  while (up_ != up) co_await wait_path_change(path_changes_);
}

// WireGuard meets what it does not like with silence, so only a clock can tell.
Task<> EdgeLink::watch_silence() {
  for (;;) {
    co_await wait_up(false);
    co_await first_of(network_.timers().sleep_for(configuration_.silence_until_told),
                      wait_up(true));
    if (up_) continue;
    silent_ = true;
    on_event_({EdgeLinkEvent::Kind::silent});
    co_await wait_up(true);
    silent_ = false;
  }
}

std::string EdgeLink::problem() const {
  if (up_) return standing().problem;
  if (!no_address_.empty()) return no_address_;
  if (!silent_) return standing().problem;
  const auto peer = peer_status();
  const std::string where =
      peer && peer->endpoint ? peer->endpoint->text() : configuration_.endpoints.front().text();
  // An edge that has seen a later time from us keeps silent: it could be an old handshake again.
  const std::chrono::year year = year_of(network_.timers().wall_now());
  if (year < plausible_from)
    return "nothing answers at UDP " + where + ", and this machine's clock is in " +
           std::to_string(static_cast<int>(year)) +
           ": an edge answers nobody whose clock went back, so set the clock (NTP, `date`)";
  return "nothing answers at UDP " + where +
         "; is the edge running there, do its firewall and its provider's let that port in, and "
         "is the ticket one of this edge, made since it has its state folder? Is this machine's "
         "clock right?";
}

void EdgeLink::handle_report() {
  const std::string& run = control_.standing().edge_run;
  if (!run.empty() && run != edge_run_) {
    if (!edge_run_.empty()) {
      on_event_({EdgeLinkEvent::Kind::edge_restarted});
      tunnel_.end_accepted_streams(configuration_.edge_address);
    }
    edge_run_ = run;
  }
  on_event_({EdgeLinkEvent::Kind::standing_changed});
}

std::optional<tunnel::PeerStatus> EdgeLink::peer_status() const {
  return tunnel_.peer_status(peer_);
}

// ---- publishing --------------------------------------------------------------------------------

std::vector<control::WantedEndpoint> EdgeLink::wanted() const {
  std::vector<control::WantedEndpoint> wanted;
  for (const auto& service : services_) {
    if (!service->can_serve()) continue;
    for (const control::Endpoint& endpoint : service->configuration().publish)
      wanted.push_back({.endpoint = endpoint.text(),
                        .service = service->configuration().name,
                        .port = service->tunnel_port(),
                        .priority = service->configuration().priority});
  }
  return wanted;
}

// The first connect waits for the tunnel: before it is up a SYN would only be lost.
Task<> EdgeLink::publish() {
  co_await wait_up(true);
  while (publishing_held_) co_await publishing_released_.wait();
  co_await control_.run();
}

void EdgeLink::services_changed() {
  control_.set_wanted(wanted());
}

Task<> EdgeLink::withdraw() {
  co_await control_.stop();
  accepting_ = false;  // until the edge knows, streams that it sends are welcome
}

Task<> EdgeLink::end_streams() {
  if (streams_.empty() && tunnel_.predecessors().status().empty()) co_return;
  tunnel_.predecessors().finish();
  co_await streams_.stop();
  co_await network_.timers().sleep_for(last_words);
}

// ---- streams -----------------------------------------------------------------------------------

bool EdgeLink::may_serve(Stream& stream) {
  // Only the edge has an address in this tunnel; this makes it explicit.
  const bool has_room = streams_.size() < configuration_.streams_max;
  const bool welcome = accepting_ && stream.remote_address().address == configuration_.edge_address;
  const bool has_memory = !room_ || *room_ > 0;
  if (welcome && has_room && has_memory) {
    if (room_) --*room_;
    return true;
  }
  ++(!welcome ? refusals_.not_accepting : !has_room ? refusals_.too_many : refusals_.no_memory);
  stream.abort();
  return false;
}

void EdgeLink::spawn_stream(Task<> task) {
  streams_.spawn(std::move(task), [](const std::exception_ptr&) {});
}

void EdgeLink::add_service(Service& service) {
  std::unique_ptr<Listener> listener = tunnel_.listen(service.tunnel_port());
  listeners_[&service] = listener.get();
  acceptors_.spawn(accept_for_service(service, std::move(listener)), [](const std::exception_ptr&) {
    // Its port was closed; there is no other error.
  });
}

void EdgeLink::drop_service(const Service& service) {
  const auto listener = listeners_.find(&service);
  if (listener == listeners_.end()) return;
  listener->second->close();
  listeners_.erase(listener);
}

Task<> EdgeLink::accept_for_service(Service& service, std::unique_ptr<Listener> listener) {
  for (;;) {
    std::unique_ptr<Stream> stream = co_await listener->accept();
    if (may_serve(*stream)) spawn_stream(serve(service, std::move(stream)));
  }
}

Task<> EdgeLink::accept_by_name() {
  const std::unique_ptr<Listener> listener = tunnel_.listen(name_router_port);
  for (;;) {
    std::unique_ptr<Stream> stream = co_await listener->accept();
    if (may_serve(*stream)) spawn_stream(serve_by_name(std::move(stream)));
  }
}

Task<> EdgeLink::serve(Service& service, std::unique_ptr<Stream> stream) {
  auto introduction =
      co_await read_introduction(network_, std::move(stream), configuration_.introduction);
  if (!introduction) {
    refuse(introduction.error());
    co_return;
  }
  co_await service.serve(std::move(introduction->stream), std::move(introduction->header));
}

Task<> EdgeLink::serve_by_name(std::unique_ptr<Stream> stream) {
  auto introduction =
      co_await read_introduction(network_, std::move(stream), configuration_.introduction);
  if (!introduction) {
    refuse(introduction.error());
    co_return;
  }
  const auto hello =
      co_await peek_client_hello(network_, *introduction, configuration_.introduction);
  const auto destination = introduction->header.destination;
  Service* service =
      hello ? find_service(hello->server_name,
                           destination ? destination->port : control::Endpoint::default_port)
            : nullptr;
  if (service == nullptr) {
    co_await refuse_by_name(*introduction, hello);
    co_return;
  }
  co_await service->serve(std::move(introduction->stream), std::move(introduction->header));
}

// Health checks of a router give no reason and are nothing to tell.
void EdgeLink::refuse(std::string why) {
  if (!why.empty()) ++refusals_.no_header;
  tell_refused(std::move(why), std::nullopt);
}

void EdgeLink::tell_refused(std::string why, const std::optional<SocketAddress>& client) {
  if (why.empty()) return;
  on_event_(
      {.kind = EdgeLinkEvent::Kind::stream_refused, .text = std::move(why), .client = client});
}

// As the edge's own router does it: an alert for who speaks TLS, a reset for all others.
Task<> EdgeLink::refuse_by_name(Introduction& introduction,
                                const std::optional<ClientHello>& hello) {
  ++(hello ? refusals_.no_service : refusals_.no_header);
  std::string why = hello ? "a ClientHello without server name" : "no ClientHello";
  if (hello && hello->server_name) why = "no service for " + hello->server_name->text();
  tell_refused(why, introduction.header.source);
  if (!hello) {
    introduction.stream->abort();
    co_return;
  }
  const auto alert = serialize_tls_alert(TlsAlert::unrecognized_name);
  try {
    co_await introduction.stream->write_all(alert);
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    co_return;
  }
  co_await close_in_order(network_.timers(), *introduction.stream);
}

// The endpoint with the client's port wins; a router in front may listen on any other port, so that
// the name alone is enough as well. An exact name wins over a wildcard.
Service* EdgeLink::find_service(const std::optional<ServerName>& name, std::uint16_t port) {
  if (!name) return nullptr;
  Service* best = nullptr;
  int best_rank = 0;
  for (const auto& service : services_) {
    for (const control::Endpoint& endpoint : service->configuration().publish) {
      if (!endpoint.name || !endpoint.name->matches(*name)) continue;
      const int rank = 1 + (endpoint.name->is_wildcard() ? 0 : 2) + (endpoint.port == port ? 1 : 0);
      if (rank <= best_rank) continue;
      best = service.get();
      best_rank = rank;
    }
  }
  return best;
}

}  // namespace sidestream::sidecar
