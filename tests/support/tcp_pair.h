// Two TCP stacks, a client and a server, joined by two simulated links on one virtual clock.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "tests/support/simulated_link.h"
#include "tests/support/syn_option_filter.h"
#include "tunnel/tcp_stack.h"

namespace sidestream::tunnel {

class TcpPair {
 public:
  struct Setup {
    std::uint64_t seed = 1;
    LinkQuality upward;    // client to server
    LinkQuality downward;  // server to client
    std::size_t mtu = 1420;
    TcpLimits client_limits{};
    TcpLimits server_limits{};
    bool v6 = false;
    std::vector<std::uint8_t> stripped_options{};  // of SYNs, on both ways
    MakeCongestionControl congestion = nullptr;    // of both
  };
  explicit TcpPair(const Setup& setup)
      : random_(setup.seed),
        client_random_(random_.split()),
        server_random_(random_.split()),
        upward_(setup.upward, random_.split()),
        downward_(setup.downward, random_.split()),
        client_address_(setup.v6 ? *IpAddress::parse("fd00::1") : *IpAddress::parse("10.0.0.1")),
        server_address_(setup.v6 ? *IpAddress::parse("fd00::2") : *IpAddress::parse("10.0.0.2")),
        client_({{client_address_}, setup.mtu, setup.client_limits, setup.congestion},
                client_random_),
        server_({{server_address_}, setup.mtu, setup.server_limits, setup.congestion},
                server_random_),
        stripped_options_(setup.stripped_options),
        buffer_(setup.mtu) {}

  TcpStack& client() { return client_; }
  TcpStack& server() { return server_; }
  SimulatedLink& upward() { return upward_; }
  SimulatedLink& downward() { return downward_; }
  [[nodiscard]] SocketAddress server_at(std::uint16_t port) const {
    return {server_address_, port};
  }
  [[nodiscard]] Instant now() const { return now_; }
  SeededRandom& random() { return random_; }

  // Runs until `done` or `end`. `on_event` hears of the events of both; `client` tells whose it is.
  using OnEvent = std::function<void(bool client, const StackEvent&)>;
  // `act` does what the users do by themselves, and says when it wants to be called again.
  bool run(
      Instant end, const OnEvent& on_event, const std::function<bool()>& done,
      const std::function<Instant()>& act = [] { return Instant::max(); }) {
    for (;;) {
      Instant next = act();
      settle(on_event);
      if (done()) return true;
      next = std::min(next, next_time());
      if (next > end) {
        now_ = end;
        return false;
      }
      now_ = std::max(now_, next);
      while (auto packet = upward_.receive(now_)) server_.handle_packet(now_, *packet);
      while (auto packet = downward_.receive(now_)) client_.handle_packet(now_, *packet);
      client_.handle_timeout(now_);
      server_.handle_timeout(now_);
    }
  }

 private:
  void settle(const OnEvent& on_event) {
    for (bool busy = true; busy;) {
      busy = false;
      while (const auto event = client_.poll_event()) busy = true, on_event(true, *event);
      while (const auto event = server_.poll_event()) busy = true, on_event(false, *event);
      busy |= transmit(client_, upward_);
      busy |= transmit(server_, downward_);
    }
  }
  bool transmit(TcpStack& stack, SimulatedLink& link) {
    bool busy = false;
    while (const std::size_t bytes = stack.poll_transmit(now_, buffer_)) {
      const MutableBytes packet = MutableBytes(buffer_).first(bytes);
      strip_syn_options(packet, stripped_options_);
      link.send(now_, packet);
      busy = true;
    }
    return busy;
  }
  [[nodiscard]] Instant next_time() const {
    Instant next = Instant::max();
    for (const auto& time : {upward_.next_arrival(), downward_.next_arrival(),
                             client_.next_deadline(), server_.next_deadline()})
      next = std::min(next, time.value_or(Instant::max()));
    return next;
  }

  SeededRandom random_;
  SeededRandom client_random_;
  SeededRandom server_random_;
  SimulatedLink upward_;
  SimulatedLink downward_;
  IpAddress client_address_;
  IpAddress server_address_;
  TcpStack client_;
  TcpStack server_;
  const std::vector<std::uint8_t> stripped_options_;
  std::vector<std::uint8_t> buffer_;
  Instant now_{1s};
};

}  // namespace sidestream::tunnel
