// One direction of a bad line on a virtual clock: rate, delay, a queue that overflows, loss,
// duplicates, reordering and corruption, all decided by a seed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "streams/bytes.h"
#include "streams/time.h"
#include "tests/support/seeded_random.h"

namespace sidestream {

struct LinkQuality {
  std::uint64_t bytes_per_second = 0;  // 0: no limit
  std::size_t queue_bytes_max = 0;     // that wait for the line; 0: no limit
  Duration delay{0};
  std::size_t packet_bytes_max = 0;  // longer ones are dropped; 0: none is
  double loss = 0;
  double duplication = 0;
  double corruption = 0;       // of one bit
  double reordering = 0;       // that a packet is held back …
  Duration reordering_max{0};  // … up to so long
};

class SimulatedLink {
 public:
  SimulatedLink(const LinkQuality& quality, SeededRandom random)
      : quality_(quality), random_(random) {}

  void set_quality(const LinkQuality& quality) { quality_ = quality; }

  void send(Instant now, Bytes packet) {
    ++sent_packets_;
    if (quality_.packet_bytes_max != 0 && packet.size() > quality_.packet_bytes_max) return;
    if (free_at_ < now) free_at_ = now;
    if (quality_.bytes_per_second != 0) {
      const auto waiting =
          static_cast<std::size_t>(std::chrono::duration<double>(free_at_ - now).count() *
                                   static_cast<double>(quality_.bytes_per_second));
      if (quality_.queue_bytes_max != 0 && waiting + packet.size() > quality_.queue_bytes_max) {
        ++overflowed_packets_;
        return;
      }
      free_at_ += Duration(
          static_cast<Duration::rep>(packet.size() * 1'000'000'000ULL / quality_.bytes_per_second));
    }
    if (random_.chance(quality_.loss)) return;
    deliver(packet);
    if (random_.chance(quality_.duplication)) deliver(packet);
  }

  [[nodiscard]] std::optional<Instant> next_arrival() const {
    if (on_the_way_.empty()) return std::nullopt;
    return on_the_way_.begin()->first.first;
  }
  // The next packet that has arrived by `now`.
  std::optional<std::vector<std::uint8_t>> receive(Instant now) {
    if (on_the_way_.empty() || on_the_way_.begin()->first.first > now) return std::nullopt;
    return std::move(on_the_way_.extract(on_the_way_.begin()).mapped());
  }

  // How long a packet that is sent now waits before the line.
  [[nodiscard]] Duration waiting(Instant now) const {
    return std::max(free_at_ - now, Duration::zero());
  }
  [[nodiscard]] std::uint64_t sent_packets() const { return sent_packets_; }
  [[nodiscard]] std::uint64_t overflowed_packets() const { return overflowed_packets_; }

 private:
  void deliver(Bytes packet) {
    Instant at = free_at_ + quality_.delay;
    if (random_.chance(quality_.reordering)) {
      const auto most = static_cast<std::uint32_t>(quality_.reordering_max / 1us);
      at += Duration(1us) * random_.below(most);
    }
    std::vector<std::uint8_t> copy(packet.begin(), packet.end());
    if (!copy.empty() && random_.chance(quality_.corruption)) {
      const std::uint32_t bit = random_.below(static_cast<std::uint32_t>(copy.size() * 8));
      copy[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
    on_the_way_.emplace(std::pair{at, ++order_}, std::move(copy));
  }

  LinkQuality quality_;
  SeededRandom random_;
  Instant free_at_{};  // when the line has sent all that waits
  std::uint64_t order_ = 0;
  std::uint64_t sent_packets_ = 0;
  std::uint64_t overflowed_packets_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, std::vector<std::uint8_t>> on_the_way_;
};

}  // namespace sidestream
