#include "tunnel/tcp_seq.h"

#include <gtest/gtest.h>

namespace sidestream::tunnel {
namespace {

TEST(Sequence, WrapsOnTheWireOnly) {
  const Sequence start = Sequence::initial(0xfffffff0);
  const Sequence later = start + 0x20;
  EXPECT_EQ(later.wire(), 0x10U);
  EXPECT_GT(later, start);
  EXPECT_EQ(later.since(start), 0x20U);
}

TEST(Sequence, IsFoundNearAReference) {
  Sequence reference = Sequence::initial(5);
  for (int turns = 0; turns < 10; ++turns) {
    EXPECT_EQ(Sequence::near(reference.wire(), reference), reference);
    EXPECT_EQ(Sequence::near((reference + 1000).wire(), reference), reference + 1000);
    EXPECT_EQ(Sequence::near((reference - 1000).wire(), reference), reference - 1000);
    EXPECT_EQ(Sequence::near((reference + 0x7fffffff).wire(), reference), reference + 0x7fffffff);
    EXPECT_EQ(Sequence::near((reference - 0x80000000).wire(), reference), reference - 0x80000000);
    reference += 0x7fffff00;
  }
}

TEST(SequenceRange, IsHalfOpen) {
  const SequenceRange range{Sequence(10), Sequence(20)};
  EXPECT_EQ(range.size(), 10U);
  EXPECT_TRUE(range.contains(Sequence(10)));
  EXPECT_FALSE(range.contains(Sequence(20)));
  EXPECT_FALSE(range.empty());
  EXPECT_TRUE((SequenceRange{Sequence(10), Sequence(10)}.empty()));
}

}  // namespace
}  // namespace sidestream::tunnel
