#include "edge/service_traffic.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

TEST(ServiceTraffic, CountsByServiceOfASidecar) {
  ServiceTrafficTable table;
  ServiceTraffic& one = table.enter("home", "ssh");
  ServiceTraffic& two = table.enter("home", "ssh");
  ServiceTraffic& other = table.enter("away", "ssh");
  EXPECT_EQ(&one, &two);
  EXPECT_NE(&one, &other);
  one.bytes.left_to_right_bytes += 5;
  table.leave(one);
  EXPECT_EQ(two.streams, 1U);
  EXPECT_EQ(two.streams_in_all, 2U);
  EXPECT_EQ(two.bytes.left_to_right_bytes, 5U);
  table.leave(two);
  EXPECT_EQ(table.services().at({"home", "ssh"}).streams, 0U);
  EXPECT_EQ(table.services().at({"home", "ssh"}).bytes.left_to_right_bytes, 5U);
}

TEST(ServiceTraffic, WhatIsBeyondTheLimitCountsTogether) {
  ServiceTrafficTable table({.services_max = 2});
  table.enter("home", "a");
  table.enter("home", "b");
  ServiceTraffic& c = table.enter("home", "c");
  ServiceTraffic& d = table.enter("away", "d");
  EXPECT_EQ(&c, &d);
  EXPECT_EQ(c.sidecar, ServiceTrafficTable::others);
  EXPECT_EQ(c.service, ServiceTrafficTable::others);
  EXPECT_EQ(table.enter("home", "a").streams, 2U);
  EXPECT_EQ(table.services().size(), 3U);
}

TEST(ServiceTraffic, ForgetsASidecarWhenItsStreamsHaveEnded) {
  ServiceTrafficTable table;
  ServiceTraffic& live = table.enter("home", "a");
  table.leave(table.enter("home", "b"));
  table.leave(table.enter("away", "b"));
  table.forget("home");
  EXPECT_EQ(table.services().size(), 2U);
  EXPECT_TRUE(table.services().contains({"home", "a"}));
  table.leave(live);
  EXPECT_FALSE(table.services().contains({"home", "a"}));
  // One that is back counts on.
  ServiceTraffic& again = table.enter("away", "b");
  table.forget("away");
  table.enter("away", "b");
  table.leave(again);
  table.leave(again);
  EXPECT_TRUE(table.services().contains({"away", "b"}));
}

}  // namespace
}  // namespace sidestream::edge
