#include "edge/sidecar_registry.h"

#include <gtest/gtest.h>

#include "control/ticket_keys.h"

namespace sidestream::edge {
namespace {

const IpPrefix network = *IpPrefix::parse("10.86.0.0/29");

control::Ticket::SecretKey secret(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return control::Ticket::SecretKey(bytes);
}

std::vector<control::EndpointPattern> allow(std::string_view pattern) {
  return {*control::EndpointPattern::parse(pattern)};
}

TicketFacts facts() {
  return {{*HostPort::parse("vps.example.com:51820")},
          control::derive_ticket_keys(secret(0x55)).public_key};
}

EnrolledSidecar configured(std::string name, std::uint8_t fill) {
  EnrolledSidecar sidecar;
  sidecar.name = std::move(name);
  sidecar.public_key = control::derive_ticket_keys(secret(fill)).public_key;
  return sidecar;
}

TEST(SidecarRegistry, InvitesWithTheNextFreeAddressAndForgetsTheSecret) {
  SidecarRegistry registry(network);
  EXPECT_EQ(registry.edge_address().text(), "10.86.0.1");
  const auto ticket = registry.invite("home", allow("*.example.com"), secret(1), facts());
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->sidecar_address.text(), "10.86.0.2");
  EXPECT_EQ(ticket->edge_address.text(), "10.86.0.1");
  EXPECT_TRUE(ticket->is_valid());
  const EnrolledSidecar* home = registry.find("home");
  ASSERT_NE(home, nullptr);
  EXPECT_EQ(home->public_key, control::derive_ticket_keys(secret(1)).public_key);
  EXPECT_EQ(registry.find(*IpAddress::parse("10.86.0.2")), home);
}

TEST(SidecarRegistry, RefusesDoublesAndFullNetworks) {
  SidecarRegistry registry(network);
  ASSERT_TRUE(registry.invite("a", allow(":22"), secret(1), facts()));
  EXPECT_EQ(registry.invite("a", allow(":22"), secret(2), facts()).error(),
            "there is a sidecar \"a\" already; revoke it first or choose another name");
  EXPECT_FALSE(registry.invite("-a", allow(":22"), secret(2), facts()));
  EXPECT_FALSE(registry.invite("b", {}, secret(2), facts()));
  EXPECT_FALSE(registry.add_configured(configured("b", 1), std::nullopt));
  for (std::uint8_t i = 2; i <= 5; ++i)
    ASSERT_TRUE(registry.invite("s" + std::to_string(i), allow(":22"), secret(i), facts()));
  EXPECT_EQ(registry.invite("last", allow(":22"), secret(6), facts()).error(),
            "no address is free in 10.86.0.0/29; use a larger tunnel network");
}

TEST(SidecarRegistry, RevokesTheInvitedOnly) {
  SidecarRegistry registry(network);
  ASSERT_TRUE(registry.add_configured(configured("fixed", 9), std::nullopt));
  ASSERT_TRUE(registry.invite("home", allow(":22"), secret(1), facts()));
  EXPECT_FALSE(registry.revoke("nobody"));
  EXPECT_FALSE(registry.revoke("fixed"));
  ASSERT_TRUE(registry.revoke("home"));
  EXPECT_EQ(registry.find("home"), nullptr);
  EXPECT_TRUE(registry.invite("home", allow(":22"), secret(2), facts()));
}

TEST(SidecarRegistry, RemembersWhoWasRevoked) {
  SidecarRegistry registry(network);
  ASSERT_TRUE(registry.invite("home", allow(":22"), secret(1), facts()));
  ASSERT_TRUE(registry.invite("shed", allow(":23"), secret(2), facts()));
  ASSERT_TRUE(registry.revoke("home"));
  ASSERT_EQ(registry.revoked().size(), 1U);
  const RevokedSidecar* revoked = registry.find_revoked(*IpAddress::parse("10.86.0.2"));
  ASSERT_NE(revoked, nullptr);
  EXPECT_EQ(revoked->name, "home");
  EXPECT_EQ(revoked->public_key, control::derive_ticket_keys(secret(1)).public_key);
  EXPECT_EQ(registry.find(revoked->address), nullptr);
  EXPECT_EQ(registry.find_revoked(*IpAddress::parse("10.86.0.3")), nullptr);
  // The same name is another sidecar with another address now.
  ASSERT_TRUE(registry.invite("home", allow(":22"), secret(3), facts()));
  EXPECT_EQ(registry.find("home")->address.text(), "10.86.0.4");

  SidecarRegistry again(network);
  ASSERT_TRUE(again.load(registry.serialize()));
  EXPECT_EQ(again.serialize(), registry.serialize());
  ASSERT_EQ(again.revoked().size(), 1U);
  EXPECT_TRUE(again.revoked()[0].preshared_key == registry.revoked()[0].preshared_key);
  SidecarRegistry moved(*IpPrefix::parse("10.99.0.0/29"));
  ASSERT_TRUE(moved.load(R"({"version":1,"sidecars":[],"revoked":[{"name":"home","public_key":")" +
                         revoked->public_key.text() +
                         R"(","preshared_key":"gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=",)"
                         R"("address":"10.86.0.2"}]})"));
  EXPECT_TRUE(moved.revoked().empty());
}

