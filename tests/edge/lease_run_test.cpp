// Which process of a sidecar speaks: another one has none of its streams.
#include <gtest/gtest.h>

#include "edge/lease_table.h"

namespace sidestream::edge {
namespace {

class LeaseRunTest : public testing::Test {
 protected:
  LeaseRunTest() {
    table_.set_sidecars({{.name = "home",
                          .tunnel_address = IpAddress::v4({10, 86, 0, 2}),
                          .allow = {*control::EndpointPattern::parse(":2222")}}});
    table_.set_public_ports({{2222, 2222}});
  }

  // How often the table said that the process was replaced.
  int publish(const std::string& run) {
    const auto session = table_.open_session("home", {1, "0.1", "box", run});
    EXPECT_TRUE(session);
    EXPECT_EQ(replaced(), 0) << "opening a session changes nothing";
    EXPECT_TRUE(table_.put_state(now_, "home", {session->session, 1, {}}));
    return replaced();
  }
  int replaced() {
    int count = 0;
    while (const auto event = table_.poll_event())
      count += event->kind == LeaseEvent::Kind::process_replaced ? 1 : 0;
    return count;
  }

  LeaseTable table_{0xe1, "9.9"};
  Instant now_{100s};
};

TEST_F(LeaseRunTest, AnotherRunIsToldOnce) {
  EXPECT_EQ(publish("cafe"), 0);
  EXPECT_EQ(publish("cafe"), 0);
  EXPECT_EQ(publish("beef"), 1);
  EXPECT_EQ(publish("beef"), 0);
}

TEST_F(LeaseRunTest, ItIsRememberedWhenTheLeaseIsOver) {
  EXPECT_EQ(publish("cafe"), 0);
  now_ += 60s;
  table_.handle_timeout(now_);
  EXPECT_EQ(publish("cafe"), 0);
  now_ += 60s;
  table_.handle_timeout(now_);
  EXPECT_EQ(publish("beef"), 1);
}

TEST_F(LeaseRunTest, ASidecarThatDoesNotSayIsNotJudged) {
  EXPECT_EQ(publish(""), 0);
  EXPECT_EQ(publish("cafe"), 0);
  EXPECT_EQ(publish(""), 1);
}

TEST_F(LeaseRunTest, TheEdgeSaysWhichOneItIs) {
  LeaseTable other(0xe2, "9.9");
  other.set_sidecars({{.name = "home", .tunnel_address = {}, .allow = {}}});
  const auto first = table_.open_session("home", {1, "0.1", "box", "cafe"});
  const auto again = table_.open_session("home", {1, "0.1", "box", "cafe"});
  const auto from_other = other.open_session("home", {1, "0.1", "box", "cafe"});
  EXPECT_EQ(first->run, again->run);
  EXPECT_NE(first->session, again->session);
  EXPECT_NE(first->run, from_other->run);
}

}  // namespace
}  // namespace sidestream::edge
