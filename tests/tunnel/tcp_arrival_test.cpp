#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

// ---- RST (RFC 5961 section 3) -------------------------------------------------------------------

TEST(TcpArrival, EndsByAResetAtTheNumberExpected) {
  TcpTranscript t;
  t.accept();
  t.push("R seq 1");
  t.expect_silence();
  t.expect_event("closed reset");
  EXPECT_EQ(t.read_error(), TcpError::reset);
  EXPECT_EQ(t.write(5), 0U);
}

TEST(TcpArrival, ChallengesAResetElsewhereInTheWindow) {
  TcpTranscript t;
  t.accept();
  t.push("R seq 2");
  t.expect("A seq 1 ack 1");
  t.push("R seq 100");  // not again so soon
  t.expect_silence();
  t.advance(500ms);
  t.push("R seq 100");
  t.expect("A seq 1 ack 1");
  t.expect_no_event();
  t.push("R seq 1");  // the peer's answer to the challenge, if it meant it
  t.expect_event("closed reset");
}

TEST(TcpArrival, IgnoresAResetOutsideTheWindow) {
  TcpTranscript t;
  t.accept();
  t.push("R seq 900000");
  t.push("R seq 0");
  t.expect_silence();
  t.expect_no_event();
}

// ---- SYN (RFC 5961 section 4) -------------------------------------------------------------------

TEST(TcpArrival, ChallengesASynOnAnOpenConnection) {
  TcpTranscript t;
  t.accept();
  t.push("S seq 50");
  t.expect("A seq 1 ack 1");
  t.advance(1s);
  t.push("S seq 3000000");
  t.expect("A seq 1 ack 1");
  t.expect_no_event();
}

TEST(TcpArrival, RepeatsTheAcknowledgmentForARepeatedSynAck) {
  TcpTranscript t;  // ours was lost
  t.connect();
  t.expect("S seq 0");
  t.push("SA seq 0 ack 1 mss 1000");
  t.expect("A seq 1 ack 1");
  t.push("SA seq 0 ack 1 mss 1000");
  t.expect("A seq 1 ack 1");
}

// ---- ACK (RFC 5961 section 5) -------------------------------------------------------------------

TEST(TcpArrival, ChallengesAnAcknowledgmentOfTheFuture) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 5 len 10");
  t.expect("A seq 1 ack 1");
  t.expect_no_event();  // its text was not taken
}

TEST(TcpArrival, ChallengesAnAcknowledgmentFromLongAgo) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 3000000000 len 10");
  t.expect("A seq 1 ack 1");
  t.expect_no_event();
}

TEST(TcpArrival, TakesTextWithAnOldAcknowledgment) {
  TcpTranscript t;
  t.accept();
  t.write(100);
  t.expect("A seq 1 len 100");
  t.push("A seq 1 ack 101");
  t.push("A seq 1 ack 1 len 10");
  t.expect_event("readable");
  EXPECT_EQ(t.read(100), 10U);
}

TEST(TcpArrival, DropsWhatAcknowledgesNothing) {
  TcpTranscript t;
  t.accept();
  t.push("- seq 1 len 10");
  t.expect_silence();
  t.expect_no_event();
}

// ---- acceptability (RFC 9293 section 3.10.7.4, first)
// ---------------------------------------------

TEST(TcpArrival, AnswersTextOutsideTheWindow) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 200000 ack 1 len 10");
  t.expect("A seq 1 ack 1");
  t.push("A seq 0 ack 1 len 1");  // a keepalive with a byte of garbage
  t.expect("A seq 1 ack 1");
  t.expect_no_event();
}

TEST(TcpArrival, AnswersAKeepaliveWithoutText) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 0 ack 1");
  t.expect("A seq 1 ack 1");
}

TEST(TcpArrival, DoesNotAnswerAnswersForEver) {
  TcpTranscript t;
  t.accept();
  for (int i = 0; i < 10; ++i) t.push("A seq 200000 ack 1");
  t.expect("A seq 1 ack 1");
  t.expect_silence();
}

