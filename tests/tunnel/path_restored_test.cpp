// A path that carried nothing for a while carries again.
#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

TEST(PathRestored, ARestoredPathNeedNotWaitForTheDoubledTimer) {
  TcpTranscript t;
  t.accept("mss 1000 sackok");
  t.write(1000);
  t.expect("A len 1000");
  t.expect_silence();
  unsigned again = 0;
  for (int second = 0; second < 30; ++second) {
    t.advance(1s);
    while (!t.next_segment().empty()) ++again;
  }
  EXPECT_LE(again, 9U);  // doubled each time: the next one is due in many seconds
  t.stack().handle_path_restored(t.now());
  t.write(0);  // looks at what is to be sent
  t.expect("A seq 1 len 1000");
  t.expect_silence();
  t.push("A seq 1 ack 1001");
  t.expect_silence();
}

TEST(PathRestored, ARestoredPathLeavesAloneWhatIsJustOnItsWay) {
  TcpTranscript t;
  t.accept("mss 1000 sackok");
  t.write(3000);
  for (int i = 0; i < 3; ++i) t.expect("A len 1000");
  t.advance(10ms);
  t.stack().handle_path_restored(t.now());
  t.write(0);  // looks at what is to be sent
  t.expect_silence();
  EXPECT_EQ(t.status().retransmitted_segments, 0U);
}

TEST(PathRestored, ASynThatWasLostIsSentAgainAtOnce) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0");
  t.advance(100ms);
  t.expect_silence();
  t.stack().handle_path_restored(t.now());
  t.write(0);  // looks at what is to be sent
  t.expect("S seq 0");
  t.expect_silence();
}

// What had arrived before the path died is acknowledged minutes later: that is no round trip.
TEST(PathRestored, TheTimeOfADeadPathIsNoRoundTrip) {
  TcpTranscript t;
  t.accept("mss 1000 sackok");
  t.write(3000);
  for (int i = 0; i < 3; ++i) t.expect("A len 1000");
  const Duration before = t.status().smoothed_rtt;
  for (int second = 0; second < 50; ++second) {
    t.advance(1s);
    while (!t.next_segment().empty()) {
    }
  }
  t.push("A seq 1 ack 3001");
  EXPECT_EQ(t.status().unacknowledged_bytes, 0U);
  EXPECT_EQ(t.status().smoothed_rtt, before);
}

TEST(PathRestored, ARestoredPathIsAskedForAShutWindowAtOnce) {
  TcpTranscript t;
  t.accept("mss 1000 sackok");
  t.push("A seq 1 ack 1 win 0");
  t.write(1000);
  for (int second = 0; second < 30; ++second) {
    t.advance(1s);
    while (!t.next_segment().empty()) {
    }
  }
  t.expect_silence();
  t.stack().handle_path_restored(t.now());
  t.write(0);  // looks at what is to be sent
  t.expect("A seq 0");
  t.expect_silence();
}

}  // namespace
}  // namespace sidestream::tunnel
