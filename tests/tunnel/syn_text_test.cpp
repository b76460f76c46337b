// Text that goes with a SYN, both ways, and peers that know nothing of it.
#include <gtest/gtest.h>

#include "tests/support/tcp_pair.h"
#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

TcpLimits limits() {
  TcpLimits limits;
  limits.syn_text_bytes_max = 4096;
  return limits;
}

// ---- the listener's side ------------------------------------------------------------------------

// A SYN with 100 bytes has come; they are read and answered with 500.
void answer_at_once(TcpTranscript& t) {
  t.listen();
  t.push("S seq 0 win 60000 mss 1000 sackok len 100");
  t.expect("SA seq 0 ack 101");
  t.expect_event("accepted");
  t.expect_event("readable");
  EXPECT_EQ(t.read(200), 100U);
  EXPECT_EQ(t.write(500), 500U);
  t.expect("A seq 1 ack 101 len 500");
}

TEST(SynText, IsHandedOnAndAnsweredBeforeTheHandshakeIsDone) {
  TcpTranscript t(limits());
  answer_at_once(t);
  t.advance(10ms);
  t.push("A seq 101 ack 501 len 10");
  EXPECT_EQ(t.read(20), 10U);
  t.advance(60s);
  t.expect("A seq 501 ack 111");
  t.expect_silence();
}

TEST(SynText, ASynAckThatWasLostComesAgain) {
  TcpTranscript t(limits());
  answer_at_once(t);
  t.push("S seq 0 win 60000 mss 1000 sackok");
  t.expect("SA seq 0 ack 101");
  t.push("A seq 101 ack 1");
  t.push("A seq 101 ack 501");
  t.advance(60s);
  t.expect_silence();
}

TEST(SynText, ASynAckThatNobodyAnswersComesAgainByItself) {
  TcpTranscript t(limits());
  t.listen();
  t.push("S seq 0 win 60000 mss 1000 sackok len 100");
  t.expect("SA seq 0 ack 101");
  t.advance(1s);
  t.expect("SA seq 0 ack 101");
  t.advance(2s);
  t.expect("SA seq 0 ack 101");
  t.push("A seq 101 ack 1");
  t.advance(60s);
  t.expect_silence();
}

TEST(SynText, WhoNeverAnswersTheSynAckTimesOut) {
  TcpTranscript t(limits());
  t.listen();
  t.push("S seq 0 win 60000 mss 1000 sackok len 100");
  t.forget_events();
  t.advance(300s);
  t.expect_event("closed timed_out");
}

TEST(SynText, MoreOfItFollowsWithoutAnAcknowledgment) {
  TcpTranscript t(limits());
  t.listen();
  t.push("S seq 0 win 60000 mss 1000 sackok len 1000");
  t.expect("SA seq 0 ack 1001");
  t.push("- seq 1001 len 1000");
  t.push("- seq 2001 len 1000");
  EXPECT_EQ(t.read(5000), 3000U);
  t.push("- seq 3001 len 1000");
  t.push("- seq 4001 len 1000");  // beyond what may come with a SYN
  EXPECT_EQ(t.read(5000), 1000U);
}

TEST(SynText, AfterTheHandshakeNothingComesWithoutAnAcknowledgment) {
  TcpTranscript t(limits());
  answer_at_once(t);
  t.push("A seq 101 ack 501");
  t.push("- seq 101 len 10");
  EXPECT_EQ(t.read(20), 0U);
}

TEST(SynText, AnAnswerCanEndBeforeTheHandshakeIsDone) {
  TcpTranscript t(limits());
  answer_at_once(t);
  t.close_write();
  t.expect_silence();
  t.push("A seq 101 ack 501");
  t.expect("FA seq 501 ack 101");
  t.push("FA seq 101 ack 502");
  t.expect("A seq 502 ack 102");
}

TEST(SynText, AResetEndsIt) {
  TcpTranscript t(limits());
  answer_at_once(t);
  t.forget_events();
  t.push("R seq 101");
  t.expect_event("closed refused");
}

// The SYN-ACK and the reset were lost: the text must not be handed on twice.
TEST(SynText, ASynWhoseTextWasHandedOnIsRefusedWhenItComesAgain) {
  TcpTranscript t(limits());
  answer_at_once(t);
  t.abort();
  t.expect("RA seq 501 ack 101");
  t.expect("RA seq 1 ack 101");
  t.push("S seq 0 win 60000 mss 1000 sackok");
  t.expect("RA ack 1");
  t.push("A seq 101 ack 1");
  t.expect("R seq 1");
  t.expect_silence();
  // Another one is none of it.
  t.push("S seq 5000 win 60000 mss 1000 sackok");
  t.expect("SA seq 0 ack 5001");
}

TEST(SynText, AnAcknowledgmentOfWhatWasNotSentIsAnsweredWithAReset) {
  TcpTranscript t(limits());
  answer_at_once(t);
  t.push("A seq 101 ack 502");
  t.expect("R seq 502");
}

// ---- the connecting side ------------------------------------------------------------------------

