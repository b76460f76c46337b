// One upload over a simulated line, and what came of it.
#pragma once

#include <map>
#include <memory>

#include "tests/support/tcp_pair.h"

namespace sidestream::tunnel {

struct GoodputCase {
  double megabits = 50;
  Duration rtt = 40ms;
  double loss = 0;      // of packets with data
  double buffer = 1;    // in front of the line, in bandwidth-delay products
  Duration time = 20s;  // the upload goes on for so long, from its SYN
  std::uint64_t seed = 1;
  MakeCongestionControl congestion = nullptr;
  std::size_t uploads = 1;  // at once
};

struct Goodput {
  double megabits = 0;  // received by the application, over the whole time
  double share = 0;     // of what the line carries of TCP's payload
  double again = 0;     // segments sent again, of all that were sent
  double fairness = 1;  // Jain's index of the uploads in the second half of the time
  Duration queue{0};    // mean of the smoothed round trip beyond the line's own
};

inline Goodput measure_goodput(const GoodputCase& line) {
  const auto rate = static_cast<std::uint64_t>(line.megabits * 1e6 / 8);
  const double product =
      static_cast<double>(rate) * std::chrono::duration<double>(line.rtt).count();
  LinkQuality up{.bytes_per_second = rate, .delay = line.rtt / 2, .loss = line.loss};
  up.queue_bytes_max = std::max<std::size_t>(static_cast<std::size_t>(product * line.buffer), 3000);
  TcpPair pair({.seed = line.seed,
                .upward = up,
                .downward = {.delay = line.rtt / 2},
                .congestion = line.congestion});
  constexpr std::uint16_t port = 443;
  if (!pair.server().listen(port)) return {};
  const Instant start = pair.now();
  std::vector<std::uint8_t> text(65536);
  std::vector<ConnectionId> clients;
  for (std::size_t i = 0; i < line.uploads; ++i)
    clients.push_back(*pair.client().connect(start, pair.server_at(port)));
  std::map<ConnectionId, std::uint64_t> received;
  std::map<ConnectionId, std::uint64_t> received_at_half;
  const auto on_event = [&](bool at_client, const StackEvent& event) {
    if (!at_client) {
      for (;;) {
        const std::size_t bytes = pair.server().read(pair.now(), event.connection, text).bytes;
        if (bytes == 0) return;
        received[event.connection] += bytes;
      }
    }
    if (event.kind == StackEvent::Kind::connected || event.kind == StackEvent::Kind::writable)
      while (pair.client().write(pair.now(), event.connection, text) == text.size()) {
      }
  };
  Duration round_trips{0};
  int looks = 0;
  Instant look_at = start + 1s;
  const auto act = [&] {
    if (pair.now() >= look_at) {
      round_trips += pair.client().status(clients.front())->smoothed_rtt;
      ++looks;
      look_at += 100ms;
      if (pair.now() < start + line.time / 2) received_at_half = received;
    }
    return look_at;
  };
  pair.run(start + line.time, on_event, [] { return false; }, act);
  const double seconds = std::chrono::duration<double>(line.time).count();
  Goodput result;
  double sum = 0;
  double squares = 0;
  for (const auto& [id, bytes] : received) {
    result.megabits += static_cast<double>(bytes) * 8 / seconds / 1e6;
    const auto late = static_cast<double>(bytes - received_at_half[id]);
    sum += late;
    squares += late * late;
  }
  result.fairness = sum * sum / (static_cast<double>(line.uploads) * std::max(squares, 1.0));
  std::uint64_t again = 0;
  for (const ConnectionId id : clients) again += pair.client().status(id)->retransmitted_segments;
  // 1420 bytes of packet carry 1368 of payload beside headers and timestamps.
  result.share = result.megabits / (line.megabits * 1368 / 1420);
  result.again = static_cast<double>(again) /
                 static_cast<double>(std::max<std::uint64_t>(pair.upward().sent_packets(), 1));
  result.queue = looks > 0 ? round_trips / looks - line.rtt : Duration::zero();
  return result;
}

}  // namespace sidestream::tunnel
