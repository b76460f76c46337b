#include "tunnel/session_indices.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

TEST(SessionIndices, AreUniqueAndFreeAgainAfterUse) {
  SeededRandom random(1);
  SessionIndices indices;
  std::vector<SessionIndex> taken;
  for (std::uint32_t i = 0; i < 1000; ++i) taken.push_back(indices.take(random, PeerId{i}));
  EXPECT_EQ(indices.size(), 1000U);
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(indices.owner_of(taken[i].value()), PeerId{i});
  const std::uint32_t first = taken.front().value();
  taken.erase(taken.begin());
  EXPECT_FALSE(indices.owner_of(first));
  taken.clear();
  EXPECT_EQ(indices.size(), 0U);
}

// A source that repeats itself: the index that is taken already is not given out again.
TEST(SessionIndices, SkipTheOnesInUse) {
  SessionIndices indices;
  SeededRandom random(5);
  SeededRandom same(5);
  const SessionIndex first = indices.take(random, PeerId{1});
  const SessionIndex second = indices.take(same, PeerId{2});
  EXPECT_NE(first.value(), second.value());
}

TEST(SessionIndices, MoveWithTheirOwner) {
  SeededRandom random(1);
  SessionIndices indices;
  SessionIndex first = indices.take(random, PeerId{1});
  const std::uint32_t value = first.value();
  SessionIndex second = std::move(first);
  EXPECT_EQ(second.value(), value);
  EXPECT_TRUE(indices.owner_of(value));
  second = indices.take(random, PeerId{2});
  EXPECT_FALSE(indices.owner_of(value));
  EXPECT_EQ(indices.size(), 1U);
}

}  // namespace
}  // namespace sidestream::tunnel