TEST(SidecarRegistry, TheRevokedMakeRoomForTheLiving) {
  SidecarRegistry registry(network, {.sidecars_max = 4, .revoked_max = 2});
  for (std::uint8_t i = 1; i <= 4; ++i)
    ASSERT_TRUE(registry.invite("s" + std::to_string(i), allow(":22"), secret(i), facts()));
  for (std::uint8_t i = 1; i <= 3; ++i) ASSERT_TRUE(registry.revoke("s" + std::to_string(i)));
  ASSERT_EQ(registry.revoked().size(), 2U) << "the oldest is forgotten";
  EXPECT_EQ(registry.revoked()[0].name, "s2");
  for (std::uint8_t i = 5; i <= 7; ++i)
    ASSERT_TRUE(registry.invite("s" + std::to_string(i), allow(":22"), secret(i), facts()));
  EXPECT_TRUE(registry.revoked().empty()) << "four together is all that there is place for";

  ASSERT_TRUE(registry.revoke("s7"));
  ASSERT_TRUE(registry.add_configured(configured("back", 7), std::nullopt));
  EXPECT_TRUE(registry.revoked().empty()) << "its key is welcome again";
}

TEST(SidecarRegistry, ASmallNetworkGivesTheAddressesOfTheRevokedAway) {
  SidecarRegistry registry(network);  // five addresses
  for (std::uint8_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(registry.invite("s", allow(":22"), secret(i), facts())) << int{i};
    EXPECT_EQ(registry.find_revoked(registry.find("s")->address), nullptr);
    ASSERT_TRUE(registry.revoke("s"));
  }
}

TEST(SidecarRegistry, ConfiguredAddressesMustFit) {
  SidecarRegistry registry(network);
  EXPECT_FALSE(registry.add_configured(configured("a", 1), IpAddress::parse("10.86.0.1")));
  EXPECT_FALSE(registry.add_configured(configured("a", 1), IpAddress::parse("10.87.0.1")));
  ASSERT_TRUE(registry.add_configured(configured("a", 1), IpAddress::parse("10.86.0.2")));
  EXPECT_EQ(registry.add_configured(configured("b", 2), IpAddress::parse("10.86.0.2")).error(),
            "10.86.0.2 is the address of \"a\"");
}

TEST(SidecarRegistry, SurvivesItsStateFile) {
  SidecarRegistry registry(network);
  ASSERT_TRUE(registry.add_configured(configured("fixed", 9), std::nullopt));
  ASSERT_TRUE(registry.invite("home", allow(":2000-2999"), secret(1), facts()));
  const std::string text = registry.serialize();
  SidecarRegistry again(network);
  ASSERT_TRUE(again.load(text));
  EXPECT_EQ(again.find("fixed"), nullptr) << "it is for edge.yaml to say whether it is there";
  ASSERT_TRUE(again.add_configured(configured("fixed", 9), IpAddress::parse("10.86.0.2")));
  again.retire_missing();
  ASSERT_NE(again.find("home"), nullptr);
  EXPECT_TRUE(again.find("home")->invited);
  EXPECT_TRUE(again.find("home")->preshared_key == registry.find("home")->preshared_key);
  EXPECT_EQ(again.find("home")->address, registry.find("home")->address);
  EXPECT_EQ(again.find("home")->allow, registry.find("home")->allow);
  EXPECT_EQ(again.serialize(), text);
}

TEST(SidecarRegistry, ADamagedStateFileChangesNothing) {
  SidecarRegistry registry(network);
  ASSERT_TRUE(registry.invite("home", allow(":22"), secret(1), facts()));
  const std::string text = registry.serialize();
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    SidecarRegistry damaged(network);
    ASSERT_FALSE(damaged.load(std::string_view(text).substr(0, length))) << length;
    ASSERT_TRUE(damaged.sidecars().empty());
  }
  SidecarRegistry newer(network);
  EXPECT_EQ(newer.load(R"({"version":2,"sidecars":[]})").error(),
            "it was written by a newer version of sidestream");
}

// ---- taken out of edge.yaml --------------------------------------------------------------------

TEST(SidecarRegistry, OneThatIsNoLongerConfiguredIsRevoked) {
  SidecarRegistry before(network);
  ASSERT_TRUE(before.add_configured(configured("home", 1), IpAddress::parse("10.86.0.2")));
  ASSERT_TRUE(before.add_configured(configured("away", 2), IpAddress::parse("10.86.0.3")));
  ASSERT_TRUE(before.add_configured(configured("new", 3), IpAddress::parse("10.86.0.4")));

  SidecarRegistry after(network);
  ASSERT_TRUE(after.load(before.serialize()));
  ASSERT_TRUE(after.add_configured(configured("home", 1), IpAddress::parse("10.86.0.2")));
  // Another key has the address of `new`: it cannot be told.
  ASSERT_TRUE(after.add_configured(configured("new", 4), IpAddress::parse("10.86.0.4")));
  EXPECT_TRUE(after.revoked().empty());
  after.retire_missing();
  ASSERT_EQ(after.revoked().size(), 1U);
  EXPECT_EQ(after.revoked()[0].name, "away");
  EXPECT_EQ(after.revoked()[0].address.text(), "10.86.0.3");
  after.retire_missing();
  EXPECT_EQ(after.revoked().size(), 1U);

  // Over the next restart it stays one, until it is configured again.
  SidecarRegistry later(network);
  ASSERT_TRUE(later.load(after.serialize()));
  ASSERT_TRUE(later.add_configured(configured("home", 1), IpAddress::parse("10.86.0.2")));
  ASSERT_TRUE(later.add_configured(configured("new", 4), IpAddress::parse("10.86.0.4")));
  later.retire_missing();
  EXPECT_EQ(later.revoked().size(), 1U);
  ASSERT_TRUE(later.add_configured(configured("away", 2), IpAddress::parse("10.86.0.3")));
  EXPECT_TRUE(later.revoked().empty());
}

}  // namespace
}  // namespace sidestream::edge
