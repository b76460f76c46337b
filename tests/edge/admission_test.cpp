#include "edge/admission.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(AdmissionTest, AClientIsAnIpv4AddressOrAnIpv6Network) {
  EXPECT_EQ(Admission::client_of(address("192.0.2.1")), address("192.0.2.1"));
  EXPECT_EQ(Admission::client_of(address("::ffff:192.0.2.1")), address("192.0.2.1"));
  EXPECT_EQ(Admission::client_of(address("2001:db8:1:2:3:4:5:6")), address("2001:db8:1:2::"));
}

TEST(AdmissionTest, LimitsStreams) {
  Admission admission({.streams_max = 3, .streams_per_client_max = 2});
  EXPECT_EQ(admission.admit(address("192.0.2.1")), AdmissionVerdict::admitted);
  EXPECT_EQ(admission.admit(address("192.0.2.1")), AdmissionVerdict::admitted);
  EXPECT_EQ(admission.admit(address("192.0.2.1")), AdmissionVerdict::too_many_of_client);
  EXPECT_EQ(admission.admit(address("::ffff:192.0.2.1")), AdmissionVerdict::too_many_of_client);
  EXPECT_EQ(admission.admit(address("2001:db8::1")), AdmissionVerdict::admitted);
  EXPECT_EQ(admission.admit(address("192.0.2.2")), AdmissionVerdict::too_many_streams);
  EXPECT_EQ(admission.streams(), 3U);
  admission.leave(address("192.0.2.1"));
  EXPECT_EQ(admission.admit(address("192.0.2.2")), AdmissionVerdict::admitted);
}

TEST(AdmissionTest, OneNetworkIsOneClient) {
  Admission admission({.streams_per_client_max = 1});
  EXPECT_EQ(admission.admit(address("2001:db8::1")), AdmissionVerdict::admitted);
  EXPECT_EQ(admission.admit(address("2001:db8::2")), AdmissionVerdict::too_many_of_client);
  EXPECT_EQ(admission.admit(address("2001:db8:0:1::1")), AdmissionVerdict::admitted);
}

TEST(AdmissionTest, LimitsUndecidedStreamsOfAClient) {
  Admission admission({.undecided_per_client_max = 2});
  const IpAddress client = address("192.0.2.1");
  for (int i = 0; i < 3; ++i) ASSERT_EQ(admission.admit(client), AdmissionVerdict::admitted);
  EXPECT_TRUE(admission.begin_undecided(client));
  EXPECT_TRUE(admission.begin_undecided(client));
  EXPECT_FALSE(admission.begin_undecided(client));
  EXPECT_EQ(admission.undecided(), 2U);
  admission.end_undecided(client);
  EXPECT_TRUE(admission.begin_undecided(client));
}

TEST(AdmissionTest, ForgetsClientsThatLeft) {
  Admission admission;
  for (std::uint32_t i = 0; i < 1000; ++i)
    ASSERT_EQ(admission.admit(IpAddress::v4(i)), AdmissionVerdict::admitted);
  EXPECT_EQ(admission.clients(), 1000U);
  for (std::uint32_t i = 0; i < 1000; ++i) admission.leave(IpAddress::v4(i));
  EXPECT_EQ(admission.clients(), 0U);
  EXPECT_EQ(admission.streams(), 0U);
}

TEST(Admission, LetsSoManyInWhoLook) {
  Admission admission({.streams_max = 3, .streams_per_client_max = 1, .lookers_max = 2});
  const IpAddress client = *IpAddress::parse("198.51.100.7");
  EXPECT_EQ(admission.admit(client), AdmissionVerdict::admitted);
  EXPECT_TRUE(admission.let_looker_in());
  EXPECT_TRUE(admission.let_looker_in());
  EXPECT_FALSE(admission.let_looker_in());
  EXPECT_EQ(admission.streams(), 3U);
  admission.looker_leaves();
  admission.set_limits({.streams_max = 2, .streams_per_client_max = 1, .lookers_max = 2});
  EXPECT_FALSE(admission.let_looker_in()) << "they count among all";
  admission.looker_leaves();
  EXPECT_TRUE(admission.let_looker_in());
}

}  // namespace
}  // namespace sidestream::edge