TEST(SynText, GoesWithTheSyn) {
  TcpTranscript t(limits());
  EXPECT_EQ(t.connect_saying(100), 100U);
  t.expect("S seq 0 len 100");
  EXPECT_EQ(t.write(10), 0U);  // too late
  t.push("SA seq 0 ack 101 win 60000 mss 1000 sackok");
  t.expect("A seq 101 ack 1");
  t.expect_event("connected");
  t.expect_event("writable");
  EXPECT_EQ(t.write(10), 10U);
  t.expect("A seq 101 len 10");
}

TEST(SynText, APeerThatDoesNotTakeItGetsItAfterTheHandshake) {
  TcpTranscript t(limits());
  t.connect_saying(100);
  t.expect("S seq 0 len 100");
  t.push("SA seq 0 ack 1 win 60000 mss 1000 sackok");
  t.expect("A seq 1 ack 1 len 100");
}

TEST(SynText, APeerThatTakesAPartGetsTheRest) {
  TcpTranscript t(limits());
  t.connect_saying(100);
  t.expect("S seq 0 len 100");
  t.push("SA seq 0 ack 61 win 60000 mss 1000 sackok");
  t.expect("A seq 61 ack 1 len 40");
}

TEST(SynText, MoreThanFitsFollowsAtOnceAndTheRestAfterTheHandshake) {
  TcpTranscript t(limits());
  EXPECT_EQ(t.connect_saying(6000), 4096U);
  t.expect("S seq 0 len 976");  // beside the options
  t.expect("- seq 977 len 988");
  t.expect("- seq 1965 len 988");
  t.expect("- seq 2953 len 988");
  t.expect("- seq 3941 len 156");
  t.expect_silence();
  t.push("SA seq 0 ack 4097 win 60000 mss 1000 sackok");
  t.expect("A seq 4097 ack 1");
}

TEST(SynText, ASynThatComesAgainHasNone) {
  TcpTranscript t(limits());
  t.connect_saying(2000);
  t.expect("S seq 0 len 976");
  t.expect("- seq 977 len 988");
  t.expect("- seq 1965 len 36");
  t.advance(1s);
  t.expect("S seq 0");
  t.expect_silence();
  t.push("SA seq 0 ack 1 win 60000 mss 1000 sackok");
  t.expect("A seq 1 ack 1 len 1000");
}

TEST(SynText, IsRefusedLikeAnyOther) {
  TcpTranscript t(limits());
  t.connect_saying(100);
  t.expect("S seq 0 len 100");
  t.push("RA seq 0 ack 101");
  t.expect_event("closed refused");
}

TEST(SynText, IsNoneWithoutALimitForIt) {
  TcpTranscript t;
  EXPECT_EQ(t.connect_saying(100), 0U);
  t.expect("S seq 0");
}

// ---- both ---------------------------------------------------------------------------------------

// When the first byte of an answer has come.
Duration first_byte(const TcpLimits& client, const TcpLimits& server, double loss = 0,
                    std::uint64_t seed = 1) {
  TcpPair pair({.seed = seed,
                .upward = {.delay = 20ms, .loss = loss},
                .downward = {.delay = 20ms, .loss = loss},
                .client_limits = client,
                .server_limits = server});
  EXPECT_TRUE(pair.server().listen(443));
  const std::vector<std::uint8_t> hello(1800, 7);
  const ConnectionId id = *pair.client().connect(pair.now(), pair.server_at(443));
  std::size_t written = pair.client().write(pair.now(), id, hello);
  const Instant start = pair.now();
  Instant answered{};
  std::size_t heard = 0;
  std::vector<std::uint8_t> text(4096);
  const auto on_event = [&](bool at_client, const StackEvent& event) {
    if (at_client) {
      if (written < hello.size())
        written += pair.client().write(pair.now(), id, Bytes(hello).subspan(written));
      if (pair.client().read(pair.now(), id, text).bytes > 0 && answered == Instant{})
        answered = pair.now();
      return;
    }
    while (const std::size_t bytes = pair.server().read(pair.now(), event.connection, text).bytes)
      heard += bytes;
    if (heard == hello.size()) pair.server().write(pair.now(), event.connection, hello);
  };
  EXPECT_TRUE(pair.run(start + 600s, on_event, [&] { return answered != Instant{}; }));
  EXPECT_EQ(heard, hello.size());
  return answered - start;
}

TEST(SynText, SavesARoundTrip) {
  EXPECT_EQ(first_byte(limits(), limits()), 40ms);
  EXPECT_EQ(first_byte({}, {}), 80ms);
}

TEST(SynText, CostsNothingWithAPeerThatDoesNotTakeIt) {
  EXPECT_EQ(first_byte(limits(), {}), 80ms);
  EXPECT_EQ(first_byte({}, limits()), 80ms);
}

TEST(SynText, ArrivesWholeWhateverIsLost) {
  TcpLimits with_text = limits();
  TcpLimits without;
  with_text.user_timeout = without.user_timeout = 1h;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    EXPECT_GE(first_byte(with_text, with_text, 0.3, seed), 40ms) << seed;
    EXPECT_GE(first_byte(with_text, without, 0.3, seed), 80ms) << seed;
  }
}

}  // namespace
}  // namespace sidestream::tunnel
