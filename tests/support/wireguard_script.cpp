#include "tests/support/wireguard_script.h"

#include <cstdlib>

#include "tunnel/cookie.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t in_flight_max = 64;

DeviceLimits small_limits() {
  DeviceLimits limits;
  limits.staged_packets_max = 4;
  limits.handshakes_per_turn_max = 2;
  limits.handshake_queue_max = 8;
  limits.under_load_from = 4;
  limits.cookie_replies_max = 2;
  limits.rate_limited_sources_max = 4;
  return limits;
}

}  // namespace

WireGuardScript::WireGuardScript() : hosts_(1, small_limits()) {
  hosts_.network.passes = [this](const Datagram& datagram) {
    if (in_flight_.size() < in_flight_max) in_flight_.push_back(datagram);
    return false;
  };
}

void WireGuardScript::run(Bytes bytes) {
  ByteReader script(bytes);
  while (!script.empty()) {
    step(script);
    check(*hosts_.left, hosts_.right_inner);
    check(*hosts_.right, hosts_.left_inner);
  }
}

void WireGuardScript::step(ByteReader& script) {
  const std::uint8_t operation = script.u8();
  const auto take = [&] {
    const std::size_t at = in_flight_.empty() ? 0 : script.u8() % in_flight_.size();
    return in_flight_.begin() + static_cast<long>(at);
  };
  switch (operation % 13) {
    case 0:
      return send(*hosts_.left, hosts_.left_inner, hosts_.right_inner);
    case 1:
      return send(*hosts_.right, hosts_.right_inner, hosts_.left_inner);
    case 2:
      return hosts_.network.run_for(std::chrono::milliseconds(script.u16()));
    case 3:
      return hosts_.network.run_for(std::chrono::seconds(script.u8()));
    case 4:
      if (!in_flight_.empty()) in_flight_.erase(take());
      return;
    case 5:
      if (in_flight_.empty()) return;
      return deliver(*take());
    case 6: {
      if (in_flight_.empty()) return;
      Datagram spoiled = *take();
      const std::size_t bit = script.u16() % (spoiled.bytes.size() * 8);
      spoiled.bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      return deliver(std::move(spoiled));
    }
    case 7:
      return inject(script, false);
    case 8:
      return inject(script, true);
    case 9:
      return hosts_.left->start_handshake(hosts_.right_peer, true);
    case 10:
      return hosts_.right->start_handshake(hosts_.left_peer);
    case 11:
      hosts_.left->address.port = static_cast<std::uint16_t>(1000U + script.u8() % 4U);
      return;
    default:
      return hosts_.left->device.drop_sessions();
  }
}

void WireGuardScript::send(Host& from, const IpAddress& source, const IpAddress& destination) {
  const auto packet = ipv4_packet(source, destination, std::to_string(packets_++));
  sent_.insert(packet);
  from.send(packet);
}

void WireGuardScript::deliver(Datagram datagram) {
  const bool to_left = datagram.to.address == hosts_.left_address.address;
  (to_left ? hosts_.left : hosts_.right)->handle(datagram);
}

void WireGuardScript::inject(ByteReader& script, bool with_good_macs) {
  Datagram datagram{hosts_.network.now,
                    {IpAddress::v4(0xc6336400U + script.u8() % 8U), 1},
                    hosts_.right_address,
                    {}};
  constexpr std::array<std::size_t, 4> sizes{initiation_bytes, response_bytes, cookie_reply_bytes,
                                             keepalive_bytes};
  const std::uint8_t type = script.u8() % 4;
  datagram.bytes.resize(sizes[type]);
  const Bytes rest = script.take(std::min(script.size(), datagram.bytes.size()));
  std::ranges::copy(rest, datagram.bytes.begin());
  ByteWriter(datagram.bytes).u32_le(type + 1U);
  if (with_good_macs && type < 2)
    CookieJar(hosts_.right_keys.public_key).write_macs(hosts_.network.now, datagram.bytes);
  deliver(std::move(datagram));
}

void WireGuardScript::check(Host& host, const IpAddress& source) {
  for (const auto& packet : host.received) {
    const bool from_there = std::ranges::equal(Bytes(packet).subspan(12, 4), source.bytes());
    if (!from_there || sent_.erase(packet) == 0) std::abort();
  }
  host.received.clear();
  host.events.clear();
  hosts_.network.sent.clear();
}

}  // namespace sidestream::tunnel
