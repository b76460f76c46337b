#include "edge/edge_handover.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

EdgeHandover handover() {
  EdgeHandover all;
  all.leases = {.epoch = ~std::uint64_t{0}, .last_session = 7, .last_revision = 9, .sidecars = {}};
  LeaseSuccession::Sidecar home;
  home.name = "home";
  home.place = {.active = true, .current = 6, .sequence = 44, .opened = 7};
  home.opened = {7, "0.2", "box", "run-2"};
  home.current = {6, "0.1", "box", "run-1"};
  home.last_heartbeat = Instant(1234567890123456789ns);
  home.wanted = {{"*.example.com:443", "web", 20001, 100}, {"no endpoint", "x", 1, 0}};
  LeaseSuccession::Sidecar shed;
  shed.name = "shed";
  home.bans = {{*IpPrefix::parse("198.51.100.0/24"), Instant(123456789ns)}};
  all.leases.sidecars = {home, shed};
  all.endpoints = {
      {"home", *SocketAddress::parse("[2001:db8::1]:51820"), IpAddress::parse("2001:db8::2")},
      {"shed", *SocketAddress::parse("192.0.2.1:51820"), std::nullopt}};
  all.open_ports = {443, 65535};
  all.tunnel.last_timestamp.bytes[3] = 77;
  all.tunnel.connections = {
      {*SocketAddress::parse("10.86.0.1:40000"), *SocketAddress::parse("10.86.0.2:20000")}};
  all.tunnel.predecessors = {{{4711, "0.0.9"}, all.tunnel.connections}, {{1, "0.1"}, {}}};
  return all;
}

TEST(EdgeHandover, IsReadAsItWasWritten) {
  const auto read = parse_edge_handover(serialize(handover()));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, handover());
  EXPECT_EQ(parse_edge_handover(serialize(EdgeHandover())), EdgeHandover());
}

TEST(EdgeHandover, WhatMakesNoSenseIsRefusedWithItsPlace) {
  const std::string text = serialize(handover());
  const auto with = [&](std::string_view what, std::string_view other) {
    std::string changed = text;
    const std::size_t at = changed.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    changed.replace(at, what.size(), other);
    const auto read = parse_edge_handover(changed);
    return read ? "nothing" : read.error();
  };
  EXPECT_EQ(with("[443,65535]", "[443,65536]"), "open_ports: has something that is no port");
  EXPECT_EQ(with("[443,65535]", "[\"443\"]"), "open_ports: has something that is no port");
  EXPECT_EQ(with("[2001:db8::1]:51820", "nowhere"), "endpoints[0].address: is no address");
  EXPECT_EQ(with("\"2001:db8::2\"", "\"here\""), "endpoints[0].local: is no address");
  EXPECT_EQ(with("\"process\":4711", "\"process\":-1").substr(0, 30),
            "tunnel.predecessors[0].process");
  EXPECT_EQ(with("\"connections\":\"", "\"connections\":\"AAAA").substr(0, 18),
            "tunnel.connections");
  EXPECT_EQ(with("\"sequence\":44", "\"sequence\":\"\"").substr(0, 28),
            "leases.sidecars[0].sequence:");
  for (std::size_t bytes = 0; bytes < text.size(); bytes += 7)
    EXPECT_FALSE(parse_edge_handover(text.substr(0, bytes))) << bytes;
}

TEST(EdgeIdentity, NamesWhatDiffers) {
  const EdgeIdentity one{"key", "10.86.0.1", "0.0.0.0:51820", "::"};
  EXPECT_EQ(parse_edge_identity(serialize(one)), one);
  EXPECT_EQ(difference(one, one), "");
  EdgeIdentity other = one;
  other.listen = "0.0.0.0:51821";
  EXPECT_EQ(difference(one, other), "tunnel.listen");
  other.public_key = "another";
  EXPECT_EQ(difference(one, other), "the edge's key in `state`, tunnel.listen");
  other.tunnel_address = "10.87.0.1";
  other.public_address = "192.0.2.1";
  EXPECT_EQ(difference(one, other),
            "the edge's key in `state`, tunnel.network, tunnel.listen, public.address");
}

}  // namespace
}  // namespace sidestream::edge
