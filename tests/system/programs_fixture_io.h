// Edges and a sidecar as whole programs on a simulated internet, with their logs.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "edge/edge_io.h"
#include "sidecar/sidecar_io.h"
#include "tests/support/simulated_network_io.h"

namespace sidestream {
inline constexpr std::uint16_t tunnel_port = 51820;

inline IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

// Runs something until it dies.
class Running {
 public:
  Running(World& world, Task<> task)
      : pending_(std::in_place, world.loop().executor(), std::move(task),
                 [&world] { world.settle(); }) {}
  [[nodiscard]] bool ended() const { return pending_->done(); }

 private:
  std::optional<Pending<void>> pending_;
};

// An edge on a host of its own, which can be started again with what its state folder would keep.
class EdgeProgram {
 public:
  EdgeProgram(World& world, const std::string& name, const char* address, std::uint8_t key)
      : world_(world),
        host_(world.add_host(name, {ip(address)})),
        address_(ip(address)),
        name_(name + ".test"),
        log_({}, world.timers(), [this](std::string_view line) {
          lines_ += line;
          lines_ += '\n';
        }) {
    key_.fill(key);
    world.set_name(name_, {address_});
  }

  void start(const std::vector<edge::PortRange>& ports) {
    running_.reset();
    if (edge_) registry_ = edge_->registry();
    edge_.reset();
    edge_ = std::make_unique<edge::Edge>(host_.boot(), settings(ports), registry_, nullptr, log_);
    running_.emplace(world_, edge_->run());
  }
  edge::EdgeSettings settings(const std::vector<edge::PortRange>& ports) const {
    edge::EdgeSettings settings;
    settings.version = "simulated";
    settings.tickets.endpoints = {HostPort{name_, tunnel_port}};
    settings.tunnel.private_key = tunnel::PrivateKey(key_);
    settings.tunnel.listen = {address_, tunnel_port};
    settings.public_address = address_;
    settings.public_ports = ports;
    return settings;
  }
  void stop() {
    running_.reset();
    registry_ = edge_->registry();
    edge_.reset();
    host_.kill();
  }

  control::Ticket invite(const std::string& name, const std::vector<std::string>& allow) {
    return *control::Ticket::parse(edge_->invite(name, allow)->reveal());
  }
  edge::Edge& operator*() { return *edge_; }
  edge::Edge* operator->() { return edge_.get(); }
  SimulatedHost& host() { return host_; }
  [[nodiscard]] const std::string& lines() const { return lines_; }

 private:
  World& world_;
  SimulatedHost& host_;
  IpAddress address_;
  std::string name_;
  std::string lines_;
  Log log_;
  std::array<std::uint8_t, 32> key_{};
  edge::SidecarRegistry registry_{*IpPrefix::parse("10.86.0.0/24")};
  std::unique_ptr<edge::Edge> edge_;
  std::optional<Running> running_;
};

class SidecarProgram {
 public:
  SidecarProgram(World& world, SimulatedHost& host, const std::vector<control::Ticket>& tickets,
                 const std::string& publish)
      : log_({}, world.timers(), [this](std::string_view line) {
          lines_ += line;
          lines_ += '\n';
        }) {
    sidecar::SidecarConfiguration configuration;
    for (const control::Ticket& ticket : tickets) configuration.edges.emplace_back(ticket);
    sidecar::ServiceConfiguration service;
    service.name = "web";
    service.publish = {*control::Endpoint::parse(publish)};
    service.backends = {sidecar::Backend{*sidecar::BackendAddress::parse("192.168.1.20:80")}};
    service.health.kind = sidecar::HealthKind::none;
    configuration.services = {service};
    sidecar_ = std::make_unique<sidecar::Sidecar>(
        host.boot(), sidecar::SidecarSettings{"simulated"}, configuration, nullptr, log_);
    running_.emplace(world, sidecar_->run());
  }
  sidecar::Sidecar* operator->() { return sidecar_.get(); }
  // Of the one service's endpoint at edge number `edge`.
  control::ServiceEndpointStatus endpoint(std::size_t edge = 0) {
    return sidecar_->status().services.at(0).endpoints.at(edge);
  }
  bool published(std::size_t edge = 0) {
    return endpoint(edge).state == control::PublishState::published;
  }
  [[nodiscard]] const std::string& lines() const { return lines_; }
  bool ended() { return running_->ended(); }

 private:
  std::string lines_;
  Log log_;
  std::unique_ptr<sidecar::Sidecar> sidecar_;
  std::optional<Running> running_;
};

class Programs : public testing::Test {
 protected:
  // What a client at the port of an edge hears from the backend.
  std::string ask(const char* address, std::uint16_t port) {
    std::string heard;
    auto asking = world_.start(hear({ip(address), port}, heard));
    EXPECT_TRUE(world_.run_until([&] { return asking.done(); }, 30s));
    return heard;
  }
  Task<> hear(SocketAddress where, std::string& heard) {
    const auto stream = co_await client_.network().connect(where, 10s);
    std::array<std::uint8_t, 64> buffer{};
    while (const std::size_t count = co_await stream->read_some(buffer))
      heard += text_of(Bytes(buffer).first(count));
    co_await stream->close_write();
  }
  Task<> greet_everyone() {
    const auto listener = backend_.network().listen({ip("192.168.1.20"), 80}, {});
    for (;;) {
      const auto stream = co_await listener->accept();
      co_await stream->write_all(bytes_of(std::string_view("hello")));
      co_await stream->close_write();
      std::array<std::uint8_t, 8> buffer{};
      co_await stream->read_some(buffer);
    }
  }

  World world_{1};
  SimulatedNat& nat_ = world_.add_nat(ip("198.51.100.1"));
  SimulatedHost& home_ = world_.add_host_behind(nat_, "home", {ip("192.168.1.10")});
  SimulatedHost& backend_ = world_.add_host_behind(nat_, "backend", {ip("192.168.1.20")});
  SimulatedHost& client_ = world_.add_host("client", {ip("203.0.113.9")});
  EdgeProgram one_{world_, "one", "192.0.2.1", 0x41};
  EdgeProgram two_{world_, "two", "192.0.2.2", 0x42};
};

}  // namespace sidestream
