#include "edge/session_order.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

using control::Refusal;

TEST(SessionOrder, IdsHaveOneText) {
  const SessionId id{0xdeadbeef, 42};
  EXPECT_EQ(id.text(), "deadbeef-42");
  EXPECT_EQ(SessionId::parse("deadbeef-42"), id);
  const SessionId largest{~0ULL, ~0ULL};
  EXPECT_EQ(SessionId::parse(largest.text()), largest);
  for (const char* text :
       {"", "-", "1-", "-1", "DEADBEEF-42", "0deadbeef-42", "deadbeef-042", "deadbeef-42 ",
        "deadbeef--1", "1-18446744073709551616", "x-1", "1-2-3"}) {
    EXPECT_EQ(SessionId::parse(text), std::nullopt) << text;
  }
}

TEST(SessionOrder, AStateBeginsASessionAHeartbeatDoesNot) {
  SessionOrder order;
  EXPECT_EQ(order.check(1, 1, true), Refusal::session_unknown);
  order.open(1);
  EXPECT_FALSE(order.active());
  EXPECT_EQ(order.check(1, 1, false), Refusal::session_unknown);
  EXPECT_EQ(order.check(1, 1, true), std::nullopt);
  EXPECT_TRUE(order.accept(1, 1));
  EXPECT_TRUE(order.active());
  EXPECT_EQ(order.check(1, 2, false), std::nullopt);
  EXPECT_FALSE(order.accept(1, 2));
}

TEST(SessionOrder, SequenceNumbersOnlyGrow) {
  SessionOrder order;
  order.open(1);
  order.accept(1, 5);
  EXPECT_EQ(order.check(1, 4, true), Refusal::stale_sequence);
  EXPECT_EQ(order.check(1, 5, false), Refusal::stale_sequence);
  EXPECT_EQ(order.check(1, 9, false), std::nullopt);
}

TEST(SessionOrder, ANewerSessionTakesOverWithItsFirstState) {
  SessionOrder order;
  order.open(1);
  order.accept(1, 1);
  order.open(2);
  EXPECT_EQ(order.check(1, 2, true), std::nullopt) << "opening alone changes nothing";
  EXPECT_EQ(order.check(2, 1, false), Refusal::session_unknown);
  EXPECT_EQ(order.check(2, 1, true), std::nullopt);
  EXPECT_TRUE(order.accept(2, 1));
  EXPECT_EQ(order.check(1, 99, true), Refusal::session_superseded);
  EXPECT_EQ(order.check(1, 99, false), Refusal::session_superseded);
}

TEST(SessionOrder, ASessionThatEndedStaysEnded) {
  SessionOrder order;
  order.open(3);
  order.accept(3, 1);
  order.end();
  EXPECT_FALSE(order.active());
  EXPECT_EQ(order.check(3, 2, true), Refusal::session_unknown);
  EXPECT_EQ(order.check(2, 2, true), Refusal::session_unknown);
  order.open(4);
  EXPECT_EQ(order.check(3, 2, true), Refusal::session_unknown);
  EXPECT_EQ(order.check(4, 1, true), std::nullopt);
}

TEST(SessionOrder, OfSessionsThatWereOpenedOnlyTheNewestCounts) {
  SessionOrder order;
  order.open(1);
  order.open(2);
  EXPECT_EQ(order.check(1, 1, true), Refusal::session_unknown);
  EXPECT_EQ(order.check(3, 1, true), Refusal::session_unknown);
  EXPECT_EQ(order.check(2, 1, true), std::nullopt);
}

}  // namespace
}  // namespace sidestream::edge
