#include "tunnel/handshake_rate_limiter.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

constexpr Duration idle_after = 1s;
constexpr unsigned ipv6_prefix = 64;

}  // namespace

HandshakeRateLimiter::HandshakeRateLimiter(const DeviceLimits& limits)
    : cost_(Duration(1s) / std::max<std::size_t>(limits.handshakes_per_source_second, 1)),
      full_(cost_ * limits.handshakes_per_source_burst),
      sources_max_(limits.rate_limited_sources_max) {}

bool HandshakeRateLimiter::allow(Instant now, const IpAddress& source) {
  forget_idle(now);
  const IpAddress key = source.is_v6() ? IpPrefix(source, ipv6_prefix).address() : source;
  const auto known = buckets_.find(key);
  if (known == buckets_.end()) {
    if (buckets_.size() >= sources_max_) return false;
    buckets_.emplace(key, Bucket{now, full_ - cost_});
    return true;
  }
  Bucket& bucket = known->second;
  bucket.tokens = std::min(bucket.tokens + (now - bucket.last), full_);
  bucket.last = now;
  if (bucket.tokens < cost_) return false;
  bucket.tokens -= cost_;
  return true;
}

void HandshakeRateLimiter::forget_idle(Instant now) {
  if (now < next_cleaning_) return;
  next_cleaning_ = now + idle_after;
  std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.last > idle_after; });
}

}  // namespace sidestream::tunnel
