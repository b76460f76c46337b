// What the retransmission timer and its mistakes do to a recovery.
#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

// As in loss_recovery_test: ten segments of 1000 bytes in flight, 10 ms after they left.
class LossRecoveryTimerTest : public testing::Test {
 protected:
  void begin(std::string_view options, std::size_t bytes) {
    t.accept(options);
    t.write(bytes);
    for (std::size_t sent = 0; sent < bytes; sent += 1000) t.expect("A len 1000");
    t.expect_silence();
    t.advance(10ms);
  }
  TcpTranscript t;
};

TEST_F(LossRecoveryTimerTest, TheAnswerToAnEarlierRetransmissionProvesNothing) {
  begin("mss 988 sackok ts 5:0", 0);
  t.write(9760);
  for (int i = 0; i < 10; ++i) t.expect("A len 976");
  t.advance(10ms);
  t.push("A seq 1 ack 1 ts 20:20 sack 977-3905");  // sent at 20, again at 30
  t.expect("A seq 1 len 976");
  const std::size_t reduced = t.status().congestion_window_bytes;
  t.advance(230ms);  // the timer sends it a third time, at 260
  while (!t.next_segment().empty()) {
  }
  ASSERT_EQ(t.status().congestion_window_bytes, 976U);
  // What arrives is the first retransmission: the loss was real.
  t.push("A seq 1 ack 3905 ts 265:30");
  EXPECT_LE(t.status().congestion_window_bytes, reduced);
}

TEST_F(LossRecoveryTimerTest, TheTimerWaitsForTheRetransmissionOfTheFirstSegment) {
  begin("mss 1000 sackok", 10'000);
  t.advance(100ms);
  t.expect("A seq 9001 len 1000");  // the probe; the timer waits until 240 ms
  t.push("A seq 1 ack 1 sack 1001-4001");
  t.expect("A seq 1 len 1000");
  t.advance(190ms);
  EXPECT_GT(t.status().congestion_window_bytes, 1000U);
  EXPECT_EQ(t.status().retransmitted_segments, 2U);
  t.push("A seq 1 ack 10001");
  t.expect_silence();
}

}  // namespace
}  // namespace sidestream::tunnel
