// How fast packets go through WireGuardDevice: seal and open, one thread, inner packets of 1420
// bytes. Prints bits of inner packets per second, for the bare cipher too.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <vector>

#include "tests/support/seeded_random.h"
#include "tunnel/crypto.h"
#include "tunnel/wireguard_device.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t packet_bytes = 1420;
constexpr std::size_t batch = 64;  // as many as one UDP_SEGMENT call carries
constexpr int rounds = 4000;
constexpr Instant now{std::chrono::hours(1)};

// Of processor time, so that other programs do not matter much.
class Stopwatch {
 public:
  void start() { started_ = used(); }
  void stop() { total_ += used() - started_; }
  [[nodiscard]] Duration total() const { return total_; }
  void print(const char* what) const {
    const double seconds = std::chrono::duration<double>(total_).count();
    const double packets = static_cast<double>(batch) * rounds;
    std::printf("%-28s %6.2f Gbit/s  %7.0f ns per packet\n", what,
                packets * static_cast<double>(packet_bytes) * 8e-9 / seconds,
                seconds * 1e9 / packets);
  }

 private:
  static Duration used() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  Duration started_{};
  Duration total_{};
};

using Buffer = std::vector<std::uint8_t>;

std::vector<Buffer> make_packets() {
  std::vector<Buffer> buffers(batch, Buffer(packet_bytes + transport_overhead_max));
  for (Buffer& buffer : buffers) {
    ByteWriter writer(MutableBytes(buffer).subspan(transport_header_bytes));
    writer.u16(0x4500);
    writer.u16(packet_bytes);
    writer.zeros(8);
    writer.u32(0x0a560001);  // 10.86.0.1
    writer.u32(0x0a560002);
  }
  return buffers;
}

void measure_cipher() {
  SymmetricKey key;
  PacketCipher sealer(key, PacketCipher::Direction::seal);
  PacketCipher opener(key, PacketCipher::Direction::open);
  auto buffers = make_packets();
  Stopwatch seal;
  Stopwatch open;
  std::uint64_t counter = 0;
  for (int round = 0; round < rounds; ++round) {
    seal.start();
    for (Buffer& buffer : buffers)
      sealer.seal(counter++, MutableBytes(buffer).first(packet_bytes + aead_tag_bytes));
    seal.stop();
    counter -= batch;
    open.start();
    for (Buffer& buffer : buffers)
      if (!opener.open(counter++, MutableBytes(buffer).first(packet_bytes + aead_tag_bytes)))
        std::printf("a packet was lost\n");
    open.stop();
  }
  seal.print("cipher alone, seal");
  open.print("cipher alone, open");
}

// Hands over what the devices have to say to each other until they are silent.
void converse(WireGuardDevice& left, const SocketAddress& left_address, WireGuardDevice& right,
              const SocketAddress& right_address) {
  Buffer buffer(datagram_bytes_for(packet_bytes));
  for (bool said = true; said;) {
    said = false;
    while (const auto sent = left.poll_transmit(now, buffer)) {
      right.handle_datagram(now, left_address, MutableBytes(buffer).first(sent->datagram_bytes));
      said = true;
    }
    while (const auto sent = right.poll_transmit(now, buffer)) {
      left.handle_datagram(now, right_address, MutableBytes(buffer).first(sent->datagram_bytes));
      said = true;
    }
  }
}

void measure_device(std::size_t other_peers) {
  SeededRandom random(1);
  const KeyPair left_keys = generate_key_pair(random);
  const KeyPair right_keys = generate_key_pair(random);
  const SocketAddress left_address{IpAddress::v4(0xc0000201), 1};
  const SocketAddress right_address{IpAddress::v4(0xc0000202), 2};
  WireGuardDevice left(left_keys.private_key, packet_bytes, random);
  WireGuardDevice right(right_keys.private_key, packet_bytes, random);
  const auto add = [](WireGuardDevice& device, const PublicKey& key, std::uint32_t inner,
                      std::optional<SocketAddress> endpoint) {
    return device.add_peer({key, {}, {IpPrefix(IpAddress::v4(inner), 32)}, endpoint, Duration(25s)})
        .value();
  };
  const PeerId right_peer = add(left, right_keys.public_key, 0x0a560002, right_address);
  add(right, left_keys.public_key, 0x0a560001, left_address);
  for (std::uint32_t i = 0; i < other_peers; ++i) {
    const PublicKey key = generate_key_pair(random).public_key;
    add(left, key, 0x0a570000 + i, std::nullopt);
    add(right, key, 0x0a570000 + i, std::nullopt);
  }
  left.start_handshake(now, right_peer);
  converse(left, left_address, right, right_address);

  const auto fresh = make_packets();
  Stopwatch seal;
  Stopwatch open;
  for (int round = 0; round < rounds; ++round) {
    auto buffers = fresh;
    std::vector<std::size_t> sizes(batch);
    seal.start();
    for (std::size_t i = 0; i < batch; ++i)
      sizes[i] = left.seal(now, buffers[i], packet_bytes).datagram_bytes;
    seal.stop();
    open.start();
    for (std::size_t i = 0; i < batch; ++i)
      if (!right.handle_datagram(now, left_address, MutableBytes(buffers[i]).first(sizes[i])))
        std::printf("a packet was lost\n");
    open.stop();
  }
  std::printf("with %zu peers\n", other_peers + 1);
  seal.print("device, seal");
  open.print("device, open");
}

// What an initiation costs the responder, which decides how many it can take in a turn.
void measure_handshakes() {
  constexpr int handshakes = 2000;
  SeededRandom random(1);
  const KeyPair own = generate_key_pair(random);
  WireGuardDevice device(own.private_key, packet_bytes, random);
  Buffer buffer(datagram_bytes_for(packet_bytes));
  Duration spent{0};
  for (std::uint32_t i = 0; i < handshakes; ++i) {
    const KeyPair keys = generate_key_pair(random);
    WireGuardDevice initiator(keys.private_key, packet_bytes, random);
    const SocketAddress address{IpAddress::v4(0xc0000201), 1};
    const auto to = initiator.add_peer({own.public_key, {}, {}, address});
    const auto from = device.add_peer({keys.public_key, {}, {}, {}});
    const Instant at = now + std::chrono::seconds(i);
    initiator.start_handshake(at, to.value());
    const auto sent = initiator.poll_transmit(at, buffer);
    Stopwatch stopwatch;
    stopwatch.start();
    device.handle_datagram(at, address, MutableBytes(buffer).first(sent->datagram_bytes));
    if (!device.poll_transmit(at, buffer)) std::printf("a handshake was not answered\n");
    stopwatch.stop();
    spent += stopwatch.total();
    device.remove_peer(from.value());
  }
  std::printf("responder, handshake         %6.0f us each\n",
              std::chrono::duration<double, std::micro>(spent).count() / handshakes);
}

}  // namespace
}  // namespace sidestream::tunnel

int main() {
  sidestream::tunnel::measure_cipher();
  sidestream::tunnel::measure_device(0);
  sidestream::tunnel::measure_device(1000);
  sidestream::tunnel::measure_handshakes();
}
