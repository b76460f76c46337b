// How fast the path delivers: one estimate of bandwidth with each acknowledgment (Cheng, Cardwell,
// Yeganeh, Jacobson, "Delivery Rate Estimation", draft-cheng-iccrg-delivery-rate-estimation-02,
// whose names are kept). A sample is the slower one of the rate at which a flight was sent and the
// rate at which it was acknowledged, so that acknowledgments that come in a bunch do not look like
// a fast path.
#pragma once

#include <cstddef>
#include <cstdint>

#include "streams/time.h"

namespace sidestream::tunnel {

// What was known when a segment left; it stays with the segment.
struct DeliveryMark {
  std::uint64_t delivered = 0;  // bytes of the connection, until then: P.delivered
  Instant delivered_at{};       // P.delivered_time
  Instant first_sent_at{};      // P.first_sent_time
  bool application_limited = false;
};

struct RateSample {
  std::uint64_t bytes_per_second = 0;  // 0: nothing could be measured
  std::uint64_t prior_delivered = 0;   // as it was when the newest segment delivered had left
  bool application_limited = false;    // it may be less than the path allows
};

class DeliveryRate {
 public:
  // A segment leaves now.
  DeliveryMark on_sent(Instant now, bool nothing_in_flight);
  // A segment that left at `sent_at` has arrived.
  void on_delivered(Instant now, const DeliveryMark& mark, Instant sent_at, std::size_t bytes);
  // After all that one acknowledgment delivered. An interval shorter than the round trip measures
  // the bunching of acknowledgments.
  RateSample take_sample(Duration minimum_rtt);
  // There is room to send and nothing to fill it: what is in flight measures the application.
  void on_application_limited(std::size_t in_flight_bytes);

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }  // C.delivered

 private:
  std::uint64_t delivered_ = 0;
  Instant delivered_at_{};
  Instant first_sent_at_{};
  std::uint64_t application_limited_until_ = 0;  // a value of delivered_; 0: it is not

  // The sample that is being collected.
  bool any_ = false;
  DeliveryMark newest_;
  Instant newest_sent_at_{};
};

}  // namespace sidestream::tunnel
