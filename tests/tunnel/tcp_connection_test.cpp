#include "tunnel/tcp_connection.h"

#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"
#include "tunnel/bbr.h"
#include "tunnel/connection_table.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

// ---- size
// -----------------------------------------------------------------------------------------

TEST(TcpConnection, IsSmallWhileIdle) {
  EXPECT_LE(sizeof(ConnectionEntry), 1280U);
  EXPECT_LE(sizeof(Cubic), 256U);
  EXPECT_LE(sizeof(Bbr), 512U);
}

// ---- abort and release
// ----------------------------------------------------------------------------

TEST(TcpConnection, AbortsWithAReset) {
  TcpTranscript t;
  t.accept();
  t.abort();
  t.expect("RA seq 1 ack 1");
  t.expect_silence();
  t.expect_event("closed aborted");
  EXPECT_EQ(t.read_error(), TcpError::aborted);
  EXPECT_EQ(t.write(5), 0U);
  t.abort();
  t.close_write();
  t.expect_silence();
  t.expect_no_event();
}

TEST(TcpConnection, AbortsWithAResetThatThePeerWillBelieve) {
  TcpTranscript t;
  t.accept();
  t.write(2500);
  t.expect("A seq 1 len 1000");
  t.expect("A seq 1001 len 1000");
  t.expect("A seq 2001 len 500");
  t.abort();
  // At the number the peer expects if all arrived, and if nothing did.
  t.expect("RA seq 2501 ack 1");
  t.expect("RA seq 1 ack 1");
  t.expect_silence();
  // And if something in between, it challenges, and is answered exactly.
  t.push("A seq 1 ack 1001");
  t.expect("R seq 1001");
}

