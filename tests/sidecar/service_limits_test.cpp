#include "sidecar/service_limits.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

using Verdict = ServiceVerdict;
const IpAddress one = *IpAddress::parse("198.51.100.1");
const IpAddress two = *IpAddress::parse("198.51.100.2");
const Instant start{100s};

TEST(ServiceAdmission, WithoutLimitsTakesEverything) {
  ServiceAdmission admission({});
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(admission.admit(start, one), Verdict::admitted);
  EXPECT_EQ(admission.streams(), 10'000U);
}

TEST(ServiceAdmission, RefusesTheNewestAndTakesAgainWhenOneLeft) {
  ServiceAdmission admission({.streams = 2, .per_client = {}, .per_second = {}});
  EXPECT_EQ(admission.admit(start, one), Verdict::admitted);
  EXPECT_EQ(admission.admit(start, two), Verdict::admitted);
  EXPECT_EQ(admission.admit(start, two), Verdict::too_many);
  admission.leave(one);
  EXPECT_EQ(admission.admit(start, two), Verdict::admitted);
  EXPECT_EQ(admission.streams(), 2U);
}

TEST(ServiceAdmission, CountsClientsAndTakesAnIpv6NetworkForOne) {
  ServiceAdmission admission({.streams = {}, .per_client = 1, .per_second = {}});
  EXPECT_EQ(admission.admit(start, one), Verdict::admitted);
  EXPECT_EQ(admission.admit(start, one), Verdict::too_many_of_client);
  EXPECT_EQ(admission.admit(start, *IpAddress::parse("::ffff:198.51.100.1")),
            Verdict::too_many_of_client);
  EXPECT_EQ(admission.admit(start, two), Verdict::admitted);
  EXPECT_EQ(admission.admit(start, *IpAddress::parse("2001:db8::1")), Verdict::admitted);
  EXPECT_EQ(admission.admit(start, *IpAddress::parse("2001:db8::ffff")),
            Verdict::too_many_of_client);
  EXPECT_EQ(admission.admit(start, *IpAddress::parse("2001:db8:0:1::1")), Verdict::admitted);
}

TEST(ServiceAdmission, LimitsTheRateOfNewStreams) {
  ServiceAdmission admission({.streams = {}, .per_client = {}, .per_second = 10});
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += admission.admit(start, one) == Verdict::admitted;
  EXPECT_EQ(admitted, 10);
  EXPECT_EQ(admission.admit(start, one), Verdict::too_fast);
  EXPECT_EQ(admission.admit(start + 100ms, one), Verdict::admitted);
  EXPECT_EQ(admission.admit(start + 100ms, one), Verdict::too_fast);
  EXPECT_EQ(admission.streams(), 11U) << "who was refused is not counted";
}

}  // namespace
}  // namespace sidestream::sidecar
