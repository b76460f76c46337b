#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

// An open connection with a round trip of 10 ms and ten segments of 1000 bytes in flight, which
// fill the window, 10 ms after they left.
class LossRecoveryTest : public testing::Test {
 protected:
  void begin(std::string_view options = "mss 1000 sackok", std::size_t bytes = 10'000) {
    t.accept(options);
    t.write(bytes);
    for (std::size_t sent = 0; sent < bytes; sent += 1000) t.expect("A len 1000");
    t.expect_silence();
    t.advance(10ms);
  }
  TcpTranscript t;
};

// ---- with SACK
// ------------------------------------------------------------------------------------

TEST_F(LossRecoveryTest, SendsALostSegmentAgainWhenThreeLaterOnesArrived) {
  begin();
  t.push("A seq 1 ack 1 sack 1001-2001");
  t.push("A seq 1 ack 1 sack 1001-3001");
  t.expect_silence();
  t.push("A seq 1 ack 1 sack 1001-4001");
  t.expect("A seq 1 len 1000");
  t.expect_silence();
  t.push("A seq 1 ack 10001");
  t.expect_silence();
  EXPECT_EQ(t.status().retransmitted_segments, 1U);
}

TEST_F(LossRecoveryTest, SendsSeveralLostSegmentsInOneRoundTrip) {
  begin();
  t.push("A seq 1 ack 1 sack 5001-6001");
  t.push("A seq 1 ack 1 sack 7001-8001,5001-6001");
  t.push("A seq 1 ack 1 sack 9001-10001,7001-8001,5001-6001");
  // 1, 2, 3, 4, 5, 7 and 9 are lost. Proportional rate reduction: about as much goes out as is
  // reported to have arrived, and the first always.
  t.expect("A seq 1 len 1000");
  t.advance(5ms);
  t.push("A seq 1 ack 1001 sack 5001-6001,7001-8001,9001-10001");
  t.expect("A seq 1001 len 1000");
  t.expect("A seq 2001 len 1000");
  t.advance(5ms);
  t.push("A seq 1 ack 3001 sack 5001-6001,7001-8001,9001-10001");
  t.expect("A seq 3001 len 1000");
  t.expect("A seq 4001 len 1000");
  t.expect("A seq 6001 len 1000");
  t.push("A seq 1 ack 6001 sack 7001-8001,9001-10001");
  t.expect("A seq 8001 len 1000");
  t.push("A seq 1 ack 10001");
  EXPECT_EQ(t.status().retransmitted_segments, 7U);
  EXPECT_EQ(t.status().unacknowledged_bytes, 0U);
}

TEST_F(LossRecoveryTest, WaitsALittleBeforeItCallsReorderingLoss) {
  begin();
  t.push("A seq 1 ack 1 sack 1001-2001");
  t.advance(2ms);
  t.push("A seq 1 ack 2001");  // it was only late
  t.advance(5ms);
  t.expect_silence();
  EXPECT_EQ(t.status().retransmitted_segments, 0U);
}

TEST_F(LossRecoveryTest, DoesNotWaitLongerThanAQuarterOfTheRoundTrip) {
  begin();
  t.push("A seq 1 ack 1 sack 1001-2001");
  t.advance(2499us);
  t.expect_silence();
  t.advance(1us);
  t.expect("A seq 1 len 1000");
}

TEST_F(LossRecoveryTest, HavingSeenReorderingItNoLongerCounts) {
  begin();
  t.push("A seq 1 ack 1 sack 1001-2001");
  t.push("A seq 1 ack 2001");  // reordered by one
  while (!t.next_segment().empty()) {
  }
  t.push("A seq 1 ack 2001 sack 3001-6001");
  t.expect_silence();  // three later ones, but time decides now
  t.advance(2500us);
  t.expect("A seq 2001 len 1000");
}

