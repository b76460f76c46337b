#include "edge/peer_endpoints.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

const PeerEndpoint home{*SocketAddress::parse("198.51.100.7:40001")};
const PeerEndpoint moved{*SocketAddress::parse("[2001:db8::7]:40002"),
                         IpAddress::parse("2001:db8::1")};

TEST(PeerEndpoints, KeepsTheNewestOfEachAndComesBackWhole) {
  PeerEndpoints endpoints;
  EXPECT_FALSE(endpoints.find("home"));
  endpoints.set("home", home);
  endpoints.set("nas", home);
  endpoints.set("home", moved);
  EXPECT_EQ(endpoints.find("home"), moved);
  PeerEndpoints loaded;
  ASSERT_TRUE(loaded.load(endpoints.serialize()));
  EXPECT_EQ(loaded, endpoints);
  loaded.forget("home");
  EXPECT_FALSE(loaded.find("home"));
  EXPECT_EQ(loaded.find("nas"), home);
}

TEST(PeerEndpoints, KeepsNoMoreThanItMay) {
  PeerEndpoints endpoints;
  for (std::size_t i = 0; i <= PeerEndpoints::sidecars_max; ++i)
    endpoints.set("s" + std::to_string(i), home);
  EXPECT_TRUE(endpoints.find("s0"));
  EXPECT_FALSE(endpoints.find("s" + std::to_string(PeerEndpoints::sidecars_max)));
  PeerEndpoints loaded;
  EXPECT_TRUE(loaded.load(endpoints.serialize()));
  EXPECT_EQ(loaded, endpoints);
}

TEST(PeerEndpoints, WhatCannotBeReadChangesNothing) {
  PeerEndpoints endpoints;
  endpoints.set("home", home);
  const PeerEndpoints before = endpoints;
  const std::string good = endpoints.serialize();
  for (std::size_t length = 0; length + 1 < good.size(); ++length)
    EXPECT_FALSE(endpoints.load(good.substr(0, length))) << length;
  EXPECT_FALSE(endpoints.load(R"({"version":2,"endpoints":[]})"));
  EXPECT_FALSE(endpoints.load(R"({"version":1,"endpoints":[{"sidecar":"a","endpoint":"x"}]})"));
  EXPECT_FALSE(endpoints.load(
      R"({"version":1,"endpoints":[{"sidecar":"a","endpoint":"192.0.2.1:1","local":"x"}]})"));
  EXPECT_EQ(endpoints, before);
}

TEST(PeerEndpoints, ReadsWhatAnEarlierVersionWrote) {
  PeerEndpoints endpoints;
  EXPECT_TRUE(endpoints.load(
      R"({"version":1,"endpoints":[{"sidecar":"home","endpoint":"198.51.100.7:40001"}]})"));
  EXPECT_EQ(endpoints.find("home"), home);
}

}  // namespace
}  // namespace sidestream::edge
