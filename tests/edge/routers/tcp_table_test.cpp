#include "edge/routers/tcp_table.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

constexpr std::string_view heading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

TEST(TcpTable, HasThePortsOnWhichSomebodyListens) {
  const std::string table =
      std::string(heading) +
      "   0: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
      "   1: 0100007F:46E5 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0\n"
      "  12: 00000000000000000000000000000000:08AE 00000000000000000000000000000000:0000 0A 0:0\n";
  EXPECT_EQ(listening_ports(table), (std::set<std::uint16_t>{443, 2222}));
}

TEST(TcpTable, WhatIsNoTableHasNone) {
  EXPECT_TRUE(listening_ports("").empty());
  EXPECT_TRUE(listening_ports(heading).empty());
  EXPECT_TRUE(
      listening_ports("\n\n 0: x x 0A\n0: :FFFFF x 0A\n0: 1:1BBz x 0A\n0: 1: x 0A").empty());
}

}  // namespace
}  // namespace sidestream::edge
