#include <gtest/gtest.h>

#include "tests/support/tcp_transcript.h"

namespace sidestream::tunnel {
namespace {

// ---- when to acknowledge
// --------------------------------------------------------------------------

TEST(TcpReceiver, DelaysTheAcknowledgmentOfASingleSegment) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 len 1000");
  t.advance(39ms);
  t.expect_silence();
  t.advance(1ms);
  t.expect("A seq 1 ack 1001");
  t.advance(1s);
  t.expect_silence();
}

TEST(TcpReceiver, AcknowledgesEverySecondSegment) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 len 1000");
  t.push("A seq 1001 ack 1 len 1000");
  t.expect("A seq 1 ack 2001");
  t.push("A seq 2001 ack 1 len 1000");
  t.expect_silence();
  t.push("A seq 3001 ack 1 len 1000");
  t.expect("A seq 1 ack 4001");
}

TEST(TcpReceiver, AcknowledgesEverySecondSegmentOfASenderOfSmallOnes) {
  TcpTranscript t;  // whose full segments are 600 bytes
  t.accept();
  t.push("A seq 1 ack 1 len 600");
  t.push("A seq 601 ack 1 len 600");
  t.expect("A seq 1 ack 1201");
}

TEST(TcpReceiver, TextCarriesTheAcknowledgment) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 len 10");
  t.write(5);
  t.expect("A seq 1 ack 11 len 5");
  t.advance(1s);
  while (true) {
    const std::string words = t.next_segment();
    if (words.empty()) break;
    EXPECT_TRUE(words.find("len 5") != std::string::npos) << words;  // its retransmissions
  }
}

TEST(TcpReceiver, AcknowledgesGapsAtOnce) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1001 ack 1 len 1000");
  t.expect("A seq 1 ack 1 sack 1001-2001");
  t.push("A seq 1 ack 1 len 1000");
  t.expect("A seq 1 ack 2001");
}

TEST(TcpReceiver, OwesEveryDuplicateToAPeerWithoutSack) {
  TcpTranscript t;
  t.accept("mss 1000");
  for (int i = 1; i <= 3; ++i) {
    t.push("A seq " + std::to_string(1 + 1000 * i) + " ack 1 len 1000");
    t.expect("A seq 1 ack 1");
  }
}

TEST(TcpReceiver, AnswersADuplicateOnceToAPeerWithoutSack) {
  TcpTranscript t;
  t.accept("mss 1000");
  t.push("A seq 1 ack 1 len 1000");
  t.advance(40ms);
  t.expect("A seq 1 ack 1001");
  t.push("A seq 1 ack 1 len 1000");
  t.expect("A seq 1 ack 1001");
  t.expect_silence();
  t.push("A seq 501 ack 1 len 1000");  // half of it is new
  t.expect("A seq 1 ack 1501");
  t.expect_silence();
}

// ---- SACK (RFC 2018)
// ------------------------------------------------------------------------------

TEST(TcpReceiver, ReportsTheNewestBlockFirst) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 101 ack 1 len 100");
  t.expect("A ack 1 sack 101-201");
  t.push("A seq 501 ack 1 len 100");
  t.expect("A ack 1 sack 501-601,101-201");
  t.push("A seq 301 ack 1 len 100");
  t.expect("A ack 1 sack 301-401,501-601,101-201");
  t.push("A seq 701 ack 1 len 100");
  t.expect("A ack 1 sack 701-801,301-401,501-601,101-201");
  t.push("A seq 901 ack 1 len 100");
  t.expect("A ack 1 sack 901-1001,701-801,301-401,501-601");
  t.push("A seq 401 ack 1 len 100");  // joins two
  t.expect("A ack 1 sack 301-601,901-1001,701-801");
  t.push("A seq 1 ack 1 len 100");
  t.expect("A ack 201 sack 301-601,901-1001,701-801");
}

TEST(TcpReceiver, ReportsThreeBlocksBesideTimestamps) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ts 5:0");
  for (const char* seq : {"101", "301", "501", "701"})
    t.push("A seq " + std::string(seq) + " ack 1 len 100 ts 11:0");
  for (int i = 0; i < 3; ++i) t.next_segment();
  t.expect("A ack 1 sack 701-801,501-601,301-401");
}

