// What the streams to one peer share (a "macroflow", RFC 3124 section 1): they meet the same line,
// so they have one model of it, one pace, and one sum of what is in flight. A stream that stands
// alone, as under a congestion control that is no model of the path, has a macroflow of its own.
#pragma once

#include <cstddef>
#include <memory>

#include "streams/time.h"
#include "tunnel/congestion_control.h"
#include "tunnel/delivery_rate.h"
#include "tunnel/pacer.h"

namespace sidestream::tunnel {

class Macroflow {
 public:
  Macroflow(Instant now, std::unique_ptr<CongestionControl> congestion);
  Macroflow(const Macroflow&) = delete;
  Macroflow& operator=(const Macroflow&) = delete;

  // What one stream has in it. The stream's owner keeps it and leaves before it goes.
  struct Part {
    std::size_t in_flight_bytes = 0;
    bool recovering = false;  // between a loss and the acknowledgment of all that was in flight
  };

  // ---- what a stream tells ----------------------------------------------------------------------
  void set_in_flight(Part& part, std::size_t bytes);
  // As in CongestionControl. While one stream recovers the losses of others begin nothing new, and
  // the recovery ends with the last one's; `in_flight_bytes` of all, before the loss was noticed.
  void on_loss(Part& part, Instant now, std::size_t in_flight_bytes);
  void on_recovered(Part& part, Instant now);
  void on_spurious_loss(Part& part, Instant now);
  // A stream's retransmission timer went off. While the others' bytes arrive the path is alive, and
  // what this one has lost is a loss like any other.
  void on_timeout(Part& part, Instant now, std::size_t in_flight_bytes, Duration rto);
  void on_delivered(const Part& part, Instant now);
  void on_sent(Instant now, std::size_t bytes);
  // The first segment of a stream that had nothing in flight is about to leave.
  void start_flight(Instant now, std::size_t free_bytes, Duration rto, Duration smoothed_rtt);
  void leave(Part& part);

  // ---- what a stream may do
  // -----------------------------------------------------------------------
  enum class Verdict { now, window, pace };
  // Whether `bytes` may leave. A thin stream, which has sent little of late, need not wait behind
  // what others have in flight: it may go a little beyond window and pace, which then holds them.
  [[nodiscard]] Verdict may_send(Instant now, std::size_t bytes, bool thin) const;
  // When the pace lets the next segment go; only after the verdict `pace`.
  [[nodiscard]] Instant paced_until(bool thin = false) const;
  // What one of the streams may take as its part of the window.
  [[nodiscard]] std::size_t window_share() const;

  [[nodiscard]] std::size_t in_flight_bytes() const { return in_flight_bytes_; }
  [[nodiscard]] CongestionControl& congestion() { return *congestion_; }
  [[nodiscard]] const CongestionControl& congestion() const { return *congestion_; }
  [[nodiscard]] DeliveryRate& rate() { return rate_; }

 private:
  const std::unique_ptr<CongestionControl> congestion_;
  DeliveryRate rate_;
  Pacer pacer_;
  std::size_t in_flight_bytes_ = 0;
  std::size_t streams_in_flight_ = 0;
  std::size_t streams_recovering_ = 0;
  bool sent_ = false;
  Instant last_sent_at_;
  // The last stream that something of was delivered, and the last one before that was another.
  const Part* delivered_of_ = nullptr;
  Instant delivered_at_ = Instant::min();
  Instant delivered_of_others_at_ = Instant::min();
};

}  // namespace sidestream::tunnel
