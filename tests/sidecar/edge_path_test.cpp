#include "sidecar/edge_path.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

using Kind = EdgePath::Action::Kind;

const SocketAddress broken_v6 = *SocketAddress::parse("[2001:db8::1]:51820");
const SocketAddress v4 = *SocketAddress::parse("192.0.2.1:51820");
const SocketAddress moved = *SocketAddress::parse("192.0.2.99:51820");
const Instant start{100s};

TEST(EdgePath, ResolvesTriesAllAddressesQuicklyAndStaysWithTheOneThatAnswers) {
  EdgePath path;
  EXPECT_EQ(path.poll(start).kind, Kind::resolve);
  EXPECT_EQ(path.poll(start).kind, Kind::wait);  // one question at a time
  path.handle_resolved(start, {broken_v6, v4});
  EXPECT_EQ(path.poll(start).address, broken_v6);
  const auto wait = path.poll(start);
  ASSERT_EQ(wait.kind, Kind::wait);
  EXPECT_EQ(wait.until, start + 1s);
  EXPECT_EQ(path.poll(start + 1s).address, v4);
  path.handle_alive();
  EXPECT_EQ(path.poll(start + 60s).kind, Kind::wait);
  EXPECT_FALSE(path.poll(start + 60s).until);
}

TEST(EdgePath, SlowsDownAfterTheFirstRoundAndAsksDnsAgain) {
  EdgePath path;
  path.poll(start);
  path.handle_resolved(start, {v4});
  EXPECT_EQ(path.poll(start).kind, Kind::try_address);
  EXPECT_EQ(path.poll(start + 1s).kind, Kind::try_address);
  EXPECT_EQ(path.poll(start + 1s).until, start + 3600ms);
  EXPECT_EQ(path.poll(start + 3600ms).kind, Kind::try_address);
  EXPECT_EQ(path.poll(start + 10s).kind, Kind::resolve);
}

TEST(EdgePath, FollowsAChangedName) {
  EdgePath path;
  path.poll(start);
  path.handle_resolved(start, {v4});
  path.poll(start);
  path.handle_alive();
  path.handle_lost(start + 30s);
  EXPECT_EQ(path.poll(start + 30s).kind, Kind::resolve);
  EXPECT_EQ(path.poll(start + 30s).address, v4);  // the old address is tried meanwhile
  path.handle_resolved(start + 31s, {moved});
  EXPECT_EQ(path.poll(start + 31s).address, moved);
}

TEST(EdgePath, KeepsAskingWhenDnsFails) {
  EdgePath path;
  EXPECT_EQ(path.poll(start).kind, Kind::resolve);
  path.handle_resolve_failed(start);
  EXPECT_EQ(path.poll(start).until, start + 5s);
  EXPECT_EQ(path.poll(start + 5s).kind, Kind::resolve);
  path.handle_resolved(start + 5s, {v4});
  EXPECT_EQ(path.poll(start + 5s).address, v4);
}

TEST(EdgePath, LeavesByAnotherSocketWhenNothingAnswers) {
  EdgePath path;
  path.poll(start);
  path.handle_resolved(start, {v4});
  for (const Duration at : {0ms, 1000ms, 3600ms, 6200ms}) {
    path.handle_resolved(start + at, {v4});
    EXPECT_EQ(path.poll(start + at).kind, Kind::try_address);
    EXPECT_EQ(path.poll(start + at).kind, Kind::wait);
  }
  path.handle_resolved(start + 8800ms, {v4});
  EXPECT_EQ(path.poll(start + 8800ms).kind, Kind::rebind);
  EXPECT_EQ(path.poll(start + 8800ms).kind, Kind::try_address);
  path.handle_alive();
  path.handle_lost(start + 60s);
  EXPECT_EQ(path.poll(start + 60s).kind, Kind::resolve);
  EXPECT_EQ(path.poll(start + 60s).kind, Kind::try_address);
}

TEST(EdgePath, LosingTwiceDoesNotStartOver) {
  EdgePath path;
  path.poll(start);
  path.handle_resolved(start, {broken_v6, v4});
  path.poll(start);
  path.handle_lost(start);
  EXPECT_EQ(path.poll(start).kind, Kind::wait);
}

}  // namespace
}  // namespace sidestream::sidecar