TEST(TcpReceiver, SaysNothingOfSackToAPeerThatDidNotAsk) {
  TcpTranscript t;
  t.accept("mss 1000");
  t.push("A seq 101 ack 1 len 100");
  t.expect("A ack 1");
}

TEST(TcpReceiver, SendsBlocksBeforeTextNotInIt) {
  TcpTranscript t;
  t.accept();
  t.write(1000);
  t.expect("A seq 1 len 1000");
  t.push("A seq 101 ack 1 len 100");
  t.expect("A ack 1 sack 101-201");
  t.write(1000);
  t.expect("A seq 1001 len 1000");
}

// ---- DSACK (RFC 2883)
// -----------------------------------------------------------------------------

TEST(TcpReceiver, ReportsAWholeDuplicate) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1 ack 1 len 1000");
  t.push("A seq 1 ack 1 len 1000");
  t.expect("A ack 1001 sack 1-1001");
}

TEST(TcpReceiver, ReportsADuplicateOfABlockWithTheBlock) {
  TcpTranscript t;
  t.accept();
  t.push("A seq 1001 ack 1 len 1000");
  t.expect("A ack 1 sack 1001-2001");
  t.push("A seq 2001 ack 1 len 1000");
  t.expect("A ack 1 sack 1001-3001");
  t.push("A seq 1001 ack 1 len 500");
  t.expect("A ack 1 sack 1001-1501,1001-3001");
  t.push("A seq 3001 ack 1 len 1000");
  t.expect("A ack 1 sack 1001-4001");  // only once
}

// ---- the window
// -----------------------------------------------------------------------------------

TcpLimits small_window() {
  TcpLimits limits;
  limits.receive_window_bytes_initial = limits.receive_window_bytes_max = 4000;
  return limits;
}

