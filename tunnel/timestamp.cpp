#include "tunnel/timestamp.h"

#include <algorithm>

#include "streams/bytes.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint64_t seconds_of_1970 = 0x400000000000000a;
constexpr std::uint32_t nanoseconds_per_second = 1'000'000'000;

Timestamp join(std::uint64_t seconds, std::uint32_t nanoseconds) {
  Timestamp timestamp;
  ByteWriter writer(timestamp.bytes);
  writer.u64(seconds);
  writer.u32(nanoseconds);
  return timestamp;
}

}  // namespace

Timestamp timestamp_of(WallTime wall) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wall);
  const auto nanoseconds = static_cast<std::uint32_t>((wall - seconds).count());
  return join(seconds_of_1970 + static_cast<std::uint64_t>(seconds.time_since_epoch().count()),
              nanoseconds / timestamp_quantum * timestamp_quantum);
}

Timestamp next_timestamp(const Timestamp& after) {
  ByteReader reader(after.bytes);
  const std::uint64_t seconds = reader.u64();
  const std::uint32_t nanoseconds = reader.u32() / timestamp_quantum * timestamp_quantum;
  if (nanoseconds < nanoseconds_per_second - timestamp_quantum)
    return join(seconds, nanoseconds + timestamp_quantum);
  if (seconds == ~std::uint64_t{0}) return after;
  return join(seconds + 1, 0);
}

Timestamp later_timestamp(const Timestamp& than, std::chrono::seconds time) {
  ByteReader reader(than.bytes);
  const std::uint64_t seconds = reader.u64();
  const auto more = static_cast<std::uint64_t>(time.count());
  const std::uint64_t later = seconds + std::min(more, ~std::uint64_t{0} - seconds);
  return join(later, reader.u32());
}

void Tai64nClock::set_wall_clock(Instant now, WallTime wall) {
  anchor_ = Anchor{now, wall};
}

void Tai64nClock::set_last(const Timestamp& last) {
  last_ = std::max(last_, last);
}

Timestamp Tai64nClock::next(Instant now) {
  last_ = next_timestamp(last_);
  if (anchor_) last_ = std::max(last_, timestamp_of(anchor_->wall + (now - anchor_->instant)));
  return last_;
}

}  // namespace sidestream::tunnel
