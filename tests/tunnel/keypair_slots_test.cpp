#include "tunnel/keypair_slots.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

struct KeypairSlotsTest : testing::Test {
  SeededRandom random{1};
  SessionIndices indices;
  KeypairSlots slots;

  std::uint32_t add(bool initiator) {
    SessionIndex index = indices.take(random, PeerId{1});
    const std::uint32_t value = index.value();
    auto keypair = std::make_unique<Keypair>(Keypair::Names{std::move(index), 0}, SessionKeys{},
                                             Instant{}, initiator);
    if (initiator)
      slots.add_as_initiator(std::move(keypair));
    else
      slots.add_as_responder(std::move(keypair));
    return value;
  }
  std::uint32_t current() { return slots.current() ? slots.current()->local_index() : 0; }
  bool has(std::uint32_t index) {
    EXPECT_EQ(slots.find(index) != nullptr, indices.owner_of(index).has_value());
    return slots.find(index) != nullptr;
  }
};

TEST_F(KeypairSlotsTest, InitiatorsKeyIsCurrentAtOnce) {
  EXPECT_TRUE(slots.empty());
  const auto first = add(true);
  EXPECT_EQ(current(), first);
  const auto second = add(true);
  EXPECT_EQ(current(), second);
  EXPECT_TRUE(has(first));
  const auto third = add(true);
  EXPECT_EQ(current(), third);
  EXPECT_TRUE(has(second));
  EXPECT_FALSE(has(first));
  EXPECT_FALSE(slots.confirm(*slots.find(third)));
  EXPECT_FALSE(slots.confirm(*slots.find(second)));
}

TEST_F(KeypairSlotsTest, RespondersKeyWaitsForItsFirstPacket) {
  const auto first = add(true);
  const auto second = add(false);
  EXPECT_EQ(current(), first);
  EXPECT_TRUE(has(second));
  EXPECT_TRUE(slots.confirm(*slots.find(second)));
  EXPECT_FALSE(slots.confirm(*slots.find(second)));
  EXPECT_EQ(current(), second);
  EXPECT_TRUE(has(first));
}

TEST_F(KeypairSlotsTest, NewerResponseReplacesTheWaitingOne) {
  const auto first = add(true);
  const auto second = add(true);
  const auto third = add(false);
  EXPECT_FALSE(has(first));  // previous goes when a next comes
  const auto fourth = add(false);
  EXPECT_EQ(current(), second);
  EXPECT_FALSE(has(third));
  EXPECT_TRUE(has(fourth));
}

TEST_F(KeypairSlotsTest, InitiatorsKeyKeepsTheWaitingOneAsPrevious) {
  const auto first = add(true);
  const auto waiting = add(false);
  const auto second = add(true);
  EXPECT_EQ(current(), second);
  EXPECT_TRUE(has(waiting));
  EXPECT_FALSE(has(first));
  // It is previous now: a packet under it does not make it current.
  EXPECT_FALSE(slots.confirm(*slots.find(waiting)));
  EXPECT_EQ(current(), second);
}

TEST_F(KeypairSlotsTest, ClearFreesTheIndices) {
  add(true);
  add(true);
  add(false);
  slots.clear();
  EXPECT_TRUE(slots.empty());
  EXPECT_EQ(indices.size(), 0U);
}

}  // namespace
}  // namespace sidestream::tunnel
