#include "tunnel/rack.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

// Segments of 1000 bytes, one each millisecond from 1 s on, over a path of 40 ms.
class RackTest : public testing::Test {
 protected:
  RackTest() {
    rtt.on_sample(Instant(1s), 40ms, 1);
    for (int i = 0; i < 10; ++i) board.on_sent(segment_range(i), Instant(1s) + i * 1ms);
  }
  static SequenceRange segment_range(int number) {
    return {Sequence(1000U * static_cast<unsigned>(number)),
            Sequence(1000U * static_cast<unsigned>(number + 1))};
  }
  void deliver(Instant now, int number, bool original = false) {
    board.sack(segment_range(number), [&](const SentSegment& segment) {
      rack.on_delivered(now, segment, original, rtt.minimum());
    });
  }
  std::optional<Instant> detect(Instant now, bool recovering = false) {
    return rack.detect(now, board, rtt, recovering);
  }

  TcpLimits limits;
  SackScoreboard board{100};
  RttEstimator rtt{limits};
  Rack rack;
};

TEST_F(RackTest, KnowsNothingBeforeADelivery) {
  EXPECT_FALSE(detect(Instant(9s)));
  EXPECT_EQ(board.lost_bytes(), 0U);
}

TEST_F(RackTest, GivesAQuarterOfTheRoundTripToReordering) {
  deliver(Instant(1042ms), 2);
  // The first was sent 2 ms before, so it is late since 2 ms, of the 10 it has.
  EXPECT_EQ(detect(Instant(1042ms)), Instant(1050ms));
  EXPECT_EQ(board.lost_bytes(), 0U);
  EXPECT_EQ(detect(Instant(1050ms)), Instant(1051ms));
  EXPECT_EQ(board.lost_bytes(), 1000U);
  EXPECT_FALSE(detect(Instant(1051ms)));
  EXPECT_EQ(board.lost_bytes(), 2000U);
  EXPECT_EQ(board.first_lost()->begin, Sequence(0));
}

TEST_F(RackTest, GivesNothingAfterThreeDeliveriesOrInRecovery) {
  for (int i = 1; i <= 3; ++i) deliver(Instant(1040ms) + i * 1ms, i);
  EXPECT_FALSE(detect(Instant(1043ms)));
  EXPECT_EQ(board.lost_bytes(), 1000U);
  deliver(Instant(1045ms), 5);
  EXPECT_FALSE(detect(Instant(1045ms), true));
  EXPECT_EQ(board.lost_bytes(), 2000U);
}

TEST_F(RackTest, LearnsFromReordering) {
  deliver(Instant(1042ms), 2);
  deliver(Instant(1043ms), 0);  // late, not lost
  for (int i = 3; i <= 6; ++i) deliver(Instant(1040ms) + i * 1ms, i);
  EXPECT_EQ(detect(Instant(1046ms)), Instant(1051ms));
  EXPECT_EQ(board.lost_bytes(), 0U);
}

TEST_F(RackTest, DuplicatesWidenTheWindowOncePerRoundTrip) {
  deliver(Instant(1042ms), 2);
  deliver(Instant(1043ms), 0);
  rack.on_duplicate_reported(Sequence(0), Sequence(10'000));
  rack.on_duplicate_reported(Sequence(0), Sequence(10'000));
  deliver(Instant(1043ms), 3);
  EXPECT_EQ(detect(Instant(1043ms)), Instant(1061ms));  // 40 + 2 * 10
  rack.on_duplicate_reported(Sequence(10'000), Sequence(20'000));
  EXPECT_EQ(detect(Instant(1043ms)), Instant(1071ms));
  for (int i = 0; i < 16; ++i) rack.on_recovery_ended();
  EXPECT_EQ(detect(Instant(1043ms)), Instant(1051ms));
}

TEST_F(RackTest, FindsLostRetransmissions) {
  for (int i = 1; i <= 3; ++i) deliver(Instant(1040ms) + i * 1ms, i);
  detect(Instant(1043ms));
  board.on_sent_again(board.front(), Instant(1043ms));
  board.on_sent({Sequence(10'000), Sequence(11'000)}, Instant(1044ms));
  deliver(Instant(1084ms), 10);
  EXPECT_FALSE(detect(Instant(1084ms), true));
  EXPECT_TRUE(board.front().lost);
}

TEST_F(RackTest, AnAnswerToTheOriginalSaysNothingOfTheRetransmission) {
  for (int i = 1; i <= 3; ++i) deliver(Instant(1040ms) + i * 1ms, i);
  detect(Instant(1043ms));
  board.on_sent_again(board.front(), Instant(1043ms));
  deliver(Instant(1045ms), 0);  // 2 ms later: cannot be the answer to that
  detect(Instant(1045ms), true);
  EXPECT_EQ(board.lost_bytes(), 0U);
  EXPECT_EQ(board.in_flight_bytes(), 6000U);
}

TEST_F(RackTest, OnATimeoutOnlyWhatIsOldIsLost) {
  deliver(Instant(1042ms), 2);
  rack.mark_lost_on_timeout(Instant(1044ms), board, rtt);
  EXPECT_EQ(board.lost_bytes(), 4000U);  // 0, 1, 3 and 4, sent 40 ms ago or more
  EXPECT_TRUE(board.front().lost);
}

TEST_F(RackTest, OnATimeoutTheFirstIsLostInAnyCase) {
  rack.mark_lost_on_timeout(Instant(1s), board, rtt);
  EXPECT_TRUE(board.front().lost);
}

}  // namespace
}  // namespace sidestream::tunnel
