#include "tunnel/transmit_turns.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tunnel/bbr.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

class TransmitTurnsTest : public testing::Test {
 protected:
  explicit TransmitTurnsTest(MakeCongestionControl make = make_cubic)
      : surroundings{limits, pool, replies, 1420, make}, turns(make, 1368) {}

  ConnectionEntry& add(std::uint16_t port, const char* remote = "10.0.0.2") {
    const TcpEnds ends{.local = *SocketAddress::parse("10.0.0.1:80"),
                       .remote = {*IpAddress::parse(remote), port}};
    entries.push_back(std::make_unique<ConnectionEntry>(Instant(1s), surroundings, ends,
                                                        TcpConnection::Secrets{1, 2}));
    turns.join(Instant(1s), *entries.back());
    return *entries.back();
  }
  ~TransmitTurnsTest() override {
    for (auto& entry : entries) {
      turns.on_over(*entry);
      StackPeer& peer = *entry->peer;
      peer.connections.remove(*entry);
      entry.reset();
      turns.release(peer);
    }
  }
  // Whose turn it is, what it may do, and then that it sent so much.
  void expect_turn(const ConnectionEntry& entry, bool text, bool thin, std::size_t sends) {
    const auto turn = turns.next();
    ASSERT_TRUE(turn);
    EXPECT_EQ(turn->entry, &entry);
    EXPECT_EQ(turn->send.text, text);
    EXPECT_EQ(turn->send.thin, thin);
    turns.on_polled(*turn, sends);
  }

  SeededRandom random{1};
  TcpLimits limits;
  ChunkPool pool{1 << 20};
  ReplyQueue replies{10};
  TcpSurroundings surroundings;
  TransmitTurns turns;
  std::vector<std::unique_ptr<ConnectionEntry>> entries;
};

class SharedTurnsTest : public TransmitTurnsTest {
 protected:
  SharedTurnsTest() : TransmitTurnsTest(make_bbr) {}
};

constexpr std::size_t whole_turn = turn_bytes;

TEST_F(TransmitTurnsTest, WhoIsAloneGoesOn) {
  ConnectionEntry& one = add(1);
  EXPECT_FALSE(turns.next());
  turns.on_change(one);
  for (int i = 0; i < 5; ++i) expect_turn(one, true, false, whole_turn);
  expect_turn(one, true, false, 0);
  EXPECT_FALSE(turns.next());
}

TEST_F(TransmitTurnsTest, TwoTakeTurns) {
  ConnectionEntry& one = add(1);
  ConnectionEntry& two = add(2);
  turns.on_change(one);
  turns.on_change(two);
  expect_turn(one, true, false, whole_turn);
  expect_turn(two, true, true, whole_turn);
  for (int i = 0; i < 3; ++i) {
    expect_turn(one, true, false, whole_turn / 2);
    expect_turn(one, true, false, whole_turn / 2);
    expect_turn(two, true, false, whole_turn);
  }
  expect_turn(one, true, false, 0);
  expect_turn(two, true, false, whole_turn);
  expect_turn(two, true, false, 0);
  EXPECT_FALSE(turns.next());
}

TEST_F(TransmitTurnsTest, WhoSentTooMuchHasLessNextTime) {
  ConnectionEntry& one = add(1);
  ConnectionEntry& two = add(2);
  turns.on_change(one);
  expect_turn(one, true, false, whole_turn + 1000);
  turns.on_change(two);
  expect_turn(two, true, true, whole_turn);
  expect_turn(one, true, false, whole_turn - 1000);
  expect_turn(two, true, false, whole_turn);
}

TEST_F(TransmitTurnsTest, AThinOneGoesFirstUntilItIsThinNoMore) {
  ConnectionEntry& bulk = add(1);
  ConnectionEntry& thin = add(2);
  turns.on_change(bulk);
  for (int i = 0; i < 3; ++i) expect_turn(bulk, true, false, whole_turn);
  turns.on_change(thin);
  expect_turn(thin, true, true, 1000);
  expect_turn(thin, true, true, 0);
  turns.on_change(thin);
  expect_turn(thin, true, true, whole_turn);
  // It waits now, and what happens to it gives it no text before its turn.
  turns.on_change(thin);
  expect_turn(thin, false, false, 0);
  expect_turn(bulk, true, false, whole_turn);
  expect_turn(thin, true, false, 0);
  // That was a turn with nothing to say: it is thin again.
  turns.on_change(thin);
  expect_turn(thin, true, true, 1000);
}

TEST_F(TransmitTurnsTest, AcknowledgmentsNeedNoTurn) {
  ConnectionEntry& one = add(1);
  ConnectionEntry& two = add(2);
  turns.on_change(one);
  turns.on_change(two);
  expect_turn(one, true, false, whole_turn);
  expect_turn(two, true, true, whole_turn);
  turns.on_change(two);
  expect_turn(two, false, false, 52);
  expect_turn(two, false, false, 0);
  expect_turn(one, true, false, whole_turn);
}

TEST_F(TransmitTurnsTest, PeersTakeTurnsToo) {
  ConnectionEntry& here = add(1);
  ConnectionEntry& there = add(2, "10.0.0.3");
  turns.on_change(here);
  turns.on_change(there);
  expect_turn(here, true, false, whole_turn);
  expect_turn(there, true, false, whole_turn);
  expect_turn(here, true, false, whole_turn);
  expect_turn(there, true, false, whole_turn);
}

TEST_F(TransmitTurnsTest, WhoIsOverHasNoTurn) {
  ConnectionEntry& one = add(1);
  ConnectionEntry& two = add(2);
  turns.on_change(one);
  turns.on_change(two);
  expect_turn(one, true, false, whole_turn);
  turns.on_over(one);
  turns.on_over(two);
  EXPECT_FALSE(turns.next());
}

TEST_F(TransmitTurnsTest, UnderACongestionControlPerStreamNothingIsShared) {
  ConnectionEntry& one = add(1);
  EXPECT_EQ(one.peer->macroflow, nullptr);
}

TEST_F(SharedTurnsTest, ConnectionsToOnePeerShareAMacroflow) {
  ConnectionEntry& one = add(1);
  ConnectionEntry& two = add(2);
  ConnectionEntry& there = add(2, "10.0.0.3");
  EXPECT_NE(one.peer->macroflow, nullptr);
  EXPECT_EQ(one.peer, two.peer);
  EXPECT_NE(one.peer, there.peer);
}

}  // namespace
}  // namespace sidestream::tunnel
