#include "tunnel/peer_timers.h"

#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

constexpr Instant start{std::chrono::hours(1)};

struct PeerTimersTest : testing::Test {
  SeededRandom random{1};
  PeerTimers timers{random};

  // Lets the next deadline come and says when it was, from the start.
  std::pair<Duration, PeerTimers::Due> next() {
    const Instant at = timers.next_deadline();
    if (at == PeerTimers::never) return {Duration::max(), {}};
    return {at - start, timers.handle_timeout(at)};
  }
};

TEST_F(PeerTimersTest, NothingIsDueInTheBeginning) {
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
  const auto due = timers.handle_timeout(start + 1000h);
  EXPECT_FALSE(due.keepalive || due.zero_keys || due.retry_handshake || due.new_handshake);
}

TEST_F(PeerTimersTest, TwentyInitiationsAndThenNoMore) {
  ASSERT_TRUE(timers.request_handshake(start));
  timers.on_initiation_sent(start);
  Instant last = start;
  int sent = 1;
  for (;;) {
    const auto [at, due] = next();
    EXPECT_GE(start + at - last, 5s);
    EXPECT_LE(start + at - last, 5s + 333ms);
    last = start + at;
    if (due.give_up) break;
    ASSERT_TRUE(due.retry_handshake);
    timers.on_initiation_sent(last);
    ++sent;
  }
  EXPECT_EQ(sent, 20);
  // What is left is to wipe what there may be of old sessions.
  const auto [at, due] = next();
  EXPECT_EQ(start + at, last + 540s);
  EXPECT_TRUE(due.zero_keys);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, JitterIsSpread) {
  std::set<Duration> seen;
  for (int i = 0; i < 100; ++i) {
    PeerTimers fresh(random);
    fresh.on_initiation_sent(start);
    seen.insert(fresh.next_deadline() - start);
  }
  EXPECT_GT(seen.size(), 90U);
  EXPECT_LT(*seen.begin(), 5s + 30ms);
  EXPECT_GT(*seen.rbegin(), 5s + 300ms);
}

TEST_F(PeerTimersTest, CompletedHandshakeEndsTheSeries) {
  timers.on_initiation_sent(start);
  EXPECT_TRUE(timers.handshake_series_running());
  timers.on_session_derived(start + 1s);
  timers.on_handshake_completed();
  EXPECT_FALSE(timers.handshake_series_running());
  const auto [at, due] = next();
  EXPECT_EQ(at, 541s);
  EXPECT_TRUE(due.zero_keys);
}

TEST_F(PeerTimersTest, HandshakesKeepTheirDistance) {
  EXPECT_TRUE(timers.request_handshake(start));
  timers.on_initiation_sent(start);
  EXPECT_FALSE(timers.request_handshake(start + 4999ms));
  EXPECT_TRUE(timers.request_handshake(start + 5s));
  EXPECT_FALSE(timers.request_handshake(start + 999ms, impatient_rekey_timeout));
  EXPECT_TRUE(timers.request_handshake(start + 1s, impatient_rekey_timeout));
}

TEST_F(PeerTimersTest, RequestThatCameTooEarlyIsNotForgotten) {
  timers.on_response_sent(start);
  EXPECT_FALSE(timers.request_handshake(start + 1s));
  auto [at, due] = next();
  EXPECT_EQ(at, 5s);
  EXPECT_TRUE(due.deferred_handshake);
  // A handshake that completes meanwhile is as good.
  timers.on_response_sent(start + 10s);
  EXPECT_FALSE(timers.request_handshake(start + 11s));
  timers.on_handshake_completed();
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, DeferredRequestWaitsForAnotherResponseToo) {
  timers.on_response_sent(start);
  EXPECT_FALSE(timers.request_handshake(start + 1s));
  timers.on_response_sent(start + 4s);
  auto [at, due] = next();
  EXPECT_EQ(at, 5s);
  EXPECT_FALSE(due.deferred_handshake);
  std::tie(at, due) = next();
  EXPECT_EQ(at, 9s);
  EXPECT_TRUE(due.deferred_handshake);
}

