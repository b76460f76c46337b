#include "tunnel/time_wait.h"

#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

// Both ends have closed, we first; the last acknowledgment is "A seq 2 ack 2".
class TimeWaitTest : public testing::Test {
 protected:
  void begin(std::string_view options = "mss 1000 sackok") {
    const bool timestamps = options.find("ts") != std::string_view::npos;
    t.accept(options);
    t.close_write();
    t.expect("FA seq 1 ack 1");
    t.push(timestamps ? "FA seq 1 ack 2 ts 20:0" : "FA seq 1 ack 2");
    t.expect("A seq 2 ack 2");
    t.forget_events();
  }
  TcpTranscript t;
};

TEST_F(TimeWaitTest, AcknowledgesARepeatedFinAndStartsOver) {
  begin();
  t.release();
  EXPECT_EQ(t.stack().connection_count(), 0U);
  t.advance(59s);
  t.push("FA seq 1 ack 2");
  t.expect("A seq 2 ack 2");
  t.advance(59s);
  t.push("FA seq 1 ack 2");
  t.expect("A seq 2 ack 2");
}

TEST_F(TimeWaitTest, EndsAfterTwoLifetimes) {
  begin();
  t.advance(60s);
  EXPECT_FALSE(t.stack().next_deadline());
  t.push("FA seq 1 ack 2");
  t.expect("R seq 2");
}

TEST_F(TimeWaitTest, IsNotAssassinated) {
  begin();  // RFC 1337
  t.push("R seq 2");
  t.push("FA seq 1 ack 2");
  t.expect("A seq 2 ack 2");
}

TEST_F(TimeWaitTest, AnswersWhatIsNotExpectedAndNotTooOften) {
  begin();
  t.push("A seq 2 ack 2");
  t.expect_silence();
  t.push("A seq 1 ack 2 len 1");  // an old keepalive
  t.expect("A seq 2 ack 2");
  t.push("A seq 700 ack 2");
  t.expect_silence();
  t.advance(500ms);
  t.push("A seq 700 ack 2");
  t.expect("A seq 2 ack 2");
}

TEST_F(TimeWaitTest, AGreaterSequenceNumberBeginsANewConnection) {
  begin();  // RFC 1122 section 4.2.2.13
  const std::uint32_t old_initial = t.local_initial();
  t.push("S seq 2");  // not greater than what is expected
  t.expect("A seq 2 ack 2");
  t.advance(1s);
  t.set_remote_initial(0xffffff00 + 70'000);
  t.push("S seq 0");
  t.expect("SA seq 0 ack 1");
  // And ours is beyond all that the old one sent.
  EXPECT_GT(static_cast<std::int32_t>(t.local_initial() - old_initial), 2);
  t.push("A seq 1 ack 1");
  t.expect_event("accepted");
}

TEST_F(TimeWaitTest, AGreaterTimestampBeginsANewConnection) {
  begin("mss 1000 sackok ts 5:0");  // RFC 6191
  t.advance(1s);
  t.set_remote_initial(0xffffff00 - 70'000);
  t.push("S seq 0 ts 20:0");  // the same tick: then the sequence number decides
  t.set_remote_initial(0xffffff00);
  t.expect("A seq 2 ack 2 ts 1010:20");
  t.set_remote_initial(0xffffff00 - 70'000);
  t.push("S seq 0 ts 21:0");
  t.expect("SA seq 0 ack 1");
}

TEST_F(TimeWaitTest, AnOlderTimestampDoesNot) {
  begin("mss 1000 sackok ts 5:0");
  t.push("S seq 70000 ts 19:0");
  t.expect("A seq 2 ack 2");
}

TEST_F(TimeWaitTest, LeavesTheConnectionToItsReader) {
  t.accept();
  t.close_write();
  t.expect("FA seq 1 ack 1");
  t.push("FA seq 1 ack 2 len 100");
  t.expect("A seq 2 ack 102");
  t.advance(300s);
  EXPECT_EQ(t.read(1000), 100U);
  EXPECT_TRUE(t.at_end());
  t.release();
  EXPECT_EQ(t.stack().connection_count(), 0U);
}

TEST(TimeWait, KeepsABoundedNumber) {
  TcpLimits limits;
  limits.time_wait_max = 2;
  TcpTranscript t(limits);
  t.listen();
  for (std::uint16_t port = 5000; port < 5003; ++port) {
    t.change_remote_port(port);
    t.push("S seq 0");
    t.expect("SA seq 0");
    t.push("A seq 1 ack 1");
    t.close_write();
    t.expect("FA seq 1 ack 1");
    t.push("FA seq 1 ack 2");
    t.expect("A seq 2 ack 2");
    t.release();
  }
  t.push("FA seq 1 ack 2");
  t.expect("A seq 2 ack 2");
  t.change_remote_port(5000);  // the oldest had to go
  t.push("FA seq 1 ack 2");
  EXPECT_TRUE(t.next_segment().starts_with("R"));
}

TEST(TimeWait, AConnectionThatThePeerClosedFirstNeedsNone) {
  TcpTranscript t;
  t.accept();
  t.push("FA seq 1 ack 1");
  t.expect("A seq 1 ack 2");
  t.close_write();
  t.expect("FA seq 1 ack 2");
  t.push("A seq 2 ack 2");
  t.release();
  EXPECT_FALSE(t.stack().next_deadline());
}

}  // namespace
}  // namespace sidestream::tunnel
