// What decides how much may be in flight and how fast it leaves. One object per connection, told
// of everything by the sender, which keeps the scoreboard, detects loss and asks for the verdict.
// Amounts are bytes of sequence space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "streams/time.h"
#include "tunnel/delivery_rate.h"

namespace sidestream::tunnel {

// What one acknowledgment brought.
struct AckSample {
  Instant now;
  std::size_t acknowledged_bytes = 0;  // cumulatively
  std::size_t delivered_bytes = 0;     // newly, cumulatively or selectively
  std::size_t lost_bytes = 0;          // newly found to be lost
  std::size_t in_flight_bytes = 0;     // after all of that
  std::optional<Duration> rtt{};       // of the newest segment delivered
  Duration smoothed_rtt{0};
  Duration minimum_rtt{0};
  bool round_started = false;   // first acknowledgment of a new round trip
  bool window_limited = false;  // the window, and not the application, held the sender back
  std::size_t prior_in_flight_bytes = 0;  // before all of that
  RateSample delivery{};
  std::uint64_t delivered_in_all = 0;  // bytes, since the connection began
};

class CongestionControl {
 public:
  CongestionControl() = default;
  CongestionControl(const CongestionControl&) = delete;
  CongestionControl& operator=(const CongestionControl&) = delete;
  virtual ~CongestionControl() = default;

  virtual void on_ack(const AckSample& sample) = 0;
  // A loss begins an episode of recovery; on_ack goes on being called in it. `in_flight_bytes` is
  // what was in flight before the loss was noticed.
  virtual void on_loss(Instant now, std::size_t in_flight_bytes) = 0;
  // All that was in flight when the episode began, with on_loss or on_timeout, is acknowledged.
  virtual void on_recovered(Instant now) = 0;
  // The retransmission timer expired: nothing is known about what is in flight.
  virtual void on_timeout(Instant now, std::size_t in_flight_bytes) = 0;
  // The last on_loss or on_timeout was a mistake: nothing had been lost.
  virtual void on_spurious_loss(Instant now) = 0;
  // Bytes went out, first time or again.
  virtual void on_sent(std::size_t bytes) = 0;
  // The connection sent nothing for `idle`, which is longer than its RTO.
  virtual void on_idle(Instant now, Duration idle, Duration rto) = 0;
  virtual void set_mss(std::size_t mss) = 0;

  // Whether it is a model of the path, so that one object can serve all streams that share that.
  [[nodiscard]] virtual bool models_path() const { return false; }

  // How much may be in flight.
  [[nodiscard]] virtual std::size_t window() const = 0;
  // Bytes per second; 0: as fast as the window lets.
  [[nodiscard]] virtual std::uint64_t pacing_rate() const = 0;
};

using MakeCongestionControl = std::unique_ptr<CongestionControl> (*)(std::size_t mss);

}  // namespace sidestream::tunnel
