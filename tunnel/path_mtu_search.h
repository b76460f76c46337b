// How large the packets are that a path carries, found out by probes that the other end answers
// (packetization layer path MTU discovery, RFC 4821 and RFC 8899; the probes are echo requests of
// ICMP inside the tunnel, so any WireGuard peer will do). For paths that drop what is too large for
// them and do not say so: DS-Lite, PPPoE behind a mute router, a tunnel around ours.
//
// A search sends the largest packet and the smallest. Is the largest answered, the path carries it.
// Is only the smallest, all sizes between them are sent in one go, up to three times, since packets
// get lost for other reasons too. Is none, the path is dead or the peer answers no echo, and what
// was known before stands. A packet machine: no clock, no randomness, no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "streams/time.h"

namespace sidestream::tunnel {

class PathMtuSearch {
 public:
  // Sizes are of IP packets inside the tunnel, 0 < min <= max.
  PathMtuSearch(std::size_t mtu_min, std::size_t mtu_max);

  // Begins a search, unless one is on.
  void start(Instant now);
  // The same for a sender whose large packets are not answered; soon after the last search it is
  // not taken seriously.
  void doubt(Instant now);

  struct Probe {
    std::uint16_t number;  // names it in the answer
    std::size_t packet_bytes;
  };
  // The next probe that is to be sent now.
  std::optional<Probe> poll_probe();
  // The probe of that number came back, whole.
  void handle_answer(Instant now, std::uint16_t number);
  void handle_timeout(Instant now);
  [[nodiscard]] Instant deadline() const { return deadline_; }

  // As far as it is known; the greatest until something else is.
  [[nodiscard]] std::size_t mtu() const { return mtu_; }

 private:
  void begin_round(Instant now, bool ladder);
  void end_round(Instant now);

  std::vector<std::uint16_t> sizes_;  // falling
  std::size_t mtu_;

  bool on_ = false;
  bool ladder_ = false;  // the round has all sizes; otherwise the first and the last
  unsigned round_ = 0;   // of its kind
  std::uint16_t search_ = 0;
  std::size_t next_ = 0;               // index of what is polled next
  std::optional<std::size_t> best_;    // index of the largest that was answered in this search
  Instant deadline_ = Instant::max();  // of the round
  std::optional<Instant> finished_at_;
};

}  // namespace sidestream::tunnel
