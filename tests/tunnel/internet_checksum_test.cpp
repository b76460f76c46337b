#include "tunnel/internet_checksum.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/seeded_random.h"

namespace sidestream::tunnel {
namespace {

// RFC 1071 section 4.1, word by word.
std::uint16_t slow_checksum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8U | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t checksum(const InternetChecksum& sum) {
  std::uint8_t field[2] = {};
  sum.store(field);
  return ByteReader(field).u16();
}

TEST(InternetChecksum, AgreesWithTheExampleOfTheRfc) {
  // RFC 1071 section 3.
  const std::uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(checksum(InternetChecksum().add(bytes)), static_cast<std::uint16_t>(~0xddf2));
}

TEST(InternetChecksum, AgreesWithTheSlowOneAtEveryLengthAndPlace) {
  SeededRandom random(1);
  std::vector<std::uint8_t> bytes(300);
  random.fill(bytes);
  for (std::size_t offset = 0; offset < 9; ++offset)
    for (std::size_t length = 0; length + offset <= bytes.size(); ++length) {
      const Bytes part = Bytes(bytes).subspan(offset, length);
      ASSERT_EQ(checksum(InternetChecksum().add(part)), slow_checksum(part));
    }
}

TEST(InternetChecksum, CarriesAllTheWay) {
  const std::vector<std::uint8_t> ones(70'000, 0xff);
  EXPECT_EQ(checksum(InternetChecksum().add(ones)), slow_checksum(ones));
}

TEST(InternetChecksum, SumsPartsInAnyOrder) {
  const std::uint8_t bytes[] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc};
  const std::uint16_t whole = checksum(InternetChecksum().add(bytes));
  EXPECT_EQ(checksum(InternetChecksum().add_u32(0x56789abc).add_u16(0x1234)), whole);
}

TEST(InternetChecksum, OfIntactBytesIsGood) {
  std::uint8_t bytes[] = {0x12, 0x34, 0, 0, 0x9a, 0xbc, 0x77};
  InternetChecksum().add(bytes).store(MutableBytes(bytes).subspan(2, 2));
  EXPECT_TRUE(InternetChecksum().add(bytes).good());
  for (std::uint8_t& byte : bytes) {
    byte ^= 4;
    EXPECT_FALSE(InternetChecksum().add(bytes).good());
    byte ^= 4;
  }
}

}  // namespace
}  // namespace sidestream::tunnel
