// One sidecar behind an edge router, and what its clients say and get.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "streams/proxy_header.h"
#include "tests/edge/router_world_io.h"
#include "tests/support/client_hello_builder.h"

namespace sidestream::edge {

inline std::string text(const ByteVector& bytes) {
  return std::string(sidestream::text_of(bytes));
}
inline std::string hello(const std::optional<std::string>& name) {
  return text(client_hello_for(name));
}
inline std::string proxy(std::string_view from, std::string_view to,
                         const std::optional<std::string>& name = std::nullopt) {
  std::optional<ServerName> authority;
  if (name) authority = ServerName::parse(*name).value();
  return text(serialize_proxy_v2(socket_address(from), socket_address(to), authority));
}
inline const std::string unrecognized_name{"\x15\x03\x03\x00\x02\x02\x70", 7};
inline const std::string decode_error{"\x15\x03\x03\x00\x02\x02\x32", 7};

// One sidecar, home, with a name, a port of its own and a port that has both.
class EdgeRouterTest : public testing::Test {
 protected:
  EdgeRouterTest() {
    world.router.set_routes({route("a.test", {target("home", "10.86.0.2:1001")}),
                             route(":2222", {target("home", "10.86.0.2:1002")}),
                             route("a.test:8443", {target("home", "10.86.0.2:1001")}),
                             route(":8443", {target("home", "10.86.0.2:1003")})});
    for (const std::uint16_t port : {std::uint16_t{443}, std::uint16_t{2222}, std::uint16_t{8443}})
      EXPECT_TRUE(world.router.open_port(port));
  }
  void expect_refused(MemoryStream& client, const std::string& answer, StreamEnd end) {
    EXPECT_EQ(client.take(), answer);
    if (answer.empty()) {
      EXPECT_EQ(client.broken(), asio::error::connection_reset);
    } else {
      EXPECT_TRUE(client.at_end());
    }
    client.abort();
    world.settle();
    EXPECT_THAT(world.tunnel.dialled, testing::IsEmpty());
    ASSERT_EQ(world.records.size(), 1U);
    EXPECT_EQ(world.records.back().end, end);
    EXPECT_EQ(world.router.counters().active, 0U);
  }

  RouterWorld world;
};

}  // namespace sidestream::edge
