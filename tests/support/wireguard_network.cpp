#include "tests/support/wireguard_network.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

constexpr WallTime wall_at_start{std::chrono::seconds(1'800'000'000)};

}  // namespace

std::vector<std::uint8_t> ipv4_packet(const IpAddress& source, const IpAddress& destination,
                                      std::string_view text, std::uint8_t traffic_class) {
  std::vector<std::uint8_t> packet(20 + text.size());
  ByteWriter writer(packet);
  writer.u8(0x45);
  writer.u8(traffic_class);
  writer.u16(static_cast<std::uint16_t>(packet.size()));
  writer.u32(0);
  writer.u8(64);
  writer.u8(253);  // RFC 3692: for experiments
  writer.u16(0);
  writer.bytes(source.bytes());
  writer.bytes(destination.bytes());
  writer.bytes(bytes_of(text));
  std::uint32_t sum = 0;
  ByteReader reader(Bytes(packet).first(20));
  while (!reader.empty()) sum += reader.u16();
  sum = (sum & 0xffffU) + (sum >> 16U);
  sum = (sum & 0xffffU) + (sum >> 16U);
  ByteWriter(MutableBytes(packet).subspan(10, 2)).u16(static_cast<std::uint16_t>(~sum));
  return packet;
}

std::vector<std::uint8_t> ipv6_packet(const IpAddress& source, const IpAddress& destination,
                                      std::string_view text, std::uint8_t traffic_class) {
  std::vector<std::uint8_t> packet(40 + text.size());
  ByteWriter writer(packet);
  writer.u32(6U << 28U | std::uint32_t{traffic_class} << 20U);
  writer.u16(static_cast<std::uint16_t>(text.size()));
  writer.u8(59);
  writer.u8(64);
  writer.bytes(source.bytes());
  writer.bytes(destination.bytes());
  writer.bytes(bytes_of(text));
  return packet;
}

Host::Host(WireGuardNetwork& network, const SocketAddress& at, const PrivateKey& key,
           std::uint64_t seed, const DeviceLimits& limits)
    : random(seed), device(key, 1420, random, limits), address(at), network_(network) {}

WireGuardDevice::Sealed::Verdict Host::send(const std::vector<std::uint8_t>& packet) {
  std::vector<std::uint8_t> buffer(packet.size() + transport_overhead_max);
  std::ranges::copy(packet, buffer.begin() + transport_header_bytes);
  const auto sealed = device.seal(network_.now, buffer, packet.size());
  if (sealed.verdict == WireGuardDevice::Sealed::Verdict::sealed) {
    buffer.resize(sealed.datagram_bytes);
    network_.send({network_.now, address, sealed.endpoint, buffer, sealed.traffic_class});
  }
  drain();
  return sealed.verdict;
}

void Host::start_handshake(PeerId peer, bool impatient) {
  device.start_handshake(network_.now, peer, impatient);
  drain();
}

void Host::drain() {
  std::vector<std::uint8_t> buffer(datagram_bytes_for(1420));
  while (const auto transmit = device.poll_transmit(network_.now, buffer))
    network_.send({network_.now,
                   address,
                   transmit->to,
                   {buffer.begin(), buffer.begin() + static_cast<long>(transmit->datagram_bytes)},
                   transmit->traffic_class,
                   transmit->forget_local_address});
  while (const auto event = device.poll_event()) events.push_back(*event);
}

void Host::handle(const Datagram& datagram) {
  std::vector<std::uint8_t> bytes = datagram.bytes;
  const auto packet =
      device.handle_datagram(network_.now, datagram.from, bytes, datagram.traffic_class);
  if (packet) received.emplace_back(packet->packet.begin(), packet->packet.end());
  drain();
}

std::size_t Host::count(DeviceEvent::Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count(events, kind, &DeviceEvent::kind));
}

Host& WireGuardNetwork::add_host(const SocketAddress& address, const PrivateKey& key,
                                 const DeviceLimits& limits) {
  hosts_.push_back(std::make_unique<Host>(*this, address, key, random.u64(), limits));
  hosts_.back()->device.set_wall_clock(now, wall_at_start + now.time_since_epoch());
  return *hosts_.back();
}

void WireGuardNetwork::remove_host(Host& host) {
  std::erase_if(hosts_, [&](const auto& other) { return other.get() == &host; });
}

void WireGuardNetwork::send(Datagram datagram) {
  sent.push_back(datagram);
  if (passes && !passes(datagram)) return;
  if (random.chance(loss)) return;
  const auto arrival = [&] {
    const auto variation = static_cast<std::uint32_t>(delay_variation / 1us);
    return now + delay + std::chrono::microseconds(random.below(variation));
  };
  if (random.chance(duplication)) in_flight_.emplace(arrival(), datagram);
  in_flight_.emplace(arrival(), std::move(datagram));
}

void WireGuardNetwork::run_until(Instant end) {
  for (const auto& host : hosts_) host->drain();
  for (;;) {
    Instant next = in_flight_.empty() ? Instant::max() : in_flight_.begin()->first;
    for (const auto& host : hosts_)
      next = std::min(next, host->device.next_deadline().value_or(Instant::max()));
    if (next > end) break;
    now = std::max(now, next);
    for (const auto& host : hosts_) {
      const auto deadline = host->device.next_deadline();
      if (!deadline || *deadline > now) continue;
      host->device.handle_timeout(now);
      host->drain();
    }
    while (!in_flight_.empty() && in_flight_.begin()->first <= now) {
      const Datagram datagram = in_flight_.extract(in_flight_.begin()).mapped();
      const auto to = std::ranges::find_if(
          hosts_, [&](const auto& host) { return host->address == datagram.to; });
      if (to != hosts_.end()) (*to)->handle(datagram);
    }
  }
  now = end;
}

std::size_t WireGuardNetwork::count_sent(MessageType type) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sent, [&](const Datagram& datagram) { return datagram.type() == type; }));
}

TwoHosts::TwoHosts(std::uint64_t seed, const DeviceLimits& device_limits)
    : network(seed),
      left_keys(generate_key_pair(network.random)),
      right_keys(generate_key_pair(network.random)),
      limits(device_limits) {
  network.random.fill(preshared_key.reveal());
  add_left();
  add_right();
}

void TwoHosts::add_left() {
  left = &network.add_host(left_address, left_keys.private_key, limits);
  right_peer =
      left->device
          .add_peer(
              {right_keys.public_key, preshared_key, {IpPrefix(right_inner, 32)}, right_address})
          .value();
}

void TwoHosts::add_right() {
  right = &network.add_host(right_address, right_keys.private_key, limits);
  left_peer =
      right->device
          .add_peer({left_keys.public_key, preshared_key, {IpPrefix(left_inner, 32)}, left_address})
          .value();
}

void TwoHosts::restart_left() {
  network.remove_host(*left);
  add_left();
}

void TwoHosts::restart_right() {
  network.remove_host(*right);
  add_right();
}

WireGuardDevice::Sealed::Verdict TwoHosts::send_right(std::string_view text) {
  return left->send(ipv4_packet(left_inner, right_inner, text));
}

WireGuardDevice::Sealed::Verdict TwoHosts::send_left(std::string_view text) {
  return right->send(ipv4_packet(right_inner, left_inner, text));
}

void TwoHosts::establish() {
  left->start_handshake(right_peer);
  network.run_for(100ms);
  network.take_sent();
}

}  // namespace sidestream::tunnel
