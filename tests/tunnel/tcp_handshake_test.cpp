#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

TEST(TcpHandshake, IsAnsweredWithTheOptionsThatThePeerOffers) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0 win 60000 mss 900 sackok ws 3 ts 77:0");
  t.expect("SA seq 0 ack 1 win 65535 mss 1000 sackok ws 8 ts 0:77");
  t.expect_no_event();
  t.push("A seq 1 ack 1 ts 78:0");
  t.expect_event("accepted");
  t.expect_no_event();
  t.expect_silence();
}

TEST(TcpHandshake, OffersNothingThatThePeerDidNotOffer) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0");
  const std::string answer = t.next_segment();
  EXPECT_EQ(answer, "SA seq 0 ack 1 len 0 win 65535 mss 1000");
  t.push("A seq 1 ack 1");
  t.expect_event("accepted");
  // No MSS option means 536 (RFC 9293 MUST-15), no scaling a window of 64 KiB at most.
  t.write(536 + 10);
  t.expect("A seq 1 ack 1 len 536 win 65535");
  t.expect("A seq 537 len 10");
}

TEST(TcpHandshake, ConnectsWithEveryOption) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0 win 65535 mss 1000 sackok ws 8 ts 0:0");
  t.expect_no_event();
  t.advance(30ms);
  t.push("SA seq 0 ack 1 win 500 mss 1000 sackok ws 7 ts 9:0");
  t.expect("A seq 1 ack 1 ts 30:9");
  t.expect_event("connected");
  t.expect_no_event();
  EXPECT_EQ(t.status().smoothed_rtt, 30ms);
  // The window of a SYN is not scaled.
  t.write(1000);
  t.expect("A seq 1 len 500");
  t.expect_silence();
  t.push("A seq 1 ack 501 win 500 ts 10:30");
  t.expect("A seq 501 len 500");
}

TEST(TcpHandshake, UsesSourcePortsThatCannotBeGuessed) {
  TcpTranscript t;
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 50; ++i) {
    t.connect();
    ports.push_back(t.status().local.port);
    EXPECT_GE(ports.back(), 32768);
  }
  std::ranges::sort(ports);
  EXPECT_EQ(std::ranges::adjacent_find(ports), ports.end());
  EXPECT_GT(ports.back() - ports.front(), 10000);
}

TEST(TcpHandshake, ScalesOnlyWhenBothDo) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0 ws 8");
  t.push("SA seq 0 ack 1 mss 1000");
  t.expect("A seq 1 ack 1 win 65535");
}

TEST(TcpHandshake, RepeatsTheSynWithBackoffAndGivesUp) {
  TcpLimits limits;
  limits.syn_retries_max = 3;
  TcpTranscript t(limits);
  t.connect();
  t.expect("S seq 0");
  for (const auto wait : {1s, 2s, 4s}) {
    t.advance(wait - 1ms);
    t.expect_silence();
    t.advance(1ms);
    t.expect("S seq 0 mss 1000 sackok ws 8");
  }
  t.advance(8s);
  t.expect_silence();
  t.expect_event("closed timed_out");
  EXPECT_EQ(t.read_error(), TcpError::timed_out);
}

// A pause of the path that ends right before a dialler's patience does is outlived.
TEST(TcpHandshake, RepeatsTheSynAsOftenAsTheLongestWaitSays) {
  TcpLimits limits;
  limits.rto_initial = 300ms;
  limits.syn_rto_max = 1s;
  TcpTranscript t(limits);
  t.connect();
  t.expect("S seq 0");
  for (const auto wait : {300ms, 600ms, 1000ms, 1000ms, 1000ms}) {
    t.advance(wait - 1ms);
    t.expect_silence();
    t.advance(1ms);
    t.expect("S seq 0 mss 1000 sackok ws 8");
  }
}

TEST(TcpHandshake, RepeatsTheSynAckAndForgets) {
  TcpLimits limits;
  limits.syn_ack_retries_max = 1;
  TcpTranscript t(limits);
  t.listen();
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  t.advance(1s);
  t.expect("SA seq 0 ack 1");
  EXPECT_EQ(t.stack().connection_count(), 1U);
  t.advance(2s);
  t.expect_silence();
  t.expect_no_event();
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(TcpHandshake, AnswersARepeatedSynAtOnce) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  EXPECT_EQ(t.stack().connection_count(), 1U);
}

TEST(TcpHandshake, StartsCautiouslyAfterALostSyn) {
  TcpTranscript t;  // RFC 6298 section 5.7
  t.listen();
  t.push("S seq 0 mss 1000");
  t.expect("SA seq 0");
  t.advance(1s);
  t.expect("SA seq 0");
  t.push("A seq 1 ack 1");
  t.expect_event("accepted");
  EXPECT_EQ(t.status().smoothed_rtt, 0ms);
  t.write(10);
  t.expect("A seq 1 len 10");
  t.advance(2999ms);
  t.expect_silence();
  t.advance(1ms);
  t.expect("A seq 1 len 10");
}

TEST(TcpHandshake, MeasuresTheRoundTripByTimestampAfterALostSyn) {
  TcpTranscript t;
  t.connect();
  t.expect("S ts 0:0");
  t.advance(1s);
  t.expect("S ts 1000:0");
  t.advance(40ms);
  t.push("SA seq 0 ack 1 mss 1000 ts 5:1000");
  t.expect("A seq 1 ack 1");
  EXPECT_EQ(t.status().smoothed_rtt, 40ms);
}

