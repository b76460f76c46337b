#include "edge/unreached_targets.h"

#include <gtest/gtest.h>

#include <string>

namespace sidestream::edge {
namespace {

const Instant start{};

RouteTarget target(const std::string& sidecar) {
  return {.sidecar = sidecar,
          .service = "it",
          .tunnel_address = *SocketAddress::parse("10.86.0." + sidecar + ":20000"),
          .priority = 0};
}

std::string ordered(const UnreachedTargets& unreached, Instant now) {
  std::string text;
  for (const RouteTarget& one : unreached.ordered(now, {target("2"), target("3"), target("4")}))
    text += one.sidecar;
  return text;
}

TEST(UnreachedTargets, AreTriedLastForAWhile) {
  UnreachedTargets unreached;
  EXPECT_EQ(ordered(unreached, start), "234");
  unreached.on_failed(start, target("2").tunnel_address);
  EXPECT_EQ(ordered(unreached, start), "342");
  unreached.on_failed(start + 1s, target("3").tunnel_address);
  EXPECT_EQ(ordered(unreached, start + 4999ms), "423");
  EXPECT_EQ(ordered(unreached, start + 5s), "243");
  EXPECT_EQ(ordered(unreached, start + 6s), "234");
}

TEST(UnreachedTargets, AreForgottenWhenTheyAnswer) {
  UnreachedTargets unreached;
  unreached.on_failed(start, target("2").tunnel_address);
  unreached.on_reached(target("2").tunnel_address);
  EXPECT_EQ(ordered(unreached, start), "234");
}

TEST(UnreachedTargets, StayInOrderWhenNoneAnswers) {
  UnreachedTargets unreached;
  for (const char* one : {"4", "2", "3"}) unreached.on_failed(start, target(one).tunnel_address);
  EXPECT_EQ(ordered(unreached, start), "234");
}

}  // namespace
}  // namespace sidestream::edge
