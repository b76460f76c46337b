// WireGuard devices on a virtual clock, joined by a network that loses, delays, repeats and
// reorders datagrams as it is told, always in the same way for the same seed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/seeded_random.h"
#include "tunnel/wireguard_device.h"
#include "tunnel/wireguard_messages.h"

namespace sidestream::tunnel {

// An IPv4 packet with a good header checksum; `text` is what it carries.
std::vector<std::uint8_t> ipv4_packet(const IpAddress& source, const IpAddress& destination,
                                      std::string_view text, std::uint8_t traffic_class = 0);
std::vector<std::uint8_t> ipv6_packet(const IpAddress& source, const IpAddress& destination,
                                      std::string_view text, std::uint8_t traffic_class = 0);

struct Datagram {
  Instant sent;
  SocketAddress from;
  SocketAddress to;
  std::vector<std::uint8_t> bytes;
  std::uint8_t traffic_class = 0;
  bool forget_local_address = false;

  [[nodiscard]] std::optional<MessageType> type() const { return message_type(bytes); }
  [[nodiscard]] bool is_keepalive() const {
    return type() == MessageType::transport && bytes.size() == keepalive_bytes;
  }
};

class WireGuardNetwork;

// A device with an address. Everything it receives and reports is kept.
class Host {
 public:
  Host(WireGuardNetwork& network, const SocketAddress& address, const PrivateKey& key,
       std::uint64_t seed, const DeviceLimits& limits);

  SeededRandom random;
  WireGuardDevice device;
  SocketAddress address;  // may be changed: the host has moved
  std::vector<std::vector<std::uint8_t>> received;
  std::vector<DeviceEvent> events;

  // Hands an inner packet to the device and sends what comes of it.
  WireGuardDevice::Sealed::Verdict send(const std::vector<std::uint8_t>& packet);
  void start_handshake(PeerId peer, bool impatient = false);
  // Sends and notes all that the device has waiting.
  void drain();
  void handle(const Datagram& datagram);
  [[nodiscard]] std::size_t count(DeviceEvent::Kind kind) const;

 private:
  WireGuardNetwork& network_;
};

class WireGuardNetwork {
 public:
  explicit WireGuardNetwork(std::uint64_t seed = 1) : random(seed) {}

  Host& add_host(const SocketAddress& address, const PrivateKey& key,
                 const DeviceLimits& limits = {});
  // Forgets a host as if it had been switched off.
  void remove_host(Host& host);

  void send(Datagram datagram);
  // Lets everything happen that is due up to then.
  void run_until(Instant end);
  void run_for(Duration time) { run_until(now + time); }

  // What was sent since the last call, delivered or not.
  std::vector<Datagram> take_sent() { return std::exchange(sent, {}); }
  [[nodiscard]] std::size_t count_sent(MessageType type) const;

  Instant now{std::chrono::hours(1)};
  SeededRandom random;
  Duration delay = 10ms;
  Duration delay_variation{0};  // reorders
  double loss = 0;
  double duplication = 0;
  // Whether a datagram gets through; empty: all do.
  std::function<bool(const Datagram&)> passes;
  std::vector<Datagram> sent;

 private:
  std::vector<std::unique_ptr<Host>> hosts_;
  std::multimap<Instant, Datagram> in_flight_;
};

// Two hosts that are each other's peer, 10.0.0.1 and 10.0.0.2.
struct TwoHosts {
  explicit TwoHosts(std::uint64_t seed = 1, const DeviceLimits& limits = {});

  // The left one sends to the right one, and the other way round.
  WireGuardDevice::Sealed::Verdict send_right(std::string_view text);
  WireGuardDevice::Sealed::Verdict send_left(std::string_view text);
  // Both have a session and know it.
  void establish();
  // Replaces a host by a new one with the same keys that remembers nothing.
  void restart_left();
  void restart_right();

  WireGuardNetwork network;
  KeyPair left_keys;
  KeyPair right_keys;
  PresharedKey preshared_key;
  DeviceLimits limits;
  IpAddress left_inner = *IpAddress::parse("10.0.0.1");
  IpAddress right_inner = *IpAddress::parse("10.0.0.2");
  SocketAddress left_address = *SocketAddress::parse("192.0.2.1:1000");
  SocketAddress right_address = *SocketAddress::parse("192.0.2.2:2000");
  Host* left = nullptr;
  Host* right = nullptr;
  PeerId right_peer{};  // what the left one calls the right one
  PeerId left_peer{};

 private:
  void add_left();
  void add_right();
};

}  // namespace sidestream::tunnel
