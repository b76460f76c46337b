#include "tests/system/neighbourhood_io.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace sidestream {
namespace {

// An edge's lease is 8 s, and its own heartbeat is as old as a datagram on its way.
constexpr Duration lease_max = 8100ms;
constexpr Duration lease_look_interval = 500ms;

IpAddress address(const std::string& text) {
  return *IpAddress::parse(text);
}

HostPort edge_name(std::size_t number) {
  return *HostPort::parse("vps" + std::to_string(number) + ".test:51820");
}

tunnel::PrivateKey edge_key(std::size_t number) {
  std::array<std::uint8_t, 32> key{};
  key.fill(static_cast<std::uint8_t>(0x42 + number));
  return tunnel::PrivateKey(key);
}

// What each home may publish. :2001 is home 0's, :2002 is shared, :2003 is home 1's although home 2
// may publish a range around it; a.home.test is home 2's although home 0 has the wildcard.
const std::array<std::vector<std::string_view>, Neighbourhood::homes_max> allowed{{
    {":2001", ":2002", "*.home.test:2443"},
    {":2002", ":2003"},
    {":2003-2099", "a.home.test:2443"},
}};

const std::array<std::string_view, 5> wanted{":2001", ":2002", ":2003", "*.home.test:2443",
                                             "a.home.test:2443"};

LogSettings errors_only() {
  LogSettings settings;
  settings.level = std::getenv("SIDESTREAM_LOG") != nullptr ? LogLevel::info : LogLevel::error;
  return settings;
}

bool may_publish(std::size_t home, std::string_view endpoint) {
  if (endpoint == ":2001") return home == 0;
  if (endpoint == ":2002") return home < 2;
  if (endpoint == ":2003") return home == 1;
  if (endpoint == "*.home.test:2443") return home == 0;
  return home == 2;
}

sidecar::SidecarConfiguration configuration_of(std::size_t home) {
  sidecar::SidecarConfiguration configuration;
  const std::string backend = "192.168." + std::to_string(home) + ".20:";
  for (const std::string_view endpoint : wanted) {
    sidecar::ServiceConfiguration service;
    service.name = "s" + std::to_string(configuration.services.size());
    service.publish = {*control::Endpoint::parse(endpoint)};
    const std::uint16_t port = endpoint.front() == ':' ? plain_backend_port : tls_backend_port;
    service.backends = {
        sidecar::Backend{*sidecar::BackendAddress::parse(backend + std::to_string(port))}};
    service.health.kind = sidecar::HealthKind::none;
    configuration.services.push_back(std::move(service));
  }
  return configuration;
}

}  // namespace

IpAddress edge_address(std::size_t number) {
  return address("192.0.2." + std::to_string(1 + number));
}

const std::vector<Destination>& all_destinations() {
  static const std::vector<Destination> all{
      {":2001", "", 2001, {0}},
      {":2002", "", 2002, {0, 1}},
      {":2003", "", 2003, {1}},
      {"*.home.test:2443", "b.home.test", 2443, {0}},
      {"a.home.test:2443", "a.home.test", 2443, {2}},
  };
  return all;
}

Neighbourhood::Neighbourhood(std::uint64_t seed, std::size_t edges, std::size_t homes,
                             const PathConditions& path)
    : world_(seed),
      log_(errors_only()),
      client_(world_.add_host("client", {address("203.0.113.9")})),
      backend_tasks_(world_.loop().executor()) {
  tickets_.resize(edges);
  for (std::size_t i = 0; i < edges; ++i) add_edge(i);
  for (std::size_t i = 0; i < homes; ++i) add_home(i, path);
  world_.set_filter([this](const World::DatagramView& datagram) {
    for (Machine* machine : machines())
      for (const IpAddress& own : machine->host().addresses())
        if (own == datagram.from.address) return machine->crash().reach();
    return true;
  });
}

Neighbourhood::~Neighbourhood() {
  attempts_.clear();
  homes_.clear();
  edges_.clear();
  backend_tasks_.cancel();
  backends_.clear();
  world_.settle();
}

