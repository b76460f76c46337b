#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

std::size_t count_segments(TcpTranscript& t) {
  std::size_t count = 0;
  while (!t.next_segment().empty()) ++count;
  return count;
}

// ---- what makes a segment
// -------------------------------------------------------------------------

TEST(TcpSender, SendsSmallWritesAtOnce) {
  TcpTranscript t;  // no Nagle
  t.accept();
  t.write(1);
  t.expect("A seq 1 len 1");
  t.write(1);
  t.expect("A seq 2 len 1");
}

TEST(TcpSender, BeginsWithTenSegments) {
  TcpTranscript t;
  t.accept();
  t.write(50'000);
  EXPECT_EQ(count_segments(t), 10U);
}

TEST(TcpSender, DoublesInEveryRoundTripOfSlowStart) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ws 7");
  t.push("A seq 1 ack 1 win 60000");
  t.write(200'000);
  EXPECT_EQ(count_segments(t), 10U);
  std::uint64_t acknowledged = 1;
  std::size_t in_flight = 10;
  for (const std::size_t window : {20U, 40U, 80U}) {
    t.advance(10ms);
    acknowledged += 1000 * in_flight;
    t.push("A seq 1 ack " + std::to_string(acknowledged));
    EXPECT_EQ(t.status().congestion_window_bytes, 1000 * window);
    t.advance(5ms);
    in_flight = count_segments(t);
    EXPECT_EQ(in_flight, window);
  }
}

TEST(TcpSender, KeepsWithinThePeersWindow) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 win 2500");
  t.write(5000);
  t.expect("A seq 1 len 1000");
  t.expect("A seq 1001 len 1000");
  t.expect_silence();  // 500 more would be silly (RFC 9293 section 3.8.6.2.1)
  t.push("A seq 1 ack 1001 win 2500");
  t.expect("A seq 2001 len 1000");
  t.push("A seq 1 ack 3001 win 2500");
  t.expect("A seq 3001 len 1000");
  t.expect("A seq 4001 len 1000");
}

TEST(TcpSender, TakesHalfOfASmallWindow) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0 win 600 mss 1000");
  t.expect("SA seq 0 ack 1");
  t.push("A seq 1 ack 1 win 600");
  t.write(5000);
  t.expect("A seq 1 len 600");
  t.push("A seq 1 ack 601 win 300");
  t.expect("A seq 601 len 300");
}

TEST(TcpSender, AnOldSegmentDoesNotChangeTheWindow) {
  TcpTranscript t;  // SND.WL1 and SND.WL2
  t.accept();
  t.push("A seq 1 ack 1 len 10 win 3000");
  t.push("A seq 11 ack 1 win 1000");
  t.push("A seq 1 ack 1 len 10 win 9000");  // the first one again
  count_segments(t);
  t.write(5000);
  EXPECT_EQ(count_segments(t), 1U);
}

TEST(TcpSender, ARetransmissionThatAcknowledgesMoreBringsItsWindow) {
  TcpTranscript t;  // its SEG.SEQ is behind SND.WL1
  t.accept();
  t.push("A seq 1001 ack 1 len 1000 win 3000");  // the one before it was lost
  t.expect("A seq 1 ack 1 sack 1001-2001");
  t.write(3000);
  EXPECT_EQ(count_segments(t), 3U);
  t.push("A seq 1 ack 3001 len 1000 win 0");
  t.write(1000);
  t.expect("A seq 3001 ack 2001 len 0");
  t.expect_silence();
}

TEST(TcpSender, SurvivesAWindowThatShrinks) {
  TcpTranscript t;
  t.accept();
  t.write(4000);
  EXPECT_EQ(count_segments(t), 4U);
  t.push("A seq 1 ack 1001 win 500");
  t.write(1000);
  t.expect_silence();
  // What is outside of the window now is not pushed out again but for the first of it.
  t.push("A seq 1 ack 1001 win 500 len 5");
  t.advance(40ms);
  while (true) {
    const std::string words = t.next_segment();
    if (words.empty()) break;
    EXPECT_FALSE(words.find("seq 5001") != std::string::npos) << words;
  }
  t.push("A seq 6 ack 4001 win 5000");
  t.expect("A seq 4001 len 1000");
}

TEST(TcpSender, AcknowledgesWithASequenceNumberInsideAShrunkenWindow) {
  TcpTranscript t;
  t.accept();
  t.write(4000);
  EXPECT_EQ(count_segments(t), 4U);
  t.push("A seq 1 ack 1001 win 500");
  t.push("A seq 100 ack 1001 win 500 len 5");
  t.expect("A seq 1501 ack 1 sack 100-105");
}

// ---- the persist timer (RFC 9293 section 3.8.6.1)
// --------------------------------------------------