TEST(TcpConnection, AbortsASynWithoutAWord) {
  TcpTranscript t;
  t.connect();
  t.expect("S seq 0");
  t.abort();
  t.expect_silence();
  t.expect_event("closed aborted");
  t.release();
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(TcpConnection, IsAbortedByReleaseWhileOpen) {
  TcpTranscript t;
  t.accept();
  t.release();
  t.expect("RA seq 1 ack 1");
  t.expect_no_event();
  EXPECT_EQ(t.stack().connection_count(), 0U);
  EXPECT_FALSE(t.stack().status(t.id()));
}

TEST(TcpConnection, IsAbortedByReleaseWhileThePeerStillSends) {
  TcpTranscript t;
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");
  t.push("A seq 1 ack 2");
  t.release();
  t.expect("RA seq 2 ack 1");
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(TcpConnection, FinishesAfterReleaseWhenBothHaveEnded) {
  TcpTranscript t;
  t.accept();
  t.push("FA seq 1 ack 1");
  t.expect("A seq 1 ack 2");
  t.forget_events();
  t.write(1500);
  t.close_write();
  t.release();
  t.expect("A seq 1 ack 2 len 1000");
  t.expect("A seq 1001 ack 2 len 500");
  t.expect("FA seq 1501 ack 2");
  EXPECT_EQ(t.stack().connection_count(), 1U);
  t.advance(20ms);  // a tail loss probe, though the user has left
  t.expect("FA seq 1501 ack 2");
  t.push("A seq 2 ack 1502");
  t.expect_silence();
  t.expect_no_event();
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(TcpConnection, AnswersAfterItsEndAsIfItHadNeverBeen) {
  TcpTranscript t;
  t.accept();
  t.release();
  t.expect("RA");
  t.push("A seq 1 ack 1 len 5");
  t.expect("R seq 1");
  t.push("R seq 1");
  t.expect_silence();
}

TEST(TcpConnection, NamesAreNeverUsedTwice) {
  TcpTranscript t;
  t.accept();
  const ConnectionId first = t.id();
  t.release();
  t.next_segment();
  t.change_remote_port(4001);
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  t.push("A seq 1 ack 1");
  t.expect_event("accepted");
  EXPECT_NE(t.id(), first);
  std::array<std::uint8_t, 4> some{};
  EXPECT_EQ(t.stack().write(t.now(), first, some), 0U);
  EXPECT_EQ(t.stack().read(t.now(), first, some).error, TcpError::aborted);
  t.stack().release(t.now(), first);
  t.stack().abort(t.now(), first);
  EXPECT_EQ(t.stack().connection_count(), 1U);
}

// ---- half-close
// -----------------------------------------------------------------------------------

TEST(TcpConnection, KeepsTheOtherDirectionForDays) {
  TcpTranscript t;
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");
  t.push("A seq 1 ack 2");
  t.advance(72h);
  t.expect_silence();
  t.push("A seq 1 ack 2 len 10");
  EXPECT_EQ(t.read(100), 10U);
  EXPECT_EQ(t.write(10), 0U);
  t.forget_events();
  t.advance(40ms);
  t.expect("A seq 2 ack 11");
}

TEST(TcpConnection, SendsTheFinBehindAllThatWasWritten) {
  TcpTranscript t;
  t.accept();
  t.write(1200);
  t.close_write();
  t.expect("A seq 1 len 1000");
  t.expect("A seq 1001 len 200");
  t.expect("FA seq 1201 len 0");
  t.close_write();
  t.expect_silence();
}

// ---- events
// ---------------------------------------------------------------------------------------

TEST(TcpConnection, TellsOfReadableOnceUntilItWasReadEmpty) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 len 10");
  t.expect_event("readable");
  t.push("A seq 11 ack 1 len 10");
  t.expect_no_event();
  EXPECT_EQ(t.read(15), 15U);
  t.push("A seq 21 ack 1 len 10");
  t.expect_no_event();  // read() never said 0
  EXPECT_EQ(t.read(100), 15U);
  EXPECT_EQ(t.read(100), 0U);
  t.push("A seq 31 ack 1 len 10");
  t.expect_event("readable");
}

TEST(TcpConnection, TellsOfWritableOnlyToAWriterThatHadToWait) {
  TcpLimits limits;
  limits.send_buffer_bytes_max = 4000;
  TcpTranscript t(limits);
  t.accept();
  EXPECT_EQ(t.write(4000), 4000U);
  for (int i = 0; i < 4; ++i) t.expect("A len 1000");
  t.push("A seq 1 ack 4001");
  t.expect_no_event();
  t.advance(10ms);
  EXPECT_EQ(t.write(5000), 4000U);
  for (int i = 0; i < 4; ++i) t.expect("A len 1000");
  t.push("A seq 1 ack 4501");
  t.expect_no_event();  // not for every little room
  t.push("A seq 1 ack 6001");
  t.expect_event("writable");
  t.push("A seq 1 ack 8001");
  t.expect_no_event();
}

TEST(TcpConnection, LosesWhatWasNotReadWhenItBreaks) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 len 10");
  t.push("R seq 11");
  t.expect_event("readable");
  t.expect_event("closed reset");
  EXPECT_EQ(t.read_error(), TcpError::reset);
}

// ---- keepalive
// ------------------------------------------------------------------------------------

TEST(TcpConnection, IsSilentForDaysWithoutKeepalive) {
  TcpTranscript t;
  t.accept();
  t.advance(240h);
  t.expect_silence();
  EXPECT_FALSE(t.stack().next_deadline());
}

TEST(TcpConnection, KeepaliveFindsADeadPeer) {
  TcpLimits limits;
  limits.keepalive_idle = 60s;
  limits.keepalive_interval = 10s;
  limits.keepalive_probes_max = 3;
  TcpTranscript t(limits);
  t.accept();
  t.advance(60s - 1ms);
  t.expect_silence();
  t.advance(1ms);
  t.expect("A seq 0 ack 1");
  t.push("A seq 1 ack 1");  // alive
  t.advance(60s - 1ms);
  t.expect_silence();
  t.advance(1ms);
  t.expect("A seq 0 ack 1");
  t.advance(10s);
  t.expect("A seq 0 ack 1");
  t.advance(10s);
  t.expect("A seq 0 ack 1");
  t.expect_no_event();
  t.advance(10s);
  t.expect("RA seq 1 ack 1");
  t.expect_event("closed timed_out");
}

// ---- user timeout
// ---------------------------------------------------------------------------------

TEST(TcpConnection, GivesUpAfterTheUserTimeout) {
  TcpLimits limits;
  limits.user_timeout = 5s;
  TcpTranscript t(limits);
  t.accept();
  t.advance(1s);
  t.write(10);
  t.advance(4999ms);
  t.expect_no_event();
  while (!t.next_segment().empty()) {
  }
  t.advance(1ms);
  t.expect("RA seq 11 ack 1");
  t.expect("RA seq 1 ack 1");
  t.expect_event("closed timed_out");
}

TEST(TcpConnection, UserTimeoutStartsAnewWithEachProgress) {
  TcpLimits limits;
  limits.user_timeout = 5s;
  TcpTranscript t(limits);
  t.accept();
  t.write(20);
  t.advance(4s);
  t.push("A seq 1 ack 11");
  t.advance(4s);
  t.push("A seq 1 ack 15");
  t.advance(4s);
  t.expect_no_event();
  t.advance(1s);
  t.expect_event("closed timed_out");
}

// ---- ICMP
// -----------------------------------------------------------------------------------------

TEST(TcpConnection, SendsSmallerSegmentsWhenThePathIsNarrow) {
  TcpTranscript t;
  t.accept();
  t.write(3000);
  for (const char* words : {"A seq 1 len 1000", "A seq 1001 len 1000", "A seq 2001 len 1000"})
    t.expect(words);
  t.push_icmp_too_big(740, 1);
  t.expect("A seq 1 len 700");
  t.expect("A seq 701 len 300");
  t.expect("A seq 1001 len 700");
  t.expect("A seq 1701 len 300");
  t.expect("A seq 2001 len 700");
  t.expect("A seq 2701 len 300");
  t.expect_silence();
  t.push("A seq 1 ack 3001");
  t.write(1000);
  t.expect("A seq 3001 len 700");
  t.expect("A seq 3701 len 300");
}

TEST(TcpConnection, IsNotPushedBelowTheLeastPath) {
  TcpTranscript t;
  t.accept();
  t.write(1000);
  t.expect("A seq 1 len 1000");
  t.push_icmp_too_big(0, 1);  // an old router that does not say (RFC 1191 section 5)
  t.expect("A seq 1 len 536");
  t.expect("A seq 537 len 464");
  t.push_icmp_too_big(68, 1);
  t.expect_silence();
}

TEST(TcpConnection, BelievesTooBigOnlyAboutWhatIsInFlight) {
  TcpTranscript t;
  t.accept();
  t.write(1000);
  t.expect("A seq 1 len 1000");
  t.push_icmp_too_big(600, 1001);
  t.push_icmp_too_big(600, 0);
  t.push_icmp_too_big(1500, 1);
  t.expect_silence();
  t.push("A seq 1 ack 1001");
  t.push_icmp_too_big(600, 1);
  t.write(1000);
  t.expect("A seq 1001 len 1000");
}

TEST(TcpConnection, NarrowPathOfIpv6) {
  TcpLimits limits;
  TcpTranscript t(limits, true);
  t.accept("mss 1220");
  t.write(1220);
  t.expect("A seq 1 len 1220");
  t.push_icmp_too_big(1000, 1);  // less than 1280 is not believed (RFC 8200 section 5)
  t.expect_silence();
}

TEST(TcpConnection, UnreachableIsASoftErrorLater) {
  TcpTranscript t;
  t.accept();
  t.write(10);
  t.expect("A seq 1 len 10");
  t.push_icmp_unreachable(1);
  t.expect_no_event();
  t.push("A seq 1 ack 11");
  EXPECT_EQ(t.status().unacknowledged_bytes, 0U);
}

// ---- status
// ---------------------------------------------------------------------------------------

TEST(TcpConnection, ShowsItsCounters) {
  TcpTranscript t;
  t.accept();
  t.write(1500);
  t.push("A seq 1 ack 1001 len 40");
  const ConnectionStatus status = t.status();
  EXPECT_EQ(status.local.port, TcpTranscript::local_port);
  EXPECT_EQ(status.remote.port, TcpTranscript::remote_port);
  EXPECT_EQ(status.sent_bytes, 1500U);
  EXPECT_EQ(status.received_bytes, 40U);
  EXPECT_EQ(status.unacknowledged_bytes, 500U);
  EXPECT_EQ(status.retransmitted_segments, 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