TEST_F(LossRecoveryTest, FindsALostRetransmission) {
  begin("mss 1000 sackok", 10'000);
  t.write(5000);
  t.push("A seq 1 ack 1 sack 1001-4001");
  t.expect("A seq 1 len 1000");
  t.advance(5ms);
  t.push("A seq 1 ack 1 sack 1001-10001");
  std::string words = t.next_segment();  // new segments, sent after the retransmission
  ASSERT_TRUE(words.starts_with("A seq 10001")) << words;
  t.advance(10ms);
  while (!t.next_segment().empty()) {
  }
  t.push("A seq 1 ack 1 sack 1001-11001");
  t.expect("A seq 1 len 1000");  // long before the timer, which would be 210 ms
  EXPECT_EQ(t.status().retransmitted_segments, 2U);
}

TEST_F(LossRecoveryTest, HalvesLessThanHalf) {
  begin();
  EXPECT_EQ(t.status().congestion_window_bytes, 10'000U);
  t.push("A seq 1 ack 1 sack 1001-4001");
  t.expect("A seq 1 len 1000");
  t.advance(10ms);
  t.push("A seq 1 ack 10001");
  EXPECT_EQ(t.status().congestion_window_bytes, 7000U);  // RFC 9438: 0.7
}

TEST_F(LossRecoveryTest, ReducesOncePerRoundTrip) {
  begin();
  t.push("A seq 1 ack 1 sack 1001-4001");
  t.expect("A seq 1 len 1000");
  t.advance(10ms);
  t.push("A seq 1 ack 4001 sack 5001-10001");
  t.expect("A seq 4001 len 1000");
  t.push("A seq 1 ack 10001");
  EXPECT_EQ(t.status().congestion_window_bytes, 7000U);
}

TEST_F(LossRecoveryTest, TrustsNoImpossibleBlocks) {
  begin();
  t.push("A seq 1 ack 1 sack 10001-11001,20001-30001,3001-2001,4294960000-500");
  t.push("A seq 1 ack 1 sack 1001-1001");
  t.advance(9ms);
  t.expect_silence();
  EXPECT_EQ(t.status().retransmitted_segments, 0U);
}

TEST_F(LossRecoveryTest, CountsASegmentOnlyWhenAllOfItArrived) {
  begin();
  t.push("A seq 1 ack 1 sack 1001-3501");  // only two are whole
  t.expect_silence();
  t.push("A seq 1 ack 1 sack 1001-4501");
  t.expect("A seq 1 len 1000");
  t.push("A seq 1 ack 4501");
  t.push("A seq 1 ack 5001");
  EXPECT_EQ(t.status().unacknowledged_bytes, 5000U);
}

TEST_F(LossRecoveryTest, SendsAgainWhatThePeerTookBack) {
  begin("mss 1000 sackok", 3000);
  t.push("A seq 1 ack 1 sack 1001-3001");
  t.advance(3ms);
  t.expect("A seq 1 len 1000");
  t.advance(7ms);
  t.push("A seq 1 ack 1001");  // and no SACK: it dropped what it had
  t.advance(250ms);
  t.expect("A seq 1001 len 1000");  // RFC 2018 section 8: after the timeout
  t.push("A seq 1 ack 2001");
  t.expect("A seq 2001 len 1000");
  t.push("A seq 1 ack 3001");
  EXPECT_EQ(t.status().unacknowledged_bytes, 0U);
}

// ---- tail loss probes (RFC 8985 section 7)
// --------------------------------------------------------

TEST_F(LossRecoveryTest, ProbesForALostTail) {
  begin("mss 1000 sackok", 5000);
  t.push("A seq 1 ack 2001");  // 3, 4 and 5 are lost
  t.advance(19ms);
  t.expect_silence();
  t.advance(1ms);
  t.expect("A seq 4001 len 1000");  // two round trips later
  t.advance(10ms);
  t.push("A seq 1 ack 2001 sack 4001-5001");
  t.advance(3ms);
  t.expect("A seq 2001 len 1000");
  t.advance(10ms);
  t.push("A seq 1 ack 3001 sack 4001-5001");
  t.expect("A seq 3001 len 1000");
  t.advance(10ms);
  t.push("A seq 1 ack 5001");
  EXPECT_EQ(t.status().unacknowledged_bytes, 0U);
  EXPECT_EQ(t.status().retransmitted_segments, 3U);
}

TEST_F(LossRecoveryTest, ProbesWithNewTextWhenThereIsSome) {
  begin();
  t.write(2000);  // waits: the window is full
  t.expect_silence();
  t.advance(10ms);
  t.expect("A seq 10001 len 1000");
  t.advance(100ms);
  t.expect_silence();
  EXPECT_EQ(t.status().retransmitted_segments, 0U);
}

TEST_F(LossRecoveryTest, AProbeThatRepairedTheLossCountsAsCongestion) {
  begin("mss 1000 sackok", 3000);
  t.push("A seq 1 ack 2001");
  const std::size_t before = t.status().congestion_window_bytes;
  t.advance(220ms);
  t.expect("A seq 2001 len 1000");
  t.push("A seq 1 ack 3001");
  t.write(1000);
  t.expect("A seq 3001 len 1000");
  t.push("A seq 1 ack 4001");
  EXPECT_LT(t.status().congestion_window_bytes, before);
}

TEST_F(LossRecoveryTest, AProbeThatWasNeedlessDoesNot) {
  begin("mss 1000 sackok", 3000);
  t.push("A seq 1 ack 2001");
  const std::size_t before = t.status().congestion_window_bytes;
  t.advance(220ms);
  t.expect("A seq 2001 len 1000");
  t.push("A seq 1 ack 3001");
  t.push("A seq 1 ack 3001 sack 2001-3001");  // DSACK: both came
  t.write(1000);
  t.expect("A seq 3001 len 1000");
  t.push("A seq 1 ack 4001");
  EXPECT_GE(t.status().congestion_window_bytes, before);
}

// ---- the retransmission timer (RFC 6298)
// ----------------------------------------------------------

TEST_F(LossRecoveryTest, BacksOffWhenNothingComesBack) {
  begin("mss 1000", 1000);  // no SACK, so no probes
  t.advance(199ms);
  t.expect_silence();
  t.advance(1ms);  // 10 ms + 200 ms after it was sent
  for (const auto wait : {420ms, 840ms, 1680ms, 3360ms}) {
    t.expect("A seq 1 len 1000");
    t.advance(wait - 1ms);
    t.expect_silence();
    t.advance(1ms);
  }
  t.expect("A seq 1 len 1000");
  // The first acknowledgment ends the backoff.
  t.push("A seq 1 ack 1001");
  t.write(1000);
  t.expect("A seq 1001 len 1000");
  t.advance(8s);
  EXPECT_GE(t.status().retransmitted_segments, 8U);
}

TEST_F(LossRecoveryTest, StartsWithOneSegmentAfterATimeout) {
  begin("mss 1000", 10'000);
  t.advance(200ms);
  t.expect("A seq 1 len 1000");
  t.expect_silence();
  EXPECT_EQ(t.status().congestion_window_bytes, 1000U);
  t.push("A seq 1 ack 1001");
  t.expect("A seq 1001 len 1000");
  t.expect("A seq 2001 len 1000");
  t.expect_silence();
}

TEST_F(LossRecoveryTest, AfterATimeoutSendsOnlyWhatIsMissing) {
  begin("mss 1000 sackok", 4000);
  t.push("A seq 1 ack 1 sack 1001-2001");
  t.advance(3ms);
  t.expect("A seq 1 len 1000");  // lost again, and nothing comes back
  t.advance(300ms);
  t.expect("A seq 1 len 1000");
  t.push("A seq 1 ack 2001");
  t.expect("A seq 2001 len 1000");
  t.expect("A seq 3001 len 1000");
  t.expect_silence();
}

// ---- mistakes
// -------------------------------------------------------------------------------------

TEST_F(LossRecoveryTest, TakesTheReductionBackWhenTimestampsShowThatNothingWasLost) {
  begin("mss 988 sackok ts 5:0", 0);
  t.write(9760);
  for (int i = 0; i < 10; ++i) t.expect("A len 976");
  t.advance(10ms);
  t.push("A seq 1 ack 1 ts 20:20 sack 977-3905");
  t.expect("A seq 1 len 976");
  const std::size_t reduced = t.status().congestion_window_bytes;
  t.advance(2ms);
  // The original arrives: the echo is of the time when it was sent, 20 ms, not of the
  // retransmission, which left at 30.
  t.push("A seq 1 ack 3905 ts 22:20");
  EXPECT_GT(t.status().congestion_window_bytes, reduced);
  EXPECT_GE(t.status().congestion_window_bytes, 9760U);
}

TEST_F(LossRecoveryTest, KeepsTheReductionWhenTheRetransmissionArrived) {
  begin("mss 988 sackok ts 5:0", 0);
  t.write(9760);
  for (int i = 0; i < 10; ++i) t.expect("A len 976");
  t.advance(10ms);
  t.push("A seq 1 ack 1 ts 20:20 sack 977-3905");
  t.expect("A seq 1 len 976");
  t.advance(10ms);
  t.push("A seq 1 ack 9761 ts 30:30");
  EXPECT_LT(t.status().congestion_window_bytes, 7500U);
}

TEST_F(LossRecoveryTest, TakesTheReductionBackWhenDsackShowsThatAllArrivedTwice) {
  begin();
  t.push("A seq 1 ack 1 sack 1001-4001");
  t.expect("A seq 1 len 1000");
  t.advance(5ms);
  t.push("A seq 1 ack 10001");
  EXPECT_LE(t.status().congestion_window_bytes, 7000U);
  t.push("A seq 1 ack 10001 sack 1-1001");
  EXPECT_GE(t.status().congestion_window_bytes, 10'000U);
}

TEST_F(LossRecoveryTest, ASpuriousTimeoutSendsNothingElseAgain) {
  begin("mss 988 sackok ts 5:0", 0);
  t.write(9760);
  for (int i = 0; i < 10; ++i) t.expect("A len 976");
  t.advance(230ms);                // the line was silent for a while
  t.expect("A seq 8785 len 976");  // the probe
  t.expect("A seq 1 len 976");     // the timer
  EXPECT_EQ(t.status().congestion_window_bytes, 976U);
  t.push("A seq 1 ack 977 ts 240:20");
  EXPECT_GE(t.status().congestion_window_bytes, 9760U);
  t.push("A seq 1 ack 9761 ts 241:20");
  t.expect_silence();
  EXPECT_EQ(t.status().retransmitted_segments, 2U);
}

// ---- without SACK (RFC 6582)
// ----------------------------------------------------------------------

TEST_F(LossRecoveryTest, CountsDuplicateAcknowledgmentsWithoutSack) {
  begin("mss 1000", 10'000);
  t.push("A seq 1 ack 1");
  t.push("A seq 1 ack 1");
  t.expect_silence();
  t.push("A seq 1 ack 1");
  t.expect("A seq 1 len 1000");
  t.expect_silence();
  for (int i = 0; i < 6; ++i) t.push("A seq 1 ack 1");
  t.push("A seq 1 ack 10001");
  EXPECT_EQ(t.status().retransmitted_segments, 1U);
}

TEST_F(LossRecoveryTest, APartialAcknowledgmentShowsTheNextHole) {
  begin("mss 1000", 10'000);
  for (int i = 0; i < 3; ++i) t.push("A seq 1 ack 1");
  t.expect("A seq 1 len 1000");
  t.advance(10ms);
  t.push("A seq 1 ack 4001");
  t.expect("A seq 4001 len 1000");
  t.push("A seq 1 ack 10001");
  EXPECT_EQ(t.status().retransmitted_segments, 2U);
}

TEST_F(LossRecoveryTest, WindowUpdatesAreNoDuplicates) {
  begin("mss 1000", 10'000);
  t.push("A seq 1 ack 1 win 50000");
  t.push("A seq 1 ack 1 win 40000");
  t.push("A seq 1 ack 1 win 30000");
  t.push("A seq 1 ack 1 win 20000");
  t.expect_silence();
}

TEST_F(LossRecoveryTest, SegmentsWithTextAreNoDuplicates) {
  begin("mss 1000", 10'000);
  for (int i = 0; i < 4; ++i) t.push("A seq " + std::to_string(1 + 10 * i) + " ack 1 len 10");
  t.advance(40ms);
  t.expect("A seq 10001 ack 41 len 0");
  t.expect_silence();
}

}  // namespace
}  // namespace sidestream::tunnel
