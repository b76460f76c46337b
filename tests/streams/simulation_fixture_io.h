// A small world for the tests of the simulation.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/simulated_network_io.h"

namespace sidestream {

inline IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

// edge (public) --- internet --- [nat] home, backend
class Simulation : public ::testing::Test {
 protected:
  std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> connect() {
    auto listener = edge_.network().listen({ip("::"), 443}, {});
    auto accepting = world_.start(listener->accept());
    auto near = world_.run(home_.network().connect({ip("192.0.2.1"), 443}, 5s));
    EXPECT_TRUE(accepting.done());
    return {std::move(near), std::move(accepting.result())};
  }
  void send(DatagramSocket& from, const SocketAddress& to, std::string text) {
    std::vector<std::uint8_t> bytes(text.begin(), text.end());
    from.send({.remote = to, .bytes = bytes, .segment_bytes = bytes.size()});
  }
  std::string receive(DatagramSocket& at) {
    std::string text;
    for (const DatagramSocket::Batch& batch : at.receive()) {
      last_remote_ = batch.remote;
      text += text_of(batch.bytes);
    }
    return text;
  }
  template <typename T>
  error_code error_of(Task<T> task) {
    auto pending = world_.start(std::move(task));
    while (!pending.done() && world_.step()) {
    }
    return pending.error();
  }

  World world_{1};
  SimulatedHost& edge_ = world_.add_host("edge", {ip("192.0.2.1"), ip("2001:db8::1")});
  SimulatedNat& nat_ = world_.add_nat(ip("198.51.100.1"));
  SimulatedHost& home_ = world_.add_host_behind(nat_, "home", {ip("192.168.1.10")});
  SimulatedHost& backend_ = world_.add_host_behind(nat_, "backend", {ip("192.168.1.20")});
  SocketAddress last_remote_;
};

}  // namespace sidestream