TEST(TcpArrival, TrimsTextThatWasReceivedBefore) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 len 100");
  t.push("A seq 51 ack 1 len 100");
  t.expect("A seq 1 ack 151 sack 51-101");  // DSACK
  t.expect_event("readable");
  EXPECT_EQ(t.read(1000), 150U);
}

TEST(TcpArrival, TrimsTextBehindTheWindow) {
  TcpLimits limits;
  limits.receive_window_bytes_initial = limits.receive_window_bytes_max = 1000;
  TcpTranscript t(limits);
  t.accept();
  t.push("FA seq 1 ack 1 len 1500");
  t.expect("A seq 1 ack 1001 win 0");
  t.expect_event("readable");
  EXPECT_EQ(t.read(2000), 1000U);
  t.expect("A seq 1 ack 1001 win 1000");
  EXPECT_FALSE(t.at_end());  // the FIN was behind the window too
}

TEST(TcpArrival, TakesAcknowledgmentsWhileTheWindowIsShut) {
  TcpLimits limits;
  limits.receive_window_bytes_initial = limits.receive_window_bytes_max = 1000;
  TcpTranscript t(limits);
  t.accept();
  t.write(10);
  t.expect("A seq 1 len 10");
  t.push("A seq 1 ack 1 len 1000");
  t.advance(40ms);
  t.expect("A seq 11 ack 1001 win 0");
  t.push("A seq 1001 ack 11 len 1");  // a probe of our window
  t.expect("A seq 11 ack 1001 win 0");
  EXPECT_EQ(t.status().unacknowledged_bytes, 0U);
  t.push("R seq 1001");
  t.forget_events();
  EXPECT_EQ(t.read_error(), TcpError::reset);
}

// ---- PAWS (RFC 7323 section 5)
// --------------------------------------------------------------------

TEST(TcpArrival, DropsSegmentsFromAnEarlierTurnOfTheNumbers) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ts 9:0");
  t.push("A seq 1 ack 1 len 10 ts 20:0");
  t.forget_events();
  t.push("A seq 11 ack 1 len 10 ts 19:0");
  t.expect("A seq 1 ack 11");
  t.expect_no_event();
  EXPECT_EQ(t.read(100), 10U);
  t.push("A seq 11 ack 1 len 10 ts 20:0");
  EXPECT_EQ(t.read(100), 10U);
}

TEST(TcpArrival, BelievesATimestampAfterALongSilence) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ts 4000000000:0");
  // The peer's clock has turned: 4000000000 + 25 days of milliseconds is small again, and before
  // ts.recent by the rule of PAWS.
  t.advance(25 * 24h);
  t.push("A seq 1 ack 1 len 10 ts 1752516352:0");
  EXPECT_EQ(t.read(100), 10U);
}

TEST(TcpArrival, WantsATimestampInEverySegment) {
  TcpTranscript t;
  t.accept("mss 1000 ts 9:0");
  t.push("A seq 1 ack 1 len 10");
  t.expect_silence();
  t.expect_no_event();
  t.push("R seq 1");  // but in a reset
  t.expect_event("closed reset");
}

TEST(TcpArrival, EchoesTheTimestampOfTheSegmentThatIsAcknowledgedFirst) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ts 9:0");
  t.push("A seq 1 ack 1 len 10 ts 30:0");
  t.push("A seq 11 ack 1 len 10 ts 31:0");  // later than what the acknowledgment waits for
  t.advance(40ms);
  t.expect("A seq 1 ack 21 ts 50:30");
  // Out of order: not echoed, so that the peer measures to the segment that fills the hole.
  t.push("A seq 31 ack 1 len 10 ts 40:0");
  t.expect("A seq 1 ack 21 ts 50:30 sack 31-41");
}

// ---- FIN and the states behind it
// -----------------------------------------------------------------