void Neighbourhood::add_edge(std::size_t number) {
  SimulatedHost& host = world_.add_host("vps" + std::to_string(number), {edge_address(number)});
  world_.set_name("vps" + std::to_string(number) + ".test", {edge_address(number)});
  edge::SidecarRegistry registry(*IpPrefix::parse("10.86.0.0/24"));
  edge::TicketFacts facts;
  facts.endpoints = {edge_name(number)};
  facts.public_key = tunnel::WireGuardDevice(edge_key(number), 1420, world_.random()).public_key();
  for (std::size_t home = 0; home < homes_max; ++home) {
    control::Ticket::SecretKey secret;
    secret.reveal()[0] = static_cast<std::uint8_t>(1 + home);
    secret.reveal()[1] = static_cast<std::uint8_t>(number);
    std::vector<control::EndpointPattern> allow;
    for (const std::string_view pattern : allowed[home])
      allow.push_back(*control::EndpointPattern::parse(pattern));
    tickets_[number].push_back(
        *registry.invite("home" + std::to_string(home), allow, secret, facts));
  }
  edge::EdgeSettings settings;
  settings.version = "simulated";
  settings.tickets.endpoints = facts.endpoints;
  settings.tunnel.private_key = edge_key(number);
  settings.tunnel.listen = {edge_address(number), 51820};
  settings.public_address = edge_address(number);
  settings.public_ports = {{2000, 2500}};
  edges_.push_back(std::make_unique<EdgeMachine>(world_, host, settings, registry, log_));
}

void Neighbourhood::add_home(std::size_t number, const PathConditions& path) {
  const std::string network = "192.168." + std::to_string(number);
  SimulatedNat& nat = world_.add_nat(address("198.51.100." + std::to_string(1 + number)));
  nats_.push_back(&nat);
  at_backend_.push_back(&backend_counts_.emplace_back(0));
  SimulatedHost& host =
      world_.add_host_behind(nat, "home" + std::to_string(number), {address(network + ".10")});
  SimulatedHost& backend =
      world_.add_host_behind(nat, "backend" + std::to_string(number), {address(network + ".20")});
  sidecar::SidecarConfiguration configuration = configuration_of(number);
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    configuration.edges.emplace_back(tickets_[i][number]);
    world_.set_paths(edges_[i]->host(), host, path);
  }
  homes_.push_back(std::make_unique<SidecarMachine>(world_, host, std::move(configuration), log_));
  for (const std::uint16_t port : {plain_backend_port, tls_backend_port})
    backends_.push_back(std::make_unique<Pending<void>>(
        world_.loop().executor(), serve(number, backend, port), [this] { world_.settle(); }));
}

std::vector<Machine*> Neighbourhood::machines() {
  std::vector<Machine*> all;
  for (const auto& edge : edges_) all.push_back(edge.get());
  for (const auto& home : homes_) all.push_back(home.get());
  return all;
}

// ---- time --------------------------------------------------------------------------------------

void Neighbourhood::look_for_crashes() {
  for (Machine* machine : machines()) {
    if (!machine->crash().dead()) continue;
    machine->kill();
    machine->crash().disarm();
    restart_later(*machine, absence_);
  }
  for (std::size_t i = 0; i < restarts_.size();) {
    if (restarts_[i].first > world_.now()) {
      ++i;
      continue;
    }
    Machine* machine = restarts_[i].second;
    restarts_.erase(restarts_.begin() + static_cast<std::ptrdiff_t>(i));
    machine->start();
  }
}

