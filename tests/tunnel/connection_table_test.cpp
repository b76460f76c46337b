#include "tunnel/connection_table.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

class ConnectionTableTest : public testing::Test {
 protected:
  static TcpEnds ends(std::uint16_t remote_port) {
    return {.local = *SocketAddress::parse("10.0.0.1:80"),
            .remote = {*IpAddress::parse("10.0.0.2"), remote_port}};
  }
  ConnectionEntry& add(std::uint16_t remote_port) {
    return table.add(std::make_unique<ConnectionEntry>(Instant(1s), surroundings, ends(remote_port),
                                                       TcpConnection::Secrets{1, 2}));
  }

  SeededRandom random{1};
  TcpLimits limits;
  ChunkPool pool{1 << 20};
  ReplyQueue replies{10};
  TcpSurroundings surroundings{limits, pool, replies, 1420, make_cubic};
  ConnectionTable table{EndsHash{KeyedHash(random)}};
};

TEST_F(ConnectionTableTest, FindsByIdAndByEnds) {
  ConnectionEntry& one = add(1);
  ConnectionEntry& two = add(2);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.find(one.id), &one);
  EXPECT_EQ(table.find(ends(2)), &two);
  EXPECT_EQ(table.find(ends(3)), nullptr);
  EXPECT_EQ(table.find(ConnectionId{12345}), nullptr);
}

TEST_F(ConnectionTableTest, HidesFromSegmentsOnly) {
  ConnectionEntry& one = add(1);
  table.hide(one);
  table.hide(one);
  EXPECT_EQ(table.find(ends(1)), nullptr);
  EXPECT_EQ(table.find(one.id), &one);
  ConnectionEntry& again = add(1);
  table.destroy(one);
  EXPECT_EQ(table.find(ends(1)), &again);
}

TEST_F(ConnectionTableTest, NeverGivesAnIdTwice) {
  const ConnectionId first = add(1).id;
  table.destroy(*table.find(first));
  EXPECT_EQ(table.find(first), nullptr);
  const ConnectionId second = add(1).id;
  EXPECT_NE(first, second);
  EXPECT_EQ(table.find(first), nullptr);
  EXPECT_NE(table.find(second), nullptr);
  EXPECT_EQ(table.size(), 1U);
}

TEST_F(ConnectionTableTest, HashesBothEndsWithTheKey) {
  const EndsHash one{KeyedHash(random)};
  const EndsHash two{KeyedHash(random)};
  EXPECT_EQ(one(ends(1)), one(ends(1)));
  EXPECT_NE(one(ends(1)), one(ends(2)));
  EXPECT_NE(one(ends(1)), two(ends(1)));
  TcpEnds turned = ends(1);
  std::swap(turned.local, turned.remote);
  EXPECT_NE(one(ends(1)), one(turned));
}

}  // namespace
}  // namespace sidestream::tunnel