TEST(TcpHandshake, IsRefusedByAResetThatAcknowledgesTheSyn) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0");
  t.push("R seq 0");  // acknowledges nothing: anybody could send it
  t.expect_no_event();
  t.push("RA seq 0 ack 7");
  t.expect_no_event();
  t.push("RA seq 0 ack 1");
  t.expect_event("closed refused");
  t.expect_silence();
}

TEST(TcpHandshake, ResetsAnAnswerToAnotherSyn) {
  TcpTranscript t;  // RFC 9293 section 3.10.7.3, first
  t.connect();
  t.expect("S seq 0");
  t.push("SA seq 0 ack 4000");
  t.expect("R seq 4000");
  t.expect_no_event();
  t.push("SA seq 0 ack 1");
  t.expect("A seq 1 ack 1");
  t.expect_event("connected");
}

TEST(TcpHandshake, OpensFromBothSidesAtOnce) {
  TcpTranscript t;  // RFC 9293 figure 7
  t.connect();
  t.expect("S seq 0");
  t.push("S seq 0 mss 1000 sackok");
  t.expect("SA seq 0 ack 1 mss 1000 sackok");
  t.push("SA seq 0 ack 1 mss 1000 sackok");
  t.expect("A seq 1 ack 1");
  t.expect_event("connected");
  t.push("A seq 1 ack 1 len 100");
  t.expect_event("readable");
  EXPECT_EQ(t.read(500), 100U);
}

TEST(TcpHandshake, OpensFromBothSidesWithOnlyAnAcknowledgment) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0");
  t.push("S seq 0 mss 1000");
  t.expect("SA seq 0 ack 1");
  t.push("A seq 1 ack 1");
  t.expect_event("connected");
  t.expect_silence();
}

TEST(TcpHandshake, ForgetsAHalfOpenConnectionThatIsReset) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  t.push("R seq 5");  // in the window, not the number expected (RFC 5961)
  EXPECT_EQ(t.stack().connection_count(), 1U);
  t.push("R seq 1");
  EXPECT_EQ(t.stack().connection_count(), 0U);
  t.expect_no_event();
}

TEST(TcpHandshake, ResetsAnAcknowledgmentOfWhatWasNotSent) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  t.push("A seq 1 ack 2");
  t.expect("R seq 2");
  t.expect_no_event();
  t.push("A seq 1 ack 1");
  t.expect_event("accepted");
}

TEST(TcpHandshake, TakesTextAndFinWithTheLastAcknowledgment) {
  TcpTranscript t;
  t.listen();
  t.push("S seq 0 mss 1000");
  t.expect("SA seq 0 ack 1");
  t.push("FA seq 1 ack 1 len 50");
  t.expect("A seq 1 ack 52");
  t.expect_event("accepted");
  t.expect_event("readable");
  EXPECT_EQ(t.read(100), 50U);
  EXPECT_TRUE(t.at_end());
}

TEST(TcpHandshake, RaisesAnAbsurdSegmentSize) {
  TcpTranscript t;  // CVE-2019-11479
  t.accept("mss 1 sackok");
  t.write(1000);
  t.expect("A seq 1 len 216");
}

TEST(TcpHandshake, CutsAnAbsurdWindowScale) {
  TcpTranscript t;  // RFC 7323 section 2.3: 14 at most
  t.accept("mss 1000 sackok ws 200");
  t.push("A seq 1 ack 1 win 1");
  t.write(20000);
  std::size_t bytes = 0;
  for (std::string words = t.next_segment(); !words.empty(); words = t.next_segment())
    bytes += 1000;
  EXPECT_EQ(bytes, 10000U);  // the initial congestion window, not the peer's
}

TEST(TcpHandshake, LeavesRoomForTimestampsInEverySegment) {
  TcpTranscript t;  // RFC 6691
  t.accept("mss 1000 sackok ts 5:0");
  t.write(3000);
  t.expect("A seq 1 len 988");
  t.expect("A seq 989 len 988");
}

TEST(TcpHandshake, BelievesAnUnreachableOnlyAboutItsSyn) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0");
  t.push_icmp_unreachable(5);
  t.expect_no_event();
  t.push_icmp_unreachable(0);
  t.expect_event("closed unreachable");
}

TEST(TcpHandshake, ClosesInOrderWhatWasClosedBeforeItOpened) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0");
  t.close_write();
  t.expect_silence();
  t.push("SA seq 0 ack 1 mss 1000");
  t.expect("FA seq 1 ack 1");
  t.expect_event("connected");
}

TEST(TcpHandshake, SpeaksIpv6) {
  TcpTranscript t({}, true);
  t.listen();
  t.push("S seq 0 win 60000");
  t.expect("SA seq 0 ack 1 mss 1220");
  t.push("A seq 1 ack 1");
  t.expect_event("accepted");
  t.write(1221);
  t.expect("A seq 1 len 1220");  // also what no MSS option means there
  t.expect("A seq 1221 len 1");
}

TEST(TcpHandshake, TellsTheWriterWhenItOpens) {
  TcpTranscript t;
  t.connect();
  EXPECT_EQ(t.write(10), 0U);
  t.expect("S seq 0");
  t.push("SA seq 0 ack 1 mss 1000");
  t.expect("A seq 1 ack 1");
  t.expect_event("connected");
  t.expect_event("writable");
  EXPECT_EQ(t.write(10), 10U);
}

}  // namespace
}  // namespace sidestream::tunnel
