#include "tunnel/handshake_rate_limiter.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace sidestream::tunnel {
namespace {

constexpr Instant start{std::chrono::hours(1)};

TEST(HandshakeRateLimiter, LinuxSelftest) {
  const Vector vector = load_vector("wireguard.json", "handshake_ratelimiter_kernel_selftest");
  const DeviceLimits limits;
  EXPECT_EQ(number_of_json(vector.inputs.at("packets_per_second")),
            limits.handshakes_per_source_second);
  EXPECT_EQ(number_of_json(vector.inputs.at("burst")), limits.handshakes_per_source_burst);
  HandshakeRateLimiter limiter(limits);
  const auto& timeline = vector.inputs.at("timeline").as_array();
  ASSERT_EQ(timeline.size(), 11U);
  const IpAddress v4 = *IpAddress::parse("192.0.2.7");
  std::uint32_t other_v4 = IpAddress::parse("198.51.100.0")->v4_host_order();
  for (std::size_t i = 0; i < timeline.size(); ++i) {
    const Instant now = start + std::chrono::milliseconds(number_of_json(timeline[i].at("at_ms")));
    const bool allow = timeline[i].at("allow").as_bool();
    EXPECT_EQ(limiter.allow(now, v4), allow) << "step " << i;
    // Other addresses are not touched by that.
    EXPECT_TRUE(limiter.allow(now, IpAddress::v4(other_v4++)));
    // Two addresses of one /64 share a bucket, a neighbouring /64 has its own.
    const std::string last = std::to_string(i);
    EXPECT_EQ(limiter.allow(now, *IpAddress::parse("2001:db8:0:1:9::" + last)), allow);
    EXPECT_TRUE(limiter.allow(now, *IpAddress::parse("2001:db8:0:f" + last + "::1")));
  }
}

TEST(HandshakeRateLimiter, ForgetsIdleSourcesAndRefusesNewOnesWhenFull) {
  DeviceLimits limits;
  limits.rate_limited_sources_max = 2;
  HandshakeRateLimiter limiter(limits);
  const IpAddress first = *IpAddress::parse("192.0.2.1");
  const IpAddress second = *IpAddress::parse("192.0.2.2");
  const IpAddress third = *IpAddress::parse("192.0.2.3");
  EXPECT_TRUE(limiter.allow(start, first));
  EXPECT_TRUE(limiter.allow(start, second));
  EXPECT_FALSE(limiter.allow(start, third));
  EXPECT_TRUE(limiter.allow(start + 900ms, second));
  EXPECT_FALSE(limiter.allow(start + 900ms, third));
  EXPECT_TRUE(limiter.allow(start + 1100ms, third));
  EXPECT_EQ(limiter.size(), 2U);
  EXPECT_FALSE(limiter.allow(start + 1200ms, first));
}

}  // namespace
}  // namespace sidestream::tunnel
