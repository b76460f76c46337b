#include "sidecar/told_refusals.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

constexpr Instant start{100s};

ServedStream refused(std::string_view client, ServedEnd end = ServedEnd::denied,
                     std::string service = "ssh") {
  ServedStream stream;
  stream.service = std::move(service);
  stream.client = {*IpAddress::parse(client), 5022};
  stream.end = end;
  return stream;
}

TEST(ToldRefusals, TellsOfEachClientOnceInAWhileAndHowMuchWasHeldBack) {
  ToldRefusals told;
  EXPECT_EQ(told.tell(start, refused("192.0.2.1")), 0U);
  EXPECT_EQ(told.tell(start, refused("192.0.2.1")), std::nullopt);
  EXPECT_EQ(told.tell(start + 59s, refused("::ffff:192.0.2.1")), std::nullopt);
  EXPECT_EQ(told.tell(start + 59s, refused("192.0.2.2")), 0U);
  EXPECT_EQ(told.tell(start + 60s, refused("192.0.2.1")), 2U);
  EXPECT_EQ(told.tell(start + 61s, refused("192.0.2.1")), std::nullopt);
  EXPECT_EQ(told.tell(start + 1h, refused("192.0.2.1")), 1U);
}

TEST(ToldRefusals, OtherReasonsAndServicesAreOtherRefusals) {
  ToldRefusals told;
  EXPECT_EQ(told.tell(start, refused("192.0.2.1")), 0U);
  EXPECT_EQ(told.tell(start, refused("192.0.2.1", ServedEnd::too_fast)), 0U);
  EXPECT_EQ(told.tell(start, refused("192.0.2.1", ServedEnd::denied, "mqtt")), 0U);
  EXPECT_EQ(told.tell(start, refused("2001:db8::1")), 0U);
  EXPECT_EQ(told.tell(start, refused("2001:db8::2")), std::nullopt) << "one /64 is one client";
}

TEST(ToldRefusals, OtherWordsAreAnotherReason) {
  ToldRefusals told;
  ServedStream failed = refused("192.0.2.1", ServedEnd::tls_failed);
  for (const char* why : {"peer did not return a certificate", "certificate refused"}) {
    failed.error = why;
    EXPECT_EQ(told.tell(start, failed), 0U);
    EXPECT_EQ(told.tell(start, failed), std::nullopt);
  }
}

TEST(ToldRefusals, IsBounded) {
  ToldRefusals told({.period = 60s, .clients_max = 2});
  EXPECT_EQ(told.tell(start, refused("192.0.2.1")), 0U);
  EXPECT_EQ(told.tell(start + 30s, refused("192.0.2.2")), 0U);
  EXPECT_EQ(told.tell(start + 59s, refused("192.0.2.3")), std::nullopt);
  EXPECT_EQ(told.tell(start + 60s, refused("192.0.2.3")), 0U);
  EXPECT_EQ(told.tell(start + 60s, refused("192.0.2.1")), std::nullopt);
  EXPECT_EQ(told.tell(start + 90s, refused("192.0.2.1")), 0U) << "in the place of the second";
}

}  // namespace
}  // namespace sidestream::sidecar
