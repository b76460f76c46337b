// Carries bytes between two streams until both directions have ended.
#pragma once

#include <optional>
#include <string_view>

#include "streams/asio_io.h"
#include "streams/relay_traffic.h"
#include "streams/timer_io.h"

namespace sidestream {

struct RelayLimits {
  // Ends the relay when no byte was read on either side for so long. Not set: never, because
  // Electrum subscriptions, SSH and IMAP IDLE say nothing for days.
  std::optional<Duration> idle_timeout;
};

enum class RelayEnd {
  both_ended,   // both sides ended their direction in order
  left_error,   // the left stream broke
  right_error,  // the right one did
  idle,         // RelayLimits::idle_timeout
  cancelled,
};
[[nodiscard]] std::string_view text_of(RelayEnd end);

struct RelaySummary {
  std::uint64_t left_to_right_bytes = 0;  // written to the right
  std::uint64_t right_to_left_bytes = 0;
  Duration duration{};
  RelayEnd end = RelayEnd::both_ended;
  error_code error;  // for left_error and right_error
};

// The end of one side is passed on to the other, while the opposite direction goes on. An error on
// one side aborts the other, so that its peer sees a reset and never a clean end in the middle of
// something. After a direction has ended its source is still watched, so that a peer that is gone
// (reset, keepalive) ends the relay although nobody reads from it any more.
//
// Holds a buffer (from a pool of the thread, at most 64 KiB) for a direction only while data is in
// flight there; many stalled directions get smaller ones.
//
// Both streams must outlive it and belong to it until it returns; afterwards both have ended or
// were aborted. Never throws for what happens on a stream; a cancellation ends it as `cancelled`.
//
// `traffic`, if there is one, outlives it too.
Task<RelaySummary> relay(Timers& timers, Stream& left, Stream& right, RelayLimits limits,
                         RelayTraffic* traffic = nullptr);

}  // namespace sidestream
