#include "streams/datagram_paths.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

SocketAddress remote(std::uint32_t number) {
  return {IpAddress::v4(0x0a000000 + number / 60000), static_cast<std::uint16_t>(number % 60000)};
}

TEST(DatagramPaths, RemembersAndForgets) {
  DatagramPaths paths;
  EXPECT_EQ(paths.find(remote(1)), nullptr);
  paths.get(remote(1)).local = IpAddress::v4(0x7f000001);
  ASSERT_NE(paths.find(remote(1)), nullptr);
  EXPECT_EQ(paths.get(remote(1)).local, IpAddress::v4(0x7f000001));
  paths.forget(remote(1));
  EXPECT_EQ(paths.find(remote(1)), nullptr);
}

TEST(DatagramPaths, UnspecifiedRemoteIsNotThereByChance) {
  DatagramPaths paths;
  EXPECT_EQ(paths.find(SocketAddress()), nullptr);
}

TEST(DatagramPaths, FloodNeverMixesAddressesUp) {
  DatagramPaths paths;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    DatagramPaths::Path& path = paths.get(remote(i));
    EXPECT_FALSE(path.local.has_value());
    path.local = remote(i).address;
    path.interface = i;
  }
  int found = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    if (const DatagramPaths::Path* path = paths.find(remote(i))) {
      ++found;
      EXPECT_EQ(path->interface, i);
    }
  }
  EXPECT_GT(found, 0);
  EXPECT_LE(found, 1024);
}

}  // namespace
}  // namespace sidestream