TEST(TcpReceiver, TakesTheWindowBackByWhatIsUnread) {
  TcpTranscript t(small_window());
  t.accept();
  t.push("A seq 1 ack 1 len 1000");
  t.push("A seq 1001 ack 1 len 1000");
  t.expect("A ack 2001 win 2000");
  t.push("A seq 2001 ack 1 len 1000");
  t.push("A seq 3001 ack 1 len 1000");
  t.expect("A ack 4001 win 0");
  t.push("A seq 4001 ack 1 len 1000");
  t.expect("A ack 4001 win 0");
  EXPECT_EQ(t.read(10'000), 4000U);
}

TEST(TcpReceiver, OpensAShutWindowWithoutBeingAsked) {
  TcpTranscript t(small_window());
  t.accept();
  for (int i = 0; i < 4; ++i) t.push("A seq " + std::to_string(1 + 1000 * i) + " ack 1 len 1000");
  t.expect("A ack 2001 win 2000");
  t.expect("A ack 4001 win 0");
  t.read(500);
  t.expect_silence();  // not worth it (RFC 9293 section 3.8.6.2.2)
  t.read(500);
  t.expect("A ack 4001 win 1000");
  t.read(500);
  t.expect_silence();
  t.read(500);
  t.expect("A ack 4001 win 2000");
  t.read(5000);
  t.expect("A ack 4001 win 4000");
}

TEST(TcpReceiver, AnswersAWindowProbe) {
  TcpTranscript t(small_window());
  t.accept();
  for (int i = 0; i < 4; ++i) t.push("A seq " + std::to_string(1 + 1000 * i) + " ack 1 len 1000");
  t.expect("A ack 2001");
  t.expect("A ack 4001 win 0");
  t.push("A seq 4000 ack 1");  // as Linux probes
  t.expect("A ack 4001 win 0");
  t.push("A seq 4001 ack 1 len 1");  // as RFC 9293 describes it
  t.expect("A ack 4001 win 0");
}

TEST(TcpReceiver, NeverTakesBackWhatItPromised) {
  TcpLimits limits;
  limits.receive_window_bytes_initial = limits.receive_window_bytes_max = 3000;
  TcpTranscript t(limits);
  t.accept("mss 1000 sackok ws 0");
  std::uint32_t edge = 0;
  std::uint32_t at = 1;
  for (int i = 0; i < 20; ++i) {
    t.push("A seq " + std::to_string(at) + " ack 1 len 77");
    at += 77;
    if (i % 3 == 0) t.read(50);
    t.advance(40ms);
    for (std::string words = t.next_segment(); !words.empty(); words = t.next_segment()) {
      const auto value = [&](const char* key) {
        return std::stoul(words.substr(words.find(key) + std::string(key).size()));
      };
      const auto right = static_cast<std::uint32_t>(value(" ack ") + value(" win "));
      EXPECT_GE(right, edge);
      edge = right;
    }
  }
}

TEST(TcpReceiver, ShutsTheWindowForManySmallSegmentsToo) {
  TcpTranscript t;  // whose acknowledgments cannot say less than 256 bytes
  t.accept("mss 1000 sackok ws 7");
  std::uint32_t at = 1;
  for (int i = 0; i < 4000; ++i, at += 50) t.push("A seq " + std::to_string(at) + " ack 1 len 50");
  EXPECT_LE(t.read(300'000), 65536U + 256U);
}

TEST(TcpReceiver, GrowsTheWindowForAReaderThatKeepsUp) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ws 7");
  std::uint32_t at = 1;
  std::uint32_t window = 0;
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 60; ++i) {
      t.push("A seq " + std::to_string(at) + " ack 1 len 1000");
      at += 1000;
      t.read(5000);
    }
    t.advance(11ms);
    for (std::string words = t.next_segment(); !words.empty(); words = t.next_segment())
      window = static_cast<std::uint32_t>(std::stoul(words.substr(words.find("win ") + 4)));
  }
  EXPECT_GT(window << 8U, 200'000U);  // four times what is read in a round trip
  EXPECT_LT(window << 8U, 300'000U);
}

TEST(TcpReceiver, DoesNotGrowTheWindowForAReaderThatDoesNotRead) {
  TcpTranscript t;
  t.accept("mss 1000 sackok ws 7");
  for (int i = 0; i < 100; ++i) {
    t.push("A seq " + std::to_string(1 + 1000 * i) + " ack 1 len 1000");
    t.advance(5ms);
  }
  std::string last;
  for (std::string words = t.next_segment(); !words.empty(); words = t.next_segment()) last = words;
  EXPECT_TRUE(last.find("win 0") != std::string::npos) << last;
  EXPECT_LE(t.read(200'000), 65536U + 256U);  // and a unit of scaling
}

// ---- limits
// ---------------------------------------------------------------------------------------

TEST(TcpReceiver, KeepsABoundedNumberOfHoles) {
  TcpLimits limits;
  limits.out_of_order_ranges_max = 2;
  TcpTranscript t(limits);
  t.accept();
  t.push("A seq 101 ack 1 len 10");
  t.expect("A ack 1 sack 101-111");
  t.push("A seq 201 ack 1 len 10");
  t.expect("A ack 1 sack 201-211,101-111");
  t.push("A seq 301 ack 1 len 10");
  t.expect("A ack 1 sack 201-211,101-111");  // dropped
  t.push("A seq 111 ack 1 len 90");
  t.expect("A ack 1 sack 101-211");
  t.push("A seq 1 ack 1 len 100");
  t.expect("A ack 211");
}

TEST(TcpReceiver, GivesUpWhatWaitsBehindHolesForWhatCanBeRead) {
  TcpLimits limits;
  limits.memory_bytes_max = 8 * chunk_bytes;
  TcpTranscript t(limits);
  t.accept("mss 1000 sackok ws 7");
  // Seven eighths of the memory go to what is out of order, and no more.
  for (std::uint32_t at = 30'001; at < 100'001; at += 1000)
    t.push("A seq " + std::to_string(at) + " ack 1 len 1000");
  while (!t.next_segment().empty()) {
  }
  for (std::uint32_t at = 1; at < 60'001; at += 1000)
    t.push("A seq " + std::to_string(at) + " ack 1 len 1000");
  EXPECT_GE(t.read(100'000), 7 * chunk_bytes);
}

}  // namespace
}  // namespace sidestream::tunnel
