// The whole of the product in one process, on a simulated internet with a seed:
//
//   client ── vps (edge) ══ lossy, reordering, duplicating UDP ══ [nat] home (sidecar) ── backend
//
// The real edge and sidecar with everything in them; only the world around them is simulated.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "edge/edge_io.h"
#include "sidecar/sidecar_io.h"
#include "streams/task_group_io.h"
#include "tests/support/simulated_network_io.h"
#include "tests/system/conversation_io.h"

namespace sidestream {

inline constexpr std::uint16_t public_port = 2222;
inline constexpr std::uint16_t backend_port = 22;

inline IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

inline LogSettings quiet() {
  LogSettings settings;
  settings.level = LogLevel::error;
  return settings;
}

class WholeSystem {
 public:
  explicit WholeSystem(std::uint64_t seed)
      : world_(seed), log_(quiet()), backend_tasks_(world_.loop().executor()) {
    PathConditions path;
    path.delay = std::chrono::milliseconds(1 + world_.random().below(60));
    path.jitter = std::chrono::milliseconds(world_.random().below(5));
    path.loss = world_.random().below(80) / 1000.0;
    path.duplicate = world_.random().below(50) / 1000.0;
    path.reorder = world_.random().below(100) / 1000.0;
    world_.set_paths(vps_, home_, path);
    conversation_.seed = seed;
    conversation_.up = 1 + world_.random().below(60'000);
    conversation_.down = 1 + world_.random().below(60'000);
  }

  ~WholeSystem() {
    sidecar_run_.reset();
    edge_run_.reset();
    backend_tasks_.cancel();
    backend_run_.reset();
    world_.settle();
  }

  void start_edge() {
    edge_run_.reset();
    edge_.reset();
    edge::EdgeSettings settings;
    settings.version = "simulated";
    settings.tickets.endpoints = {*HostPort::parse("vps.test:51820")};
    std::array<std::uint8_t, 32> key{};
    key.fill(0x42);
    settings.tunnel.private_key = tunnel::PrivateKey(key);
    settings.tunnel.listen = {ip("192.0.2.1"), 51820};
    settings.public_address = ip("192.0.2.1");
    settings.public_ports = {{public_port, public_port}};
    edge_ = std::make_unique<edge::Edge>(vps_.boot(), settings, registry_, edge_state_, log_);
    edge_run_.emplace(world_.loop().executor(), edge_->run(), [this] { world_.settle(); });
  }

  void start_sidecar() {
    sidecar_run_.reset();
    sidecar_.reset();
    sidecar::SidecarConfiguration configuration;
    configuration.edges.emplace_back(ticket_);
    sidecar::ServiceConfiguration service;
    service.name = "checked";
    service.publish = {*control::Endpoint::parse(":2222")};
    service.backends = {sidecar::Backend{*sidecar::BackendAddress::parse("192.168.1.20:22")}};
    configuration.services = {service};
    sidecar_ = std::make_unique<sidecar::Sidecar>(
        home_.boot(), sidecar::SidecarSettings{"simulated"}, configuration, nullptr, log_);
    sidecar_run_.emplace(world_.loop().executor(), sidecar_->run(), [this] { world_.settle(); });
  }

  void start_all() {
    world_.set_name("vps.test", {ip("192.0.2.1")});
    control::Ticket::SecretKey secret;
    secret.reveal()[0] = 7;
    edge::TicketFacts facts;
    facts.endpoints = {*HostPort::parse("vps.test:51820")};
    std::array<std::uint8_t, 32> key{};
    key.fill(0x42);
    facts.public_key =
        tunnel::WireGuardDevice(tunnel::PrivateKey(key), 1420, world_.random()).public_key();
    ticket_ = *registry_.invite("home", {*control::EndpointPattern::parse(":2222")}, secret, facts);
    start_edge();
    start_sidecar();
    backend_run_.emplace(world_.loop().executor(), serve_backend(), [this] { world_.settle(); });
  }

  bool published() const {
    return sidecar_->status().services[0].endpoints[0].state == control::PublishState::published;
  }
  bool wait_published(Duration at_most) {
    return world_.run_until([this] { return published(); }, at_most);
  }

  // A client's stream through everything. True: all bytes arrived, both ways, and both ends ended
  // in order.
  Task<> one_stream() {
    auto stream = co_await client_.network().connect({ip("192.0.2.1"), public_port}, 10s);
    co_await converse(world_.timers(), std::move(stream), conversation_, true);
  }

  // What the next streams say.
  Conversation& conversation() { return conversation_; }
  // Where the edge keeps what it knows, from its next start on.
  void set_edge_state(const StateFolder* state) { edge_state_ = state; }
  void kill_sidecar() {
    sidecar_run_.reset();
    sidecar_.reset();
    home_.kill();
  }
  void kill_edge() {
    edge_run_.reset();
    edge_.reset();
    vps_.kill();
  }
  edge::Edge& edge() { return *edge_; }
  sidecar::Sidecar& sidecar() { return *sidecar_; }
  World& world() { return world_; }
  std::size_t served() const { return served_; }
  // Streams that the backend has now; health probes come and go among them.
  std::size_t at_backend() const { return backend_tasks_.size(); }
  std::size_t backend_failures() const { return backend_failures_; }
  SimulatedHost& vps() { return vps_; }
  SimulatedHost& home() { return home_; }
  SimulatedNat& nat() { return nat_; }

 private:
  Task<> serve_backend() {
    // The backend shares home's host but not its program: it is asked on another one.
    auto listener = backend_.network().listen({ip("192.168.1.20"), backend_port}, {});
    for (;;) {
      auto stream = co_await listener->accept();
      backend_tasks_.spawn(serve_one(std::move(stream)),
                           [this](const std::exception_ptr&) { ++backend_failures_; });
    }
  }
  Task<> serve_one(std::unique_ptr<Stream> stream) {
    co_await converse(world_.timers(), std::move(stream), conversation_, false);
    ++served_;
  }

  World world_;
  Log log_;
  SimulatedHost& vps_ = world_.add_host("vps", {ip("192.0.2.1")});
  SimulatedNat& nat_ = world_.add_nat(ip("198.51.100.1"));
  SimulatedHost& home_ = world_.add_host_behind(nat_, "home", {ip("192.168.1.10")});
  SimulatedHost& backend_ = world_.add_host_behind(nat_, "backend", {ip("192.168.1.20")});
  SimulatedHost& client_ = world_.add_host("client", {ip("203.0.113.9")});
  edge::SidecarRegistry registry_{*IpPrefix::parse("10.86.0.0/24")};
  control::Ticket ticket_;
  Conversation conversation_;
  const StateFolder* edge_state_ = nullptr;
  std::size_t served_ = 0;
  std::size_t backend_failures_ = 0;
  TaskGroup backend_tasks_;
  std::unique_ptr<edge::Edge> edge_;
  std::unique_ptr<sidecar::Sidecar> sidecar_;
  std::optional<Pending<void>> edge_run_;
  std::optional<Pending<void>> sidecar_run_;
  std::optional<Pending<void>> backend_run_;
};

}  // namespace sidestream
