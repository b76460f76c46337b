#include "tunnel/delivery_rate.h"

#include <algorithm>

namespace sidestream::tunnel {

DeliveryMark DeliveryRate::on_sent(Instant now, bool nothing_in_flight) {
  // Time in which nothing was in flight is not time in which the path was slow.
  if (nothing_in_flight) first_sent_at_ = delivered_at_ = now;
  return {.delivered = delivered_,
          .delivered_at = delivered_at_,
          .first_sent_at = first_sent_at_,
          .application_limited = application_limited_until_ != 0};
}

void DeliveryRate::on_delivered(Instant now, const DeliveryMark& mark, Instant sent_at,
                                std::size_t bytes) {
  delivered_ += bytes;
  delivered_at_ = now;
  if (application_limited_until_ != 0 && delivered_ > application_limited_until_)
    application_limited_until_ = 0;
  const bool newer = !any_ || mark.delivered > newest_.delivered ||
                     (mark.delivered == newest_.delivered && sent_at >= newest_sent_at_);
  if (!newer) return;
  any_ = true;
  newest_ = mark;
  newest_sent_at_ = sent_at;
  first_sent_at_ = sent_at;
}

RateSample DeliveryRate::take_sample(Duration minimum_rtt) {
  RateSample sample;
  if (!any_) return sample;
  any_ = false;
  sample.prior_delivered = newest_.delivered;
  sample.application_limited = newest_.application_limited;
  const Duration send_elapsed = newest_sent_at_ - newest_.first_sent_at;
  const Duration ack_elapsed = delivered_at_ - newest_.delivered_at;
  const Duration interval = std::max(send_elapsed, ack_elapsed);
  if (interval < minimum_rtt || interval <= Duration::zero()) return sample;
  const double bytes = static_cast<double>(delivered_ - newest_.delivered);
  sample.bytes_per_second =
      static_cast<std::uint64_t>(bytes / std::chrono::duration<double>(interval).count());
  return sample;
}

void DeliveryRate::on_application_limited(std::size_t in_flight_bytes) {
  application_limited_until_ = std::max<std::uint64_t>(delivered_ + in_flight_bytes, 1);
}

}  // namespace sidestream::tunnel