TEST_F(PeerTimersTest, RetryWaitsAfterAResponse) {
  timers.on_initiation_sent(start);
  timers.on_response_sent(start + 3s);
  auto [at, due] = next();
  EXPECT_GE(at, 5s);
  EXPECT_FALSE(due.retry_handshake);
  std::tie(at, due) = next();
  EXPECT_EQ(at, 8s);
  EXPECT_TRUE(due.deferred_handshake);
}

TEST_F(PeerTimersTest, DataWithoutAnswerBringsANewHandshake) {
  timers.on_transport_sent(start, true);
  timers.on_transport_sent(start + 7s, true);  // does not put it off
  const auto [at, due] = next();
  EXPECT_GE(at, 15s);
  EXPECT_LE(at, 15s + 333ms);
  EXPECT_TRUE(due.new_handshake);
}

TEST_F(PeerTimersTest, AnythingAuthenticIsAnAnswer) {
  timers.on_transport_sent(start, true);
  timers.on_transport_received(start + 1s, false);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
  timers.on_transport_sent(start, true);
  timers.on_handshake_received(start + 1s);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
  // Keepalives want none.
  timers.on_transport_sent(start, false);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, DataIsAnsweredWithAKeepaliveAfterTenSeconds) {
  timers.on_transport_received(start, true);
  const auto [at, due] = next();
  EXPECT_EQ(at, 10s);
  EXPECT_TRUE(due.keepalive);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, MoreDataMeanwhileWantsAnotherKeepalive) {
  timers.on_transport_received(start, true);
  timers.on_transport_received(start + 5s, true);
  auto [at, due] = next();
  EXPECT_EQ(at, 10s);
  EXPECT_TRUE(due.keepalive);
  std::tie(at, due) = next();
  EXPECT_EQ(at, 20s);
  EXPECT_TRUE(due.keepalive);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, AnythingSentTakesTheKeepalivesPlace) {
  timers.on_transport_received(start, true);
  timers.on_transport_received(start + 5s, true);
  timers.on_transport_sent(start + 6s, false);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
  timers.on_transport_received(start, true);
  timers.on_response_sent(start + 1s);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, KeepalivesAreNotAnswered) {
  timers.on_transport_received(start, false);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, PersistentKeepaliveBeginsAtOnceAndFollowsAllTraffic) {
  timers.set_persistent_keepalive(25s);
  EXPECT_LE(timers.next_deadline(), start);
  EXPECT_TRUE(timers.handle_timeout(start).keepalive);
  EXPECT_EQ(timers.next_deadline(), start + 25s);
  timers.on_transport_received(start + 3s, false);
  EXPECT_EQ(timers.next_deadline(), start + 28s);
  timers.on_transport_sent(start + 4s, false);
  EXPECT_EQ(timers.next_deadline(), start + 29s);
  EXPECT_TRUE(timers.handle_timeout(start + 29s).keepalive);
  EXPECT_EQ(timers.next_deadline(), start + 54s);
  timers.set_persistent_keepalive(0s);
  EXPECT_EQ(timers.next_deadline(), PeerTimers::never);
}

TEST_F(PeerTimersTest, DroppingSessionsLeavesOnlyPersistentKeepalives) {
  timers.set_persistent_keepalive(25s);
  timers.handle_timeout(start);
  timers.on_initiation_sent(start);
  timers.on_transport_sent(start, true);
  timers.on_transport_received(start, true);
  timers.on_session_derived(start);
  timers.on_sessions_dropped();
  EXPECT_EQ(timers.next_deadline(), start + 25s);
  EXPECT_TRUE(timers.request_handshake(start));
}

}  // namespace
}  // namespace sidestream::tunnel
