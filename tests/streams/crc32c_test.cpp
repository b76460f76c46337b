#include "streams/crc32c.h"

#include <gtest/gtest.h>

#include <vector>

namespace sidestream {
namespace {

// RFC 3720 appendix B.4.
TEST(Crc32cTest, KnownValues) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0xff)), 0x62a8ab43U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32cTest, GoesOnInParts) {
  const Bytes whole = bytes_of("123456789");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut)
    EXPECT_EQ(crc32c(whole.subspan(cut), crc32c(whole.first(cut))), 0xe3069283U);
}

}  // namespace
}  // namespace sidestream