TEST(TcpArrival, ClosesWhenThePeerClosesFirst) {
  TcpTranscript t;
  t.accept();
  t.push("FA seq 1 ack 1 len 10");
  t.expect("A seq 1 ack 12");  // CLOSE-WAIT
  t.expect_event("readable");
  EXPECT_EQ(t.read(100), 10U);
  EXPECT_TRUE(t.at_end());
  t.write(5);
  t.expect("A seq 1 ack 12 len 5");
  t.close_write();
  t.expect("FA seq 6 ack 12");  // LAST-ACK
  t.expect_no_event();
  t.push("A seq 12 ack 7");
  t.expect_event("closed");
  t.expect_silence();
  // CLOSED: nobody is there any more.
  t.push("A seq 12 ack 7");
  t.expect("R seq 7");
}

TEST(TcpArrival, ClosesWhenWeCloseFirst) {
  TcpTranscript t;
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");  // FIN-WAIT-1
  t.push("A seq 1 ack 2");     // FIN-WAIT-2
  t.push("A seq 1 ack 2 len 300");
  t.expect_event("readable");
  EXPECT_EQ(t.read(1000), 300U);  // half closed: their direction goes on
  t.push("FA seq 301 ack 2");     // TIME-WAIT
  t.expect("A seq 2 ack 302");
  t.expect_event("closed");
  EXPECT_TRUE(t.at_end());
}

TEST(TcpArrival, TellsOfTheEndBeforeTheClose) {
  TcpTranscript t;
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");
  t.push("FA seq 1 ack 2");
  t.expect("A seq 2 ack 2");
  t.expect_event("readable");
  t.expect_event("closed");
  EXPECT_TRUE(t.at_end());
}

TEST(TcpArrival, ClosesFromBothSidesAtOnce) {
  TcpTranscript t;
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");
  t.push("FA seq 1 ack 1");  // CLOSING
  t.expect("A seq 2 ack 2");
  t.expect_event("readable");
  t.expect_no_event();
  t.push("A seq 2 ack 2");  // TIME-WAIT
  t.expect_event("closed");
  t.expect_silence();
}

TEST(TcpArrival, GoesStraightToTimeWaitWhenTheFinAcknowledgesOurs) {
  TcpTranscript t;
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");
  t.push("FA seq 1 ack 2");
  t.expect("A seq 2 ack 2");
  EXPECT_EQ(t.stack().connection_count(), 1U);  // until the user lets go
  t.release();
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(TcpArrival, AcknowledgesARepeatedFin) {
  TcpTranscript t;
  t.accept();
  t.push("FA seq 1 ack 1");
  t.expect("A seq 1 ack 2");
  t.push("FA seq 1 ack 1");
  t.expect("A seq 1 ack 2");
}

TEST(TcpArrival, TakesNoTextBehindTheFin) {
  TcpTranscript t;
  t.accept();
  t.push("FA seq 1 ack 1 len 10");
  t.expect("A seq 1 ack 12");
  t.push("A seq 12 ack 1 len 10");
  t.expect("A seq 1 ack 12");
  EXPECT_EQ(t.read(100), 10U);
  EXPECT_TRUE(t.at_end());
}

TEST(TcpArrival, KeepsAFinThatComesBeforeItsText) {
  TcpTranscript t;
  t.accept();
  t.push("FA seq 101 ack 1 len 100");
  t.expect("A seq 1 ack 1 sack 101-201");
  t.push("A seq 1 ack 1 len 100");
  t.expect("A seq 1 ack 202");
  EXPECT_EQ(t.read(1000), 200U);
  EXPECT_TRUE(t.at_end());
}

TEST(TcpArrival, RepeatsOurFin) {
  TcpTranscript t;
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");
  t.advance(209ms);
  t.expect_silence();
  t.advance(1ms);
  t.expect("FA seq 1 ack 1");
}

TEST(TcpArrival, ResetInLastAckIsAReset) {
  TcpTranscript t;
  t.accept();
  t.push("FA seq 1 ack 1");
  t.expect("A seq 1 ack 2");
  t.close_write();
  t.expect("FA seq 1 ack 2");
  t.forget_events();
  t.push("R seq 2");
  t.expect_event("closed reset");
}

}  // namespace
}  // namespace sidestream::tunnel
