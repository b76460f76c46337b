#include "sidecar/sidecar_handover.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

SidecarOffer offer() {
  SidecarOffer all;
  all.links = {{"a b", "vps:51820", *SocketAddress::parse("[::]:40000"), "run-1"},
               {"a c", "other:51820", *SocketAddress::parse("0.0.0.0:40001"), "run-2"}};
  all.services = {{"web", 20000}, {"", 20001}};
  return all;
}

TEST(SidecarHandover, AnOfferIsReadAsItWasWritten) {
  const auto read = parse_sidecar_offer(serialize(offer()));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, offer());
  EXPECT_EQ(parse_sidecar_offer(serialize(SidecarOffer())), SidecarOffer());
  ASSERT_NE(read->find("a c"), nullptr);
  EXPECT_EQ(read->find("a c")->run, "run-2");
  EXPECT_EQ(read->find("a"), nullptr);
}

TEST(SidecarHandover, AStateIsReadAsItWasWritten) {
  SidecarHandover all;
  SidecarHandover::Link link;
  link.id = "a b";
  link.endpoint = SocketAddress::parse("192.0.2.1:51820");
  link.edge_run = "e1";
  link.tunnel.last_timestamp.bytes[1] = 9;
  link.tunnel.connections = {
      {*SocketAddress::parse("10.86.0.2:20000"), *SocketAddress::parse("10.86.0.1:40000")}};
  all.links = {link, {.id = "a c", .endpoint = std::nullopt, .edge_run = "", .tunnel = {}}};
  all.healthy = {{"web", "nas:80, nas:81"}};
  const auto read = parse_sidecar_handover(serialize(all));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(*read, all);
}

TEST(SidecarHandover, WhatMakesNoSenseIsRefusedWithItsPlace) {
  std::string text = serialize(offer());
  text.replace(text.find("[::]:40000"), 10, "nowhere");
  EXPECT_EQ(parse_sidecar_offer(text).error(), "links[0].outer: is no address");
  text = serialize(offer());
  text.replace(text.find("20001"), 5, "0");
  EXPECT_TRUE(parse_sidecar_offer(text).error().starts_with("services[1].port: "));
  EXPECT_FALSE(parse_sidecar_handover("{}"));
}

TEST(SidecarHandover, AnEdgeThatTheNextProcessLacksIsNamed) {
  EdgeEntry entry;
  entry.own_public_key.bytes[0] = 1;
  entry.public_key.bytes[0] = 2;
  SidecarOffer all;
  all.links = {{link_id(entry), "vps:51820", {}, ""}};
  EXPECT_EQ(missing_edge(all, {entry}), "");
  EdgeEntry other = entry;
  other.public_key.bytes[0] = 3;
  EXPECT_EQ(missing_edge(all, {other}), "vps:51820");
  EXPECT_EQ(missing_edge(all, {}), "vps:51820");
}

}  // namespace
}  // namespace sidestream::sidecar
