// An edge router on a virtual clock: clients on one side, sidecars behind a tunnel on the other,
// both in memory.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "edge/edge_router_io.h"
#include "tests/support/memory_stream_io.h"
#include "tests/support/seeded_random.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream::edge {

inline SocketAddress socket_address(std::string_view text) {
  return SocketAddress::parse(text).value();
}
inline Route route(std::string_view endpoint, std::vector<RouteTarget> targets) {
  return {.endpoint = control::Endpoint::parse(endpoint).value(), .targets = std::move(targets)};
}
// `sidecar` listens at 10.86.0.N:PORT.
inline RouteTarget target(std::string sidecar, std::string_view tunnel_address,
                          unsigned priority = 0) {
  return {.sidecar = std::move(sidecar),
          .service = "service",
          .tunnel_address = socket_address(tunnel_address),
          .priority = priority};
}

// Public ports, where a test is the clients.
class PublicNetwork final : public Network {
 public:
  explicit PublicNetwork(VirtualLoop& loop) : loop_(loop) {}

  asio::any_io_executor executor() override { return loop_.executor(); }
  Timers& timers() override { return loop_.timers(); }
  RandomSource& random() override { return random_; }
  std::unique_ptr<Listener> listen(const SocketAddress& local, const ListenOptions&) override {
    if (failing_addresses.contains(local.address.text())) throw_error(failure, "listen");
    if (doors_.contains(local.port)) throw_error(asio::error::address_in_use, "listen");
    listened.push_back(local);
    return std::make_unique<Door>(*this, local);
  }

  // A client that has connected.
  std::unique_ptr<MemoryStream> connect_client(std::uint16_t port, std::string_view from) {
    auto pair = MemoryStream::make_pair({.buffer_bytes = 256UL * 1024,
                                         .left = socket_address(from),
                                         .right = {socket_address(from).address, port}});
    Door& door = *doors_.at(port);
    door.arrived.push_back(std::move(pair.right));
    door.changed.notify_all();
    return std::move(pair.left);
  }
  [[nodiscard]] bool listens_on(std::uint16_t port) const { return doors_.contains(port); }
  // The next accepts fail with this, once each.
  void fail_accepts(std::uint16_t port, error_code error, int count) {
    Door& door = *doors_.at(port);
    door.failures.insert(door.failures.end(), static_cast<std::size_t>(count), error);
    door.changed.notify_all();
  }

  std::vector<SocketAddress> listened;
  std::set<std::string> failing_addresses;
  error_code failure = asio::error::access_denied;

  Task<std::unique_ptr<Stream>> connect(SocketAddress, Duration) override { return unexpected(); }
  Task<std::unique_ptr<Stream>> connect_unix(std::string, Duration) override {
    return unexpected();
  }
  std::unique_ptr<Listener> listen_unix(const std::string&, unsigned) override {
    throw std::logic_error("not expected here");
  }
  std::unique_ptr<DatagramSocket> open_udp(const SocketAddress&) override {
    throw std::logic_error("not expected here");
  }
  Task<std::vector<SocketAddress>> resolve(std::string, std::uint16_t, Duration) override {
    throw std::logic_error("not expected here");
  }

 private:
  class Door final : public Listener {
   public:
    Door(PublicNetwork& network, const SocketAddress& local) : network_(network), local_(local) {
      network_.doors_[local.port] = this;
    }
    ~Door() override { close(); }
    Task<std::unique_ptr<Stream>> accept() override {
      while (arrived.empty() && failures.empty() && !closed_) co_await changed.wait();
      if (closed_) throw_error(asio::error::operation_aborted, "accept");
      if (!failures.empty()) {
        const error_code error = failures.front();
        failures.pop_front();
        throw_error(error, "accept");
      }
      std::unique_ptr<Stream> client = std::move(arrived.front());
      arrived.pop_front();
      co_return client;
    }
    void close() noexcept override {
      if (closed_) return;
      closed_ = true;
      network_.doors_.erase(local_.port);
      changed.notify_all();
    }
    [[nodiscard]] SocketAddress local_address() const override { return local_; }

    std::deque<std::unique_ptr<Stream>> arrived;
    std::deque<error_code> failures;
    Event changed;

   private:
    PublicNetwork& network_;
    SocketAddress local_;
    bool closed_ = false;
  };

  static Task<std::unique_ptr<Stream>> unexpected() { throw std::logic_error("not expected here"); }

  VirtualLoop& loop_;
  SeededRandom random_{1};
  std::map<std::uint16_t, Door*> doors_;
};

// The tunnel, where a test is the sidecars.
class TestTunnel final : public tunnel::Tunnel {
 public:
  explicit TestTunnel(VirtualLoop& loop) : loop_(loop) {}

  [[nodiscard]] IpAddress address() const override { return socket_address("10.86.0.1:1").address; }
  std::unique_ptr<Listener> listen(std::uint16_t) override {
    throw std::logic_error("not expected here");
  }
  Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) override {
    dialled.push_back(remote.text());
    if (refusing.contains(remote.text())) throw_error(asio::error::connection_refused, "connect");
    if (resetting.contains(remote.text())) throw_error(asio::error::connection_reset, "connect");
    if (silent.contains(remote.text())) {
      co_await loop_.timers().sleep_for(timeout);
      throw_error(asio::error::timed_out, "connect");
    }
    auto pair = MemoryStream::make_pair(
        {.buffer_bytes = 256UL * 1024, .left = socket_address("10.86.0.1:40000"), .right = remote});
    arrived.push_back(std::move(pair.right));
    co_return std::move(pair.left);
  }

  // The sidecar's end of the oldest stream that nobody has taken.
  std::unique_ptr<MemoryStream> take_arrived() {
    if (arrived.empty()) throw std::logic_error("no stream came through the tunnel");
    auto stream = std::move(arrived.front());
    arrived.pop_front();
    return stream;
  }

  std::deque<std::unique_ptr<MemoryStream>> arrived;
  std::vector<std::string> dialled;
  std::set<std::string> refusing;
  std::set<std::string> resetting;  // take the stream and end it at once
  std::set<std::string> silent;

 private:
  VirtualLoop& loop_;
};

struct RouterWorld {
  explicit RouterWorld(const RouterLimits& limits = {})
      : router(
            network, tunnel, IpAddress::parse("::").value(), limits,
            {.on_stream_end = [this](const StreamRecord& record) { records.push_back(record); },
             .is_banned =
                 [this](std::string_view sidecar, const IpAddress& client) {
                   return banned.contains(std::string(sidecar) + " " + client.text());
                 },
             .on_accept_failed = [this](std::uint16_t,
                                        error_code error) { accept_failures.push_back(error); }}) {}
  ~RouterWorld() { loop.run(router.stop()); }

  std::unique_ptr<MemoryStream> client(std::uint16_t port,
                                       std::string_view from = "203.0.113.7:51234") {
    auto stream = network.connect_client(port, from);
    loop.settle();
    return stream;
  }
  void settle() { loop.settle(); }
  void advance(Duration time) { loop.advance(time); }

  VirtualLoop loop;
  PublicNetwork network{loop};
  TestTunnel tunnel{loop};
  std::vector<StreamRecord> records;
  std::vector<error_code> accept_failures;
  std::set<std::string> banned;  // `SIDECAR ADDRESS`
  EdgeRouter router;
};

}  // namespace sidestream::edge
