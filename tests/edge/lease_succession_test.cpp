#include "edge/lease_succession.h"

#include <gtest/gtest.h>

#include "edge/lease_table.h"

namespace sidestream::edge {
namespace {

using control::EndpointState;
using control::Refusal;

AllowedSidecar sidecar(const std::string& name, std::uint8_t host, const char* allow) {
  return {.name = name,
          .tunnel_address = IpAddress::v4({10, 86, 0, host}),
          .allow = {*control::EndpointPattern::parse(allow)}};
}

// An edge's table, and the one of the process that goes on.
class LeaseSuccessionTest : public testing::Test {
 protected:
  LeaseSuccessionTest() {
    set_up(before);
    session = before.open_session("home", {1, "0.1", "box", "run-1"})->session;
    first = *before.put_state(now, "home", {session, 1, {{":2222", "ssh", 20000, 100}}});
    EXPECT_EQ(first.endpoints[0].state, EndpointState::granted);
    set_up(after);
  }
  static void set_up(LeaseTable& table) {
    table.set_sidecars({sidecar("home", 2, ":2222"), sidecar("shed", 3, ":50001")});
    table.set_public_ports({{2222, 2222}, {50001, 50001}});
    table.on_port_open(2222);
    table.on_port_open(50001);
  }
  static std::size_t replaced(LeaseTable& table) {
    std::size_t count = 0;
    while (const auto event = table.poll_event())
      if (event->kind == LeaseEvent::Kind::process_replaced) ++count;
    return count;
  }

  Instant now{1h};
  LeaseTable before{0xe1, "0.1"};
  LeaseTable after{0xe2, "0.2"};
  std::string session;
  control::StateAnswer first;
};

TEST_F(LeaseSuccessionTest, RoutesAreThereAtOnce) {
  after.continue_from(now, before.succession());
  EXPECT_EQ(after.routes(), before.routes());
  // Only the answers have another revision, since the next process may be configured otherwise.
  LeaseSuccession expected = before.succession();
  EXPECT_GT(after.succession().last_revision, expected.last_revision);
  expected.last_revision = after.succession().last_revision;
  EXPECT_EQ(after.succession(), expected);
}

TEST_F(LeaseSuccessionTest, TheSidecarGoesOnInItsSession) {
  after.continue_from(now, before.succession());
  const auto beat = after.heartbeat(now, "home", {session, 2, first.revision});
  ASSERT_TRUE(beat);
  EXPECT_FALSE(after.put_state(now, "home", {session, 2, {}}));  // stale
  EXPECT_TRUE(after.put_state(now, "home", {session, 3, {}}));
}

TEST_F(LeaseSuccessionTest, ItIsTheSameRunForTheSidecarAndANewSessionIsANewerOne) {
  after.continue_from(now, before.succession());
  EXPECT_EQ(replaced(after), 0U);
  const auto again = after.open_session("home", {1, "0.1", "box", "run-1"});
  EXPECT_EQ(again->run, before.open_session("shed", {1, "0.1", "x", "y"})->run);
  EXPECT_NE(again->session, session);
  ASSERT_TRUE(after.put_state(now, "home", {again->session, 1, {}}));
  EXPECT_EQ(replaced(after), 0U);
  const auto other = after.open_session("home", {1, "0.1", "box", "run-2"});
  ASSERT_TRUE(after.put_state(now, "home", {other->session, 1, {}}));
  EXPECT_EQ(replaced(after), 1U);
}

TEST_F(LeaseSuccessionTest, ALateMessageOfAnOlderSessionChangesNothing) {
  const std::string older = session;
  const std::string newer = before.open_session("home", {1, "0.1", "box", "run-1"})->session;
  ASSERT_TRUE(before.put_state(now, "home", {newer, 1, {{":2222", "ssh", 20000, 100}}}));
  after.continue_from(now, before.succession());
  const auto late = after.put_state(now, "home", {older, 9, {}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().refusal, Refusal::session_superseded);
}

TEST_F(LeaseSuccessionTest, ALeaseLivesAWholeLeaseFromThen) {
  after.continue_from(now + 7s, before.succession());
  EXPECT_EQ(after.next_deadline(), now + 15s);
  after.handle_timeout(now + 15s);
  EXPECT_TRUE(after.routes().empty());
}

TEST_F(LeaseSuccessionTest, WhatTheNewProcessDoesNotAllowIsNotTakenOver) {
  after.set_sidecars({sidecar("home", 2, ":50001")});
  after.continue_from(now, before.succession());
  EXPECT_TRUE(after.routes().empty());
  after.set_sidecars({sidecar("shed", 3, ":2222")});
  LeaseTable other(0xe3, "0.3");
  other.set_sidecars({sidecar("shed", 3, ":2222")});
  other.continue_from(now, before.succession());
  EXPECT_TRUE(other.routes().empty());
}

}  // namespace
}  // namespace sidestream::edge