void Neighbourhood::look_at_leases() {
  if (world_.now() < leases_looked_at_ + lease_look_interval) return;
  leases_looked_at_ = world_.now();
  for (const auto& edge : edges_) {
    if (!edge->running()) continue;
    for (const control::EdgeSidecarStatus& sidecar : edge->status().sidecars) {
      if (sidecar.present && sidecar.tunnel.last_heartbeat_ago.value_or(1h) > lease_max)
        violations_.push_back("a lease of " + sidecar.name + " lives on");
      const std::size_t home = static_cast<std::size_t>(sidecar.name.back() - '0');
      for (const control::EdgeEndpointStatus& endpoint : sidecar.endpoints)
        if (endpoint.state != control::EndpointState::refused &&
            !may_publish(home, endpoint.endpoint))
          violations_.push_back(endpoint.endpoint + " granted to " + sidecar.name);
    }
  }
}

bool Neighbourhood::run_until(const std::function<bool()>& done, Duration at_most) {
  const Instant end = world_.now() + at_most;
  world_.settle();
  for (;;) {
    look_for_crashes();
    look_at_leases();
    if (done()) return true;
    Instant next = std::min(end, world_.now() + lease_look_interval);
    for (const auto& [when, machine] : restarts_) next = std::min(next, when);
    if (const auto timer = world_.timers().next_deadline(); timer && *timer <= next)
      world_.step();
    else
      world_.advance(next - world_.now());
    if (world_.now() >= end) {
      look_for_crashes();
      return done();
    }
  }
}

void Neighbourhood::run_for(Duration time) {
  run_until([] { return false; }, time);
}

void Neighbourhood::restart_later(Machine& machine, Duration later) {
  restarts_.emplace_back(world_.now() + later, &machine);
}

void Neighbourhood::start_what_is_down() {
  restarts_.clear();
  for (Machine* machine : machines()) {
    machine->crash().disarm();
    if (!machine->running()) machine->start();
  }
}

void Neighbourhood::lose_power(Machine& machine) {
  for (std::size_t home = 0; home < homes_.size(); ++home)
    if (homes_[home].get() == &machine) at_backend_[home] = &backend_counts_.emplace_back(0);
  for (const auto& attempt : attempts_)
    if (edges_[attempt->edge].get() == &machine) attempt->forlorn = true;
  machine.lose_power();
}

std::size_t Neighbourhood::at_backends() const {
  std::size_t all = 0;
  for (const std::size_t* count : at_backend_) all += *count;
  return all;
}

// ---- what is published
// ---------------------------------------------------------------------------

bool Neighbourhood::has_published(std::size_t home, const control::EdgeStatus& edge) const {
  const auto sidecar = std::ranges::find(edge.sidecars, "home" + std::to_string(home),
                                         &control::EdgeSidecarStatus::name);
  if (sidecar == edge.sidecars.end() || !sidecar->present) return false;
  return std::ranges::all_of(wanted, [&](std::string_view endpoint) {
    return !may_publish(home, endpoint) ||
           std::ranges::any_of(sidecar->endpoints, [&](const control::EdgeEndpointStatus& one) {
             return one.endpoint == endpoint && one.state == control::EndpointState::granted;
           });
  });
}

bool Neighbourhood::knows_published(std::size_t home) const {
  for (const control::ServiceStatus& service : homes_[home]->status().services)
    for (const control::ServiceEndpointStatus& endpoint : service.endpoints)
      if (may_publish(home, endpoint.endpoint) &&
          endpoint.state != control::PublishState::published)
        return false;
  return true;
}

bool Neighbourhood::all_published() const {
  for (std::size_t home = 0; home < homes_.size(); ++home)
    if (homes_[home]->running() && !knows_published(home)) return false;
  return std::ranges::all_of(edges_, [this](const auto& edge) {
    if (!edge->running()) return true;
    const control::EdgeStatus status = edge->status();
    for (std::size_t home = 0; home < homes_.size(); ++home)
      if (homes_[home]->running() && !has_published(home, status)) return false;
    return true;
  });
}

std::vector<const Destination*> Neighbourhood::destinations() const {
  std::vector<const Destination*> some;
  for (const Destination& one : all_destinations())
    if (std::ranges::any_of(one.owners, [this](std::size_t owner) {
          return owner < homes_.size() && homes_[owner]->running();
        }))
      some.push_back(&one);
  return some;
}

}  // namespace sidestream