TEST(TcpSender, ProbesAShutWindowForEver) {
  TcpLimits limits;
  limits.user_timeout = 30s;
  limits.rto_max = 10s;
  TcpTranscript t(limits);
  t.accept();
  t.push("A seq 1 ack 1 win 0");
  t.write(100);
  t.expect_silence();
  for (const auto wait : {210ms, 420ms, 840ms, 1680ms, 3360ms, 6720ms, 10'000ms, 10'000ms}) {
    t.advance(wait - 1ms);
    t.expect_silence();
    t.advance(1ms);
    t.expect("A seq 0 ack 1 len 0");
    t.push("A seq 1 ack 1 win 0");
  }
  for (int i = 0; i < 1000; ++i) {
    t.advance(10s);
    t.push("A seq 1 ack 1 win 0");
  }
  t.expect_no_event();
  count_segments(t);
  t.push("A seq 1 ack 1 win 100");
  t.expect("A seq 1 len 100");
}

TEST(TcpSender, GivesUpAPeerThatDoesNotAnswerProbes) {
  TcpLimits limits;
  limits.user_timeout = 30s;
  TcpTranscript t(limits);
  t.accept();
  t.push("A seq 1 ack 1 win 0");
  t.write(100);
  t.advance(29s);
  t.expect_no_event();
  t.advance(1s);
  t.expect_event("closed timed_out");
}

TEST(TcpSender, SendsWhatFitsWhenTheWindowStaysSmall) {
  TcpTranscript t;  // RFC 1122 section 4.2.3.4: the override timeout
  t.accept();
  t.push("A seq 1 ack 1 win 50");
  t.write(1000);
  t.expect_silence();
  t.advance(210ms);
  t.expect("A seq 1 len 50");
}

TEST(TcpSender, AWindowThatOpensNeedsNoTimer) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 win 0");
  t.write(1500);
  t.close_write();
  t.expect_silence();
  t.push("A seq 1 ack 1 win 1500");
  t.expect("A seq 1 len 1000");
  t.expect("A seq 1001 len 500");  // the FIN takes room in the window too
  t.push("A seq 1 ack 1501 win 1");
  t.expect("FA seq 1501 len 0");
}

// ---- the writer
// -----------------------------------------------------------------------------------

TEST(TcpSender, TakesNoMoreThanIsUseful) {
  TcpTranscript t;
  t.accept();
  // Ten segments go out; beyond that, 256 KiB wait (two windows would be less).
  const std::size_t taken = t.write(1'000'000);
  EXPECT_EQ(taken, (256U << 10U));
  EXPECT_EQ(count_segments(t), 10U);
  EXPECT_EQ(t.write(1'000'000), 10'000U);
}

TEST(TcpSender, ReleasesTheMemoryOfWhatIsAcknowledged) {
  TcpLimits limits;
  limits.memory_bytes_max = 4 * chunk_bytes;
  TcpTranscript t(limits);
  t.accept();
  const std::size_t taken = t.write(1'000'000);
  EXPECT_LE(taken, 4 * chunk_bytes);
  EXPECT_GT(taken, 3 * chunk_bytes);
  count_segments(t);
  EXPECT_EQ(t.write(1000), 0U);
  t.push("A seq 1 ack 10001");
  t.expect_event("writable");
  EXPECT_GT(t.write(1000), 0U);
}

// ---- pace
// -----------------------------------------------------------------------------------------

TEST(TcpSender, SpreadsAWindowOverTheRoundTrip) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ws 7");
  t.push("A seq 1 ack 1 win 60000");
  t.write(200'000);
  EXPECT_EQ(count_segments(t), 10U);  // the first ones at once
  t.advance(10ms);
  t.push("A seq 1 ack 10001");  // twenty may go, at 40 in 10 ms
  EXPECT_LE(count_segments(t), 6U + 16U);
  const std::size_t at_once = 20 - [&] {
    t.advance(5ms);
    return count_segments(t);
  }();
  EXPECT_LE(at_once, 20U);
}

TEST(TcpSender, BeginsAnewAfterALongSilence) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ws 7");
  t.push("A seq 1 ack 1 win 60000");
  t.write(100'000);
  std::uint64_t acknowledged = 1;
  while (acknowledged < 100'001) {
    t.advance(10ms);
    acknowledged = std::min<std::uint64_t>(acknowledged + 1000 * count_segments(t), 100'001);
    t.push("A seq 1 ack " + std::to_string(acknowledged));
  }
  EXPECT_GT(t.status().congestion_window_bytes, 40'000U);
  t.advance(60s);
  t.write(100'000);
  EXPECT_EQ(count_segments(t), 10U);
}

}  // namespace
}  // namespace sidestream::tunnel
