#include "tailnet/tailnet_standing.h"

#include <gtest/gtest.h>

namespace sidestream::tailnet {
namespace {

DaemonStatus running() {
  DaemonStatus status;
  status.state = BackendState::running;
  status.self.addresses = {*IpAddress::parse("100.64.0.1")};
  status.self.name = "home.tn.test";
  return status;
}

BusMessage warning(const std::string& code, bool serious) {
  BusMessage message;
  message.warnings.emplace();
  message.warnings->push_back({code, "Title", "Text.", serious});
  return message;
}

// TS-06
TEST(TailnetStanding, EveryStateHasItsSentence) {
  TailnetStanding standing;
  EXPECT_EQ(standing.problem(), "the Tailscale daemon has not answered yet");
  standing.handle_absent();
  EXPECT_EQ(standing.problem(),
            "there is no socket of a Tailscale daemon; is it running, and is the folder of its "
            "socket mounted here?");
  standing.handle_no_answer("Connection refused");
  EXPECT_EQ(standing.problem(), "the Tailscale daemon does not answer: Connection refused");
  EXPECT_EQ(standing.state(), BackendState::unknown);
  DaemonStatus status = running();
  standing.handle_status(status);
  EXPECT_TRUE(standing.ready());
  const auto problem_in = [&](BackendState state) {
    status.state = state;
    standing.handle_status(status);
    EXPECT_EQ(standing.state(), state);
    EXPECT_FALSE(standing.ready());
    return standing.problem();
  };
  status.auth_url = "https://hs.test/a/1";
  EXPECT_EQ(problem_in(BackendState::needs_login),
            "the Tailscale node has to log in at https://hs.test/a/1");
  EXPECT_EQ(problem_in(BackendState::needs_machine_auth),
            "the Tailscale node waits for an administrator of the tailnet to approve it");
  EXPECT_EQ(problem_in(BackendState::stopped),
            "the Tailscale node is stopped; `tailscale up` starts it");
  EXPECT_EQ(problem_in(BackendState::in_use_other_user),
            "the Tailscale daemon is in use by another user of that machine");
  EXPECT_EQ(problem_in(BackendState::starting), "the Tailscale daemon is starting");
  EXPECT_EQ(problem_in(BackendState::unknown),
            "the Tailscale daemon is in a state that this version does not know");
  status = running();
  status.self.addresses.clear();
  EXPECT_EQ(problem_in(BackendState::running), "the Tailscale node has no address yet");
  status = running();
  status.self.expired = true;
  EXPECT_EQ(problem_in(BackendState::running),
            "the key of the Tailscale node has expired; `tailscale up --force-reauth` renews it");
}

TEST(TailnetStanding, OnlyWhatCutsItOffIsAProblem) {
  TailnetStanding standing;
  standing.handle_status(running());
  EXPECT_FALSE(standing.handle_bus(warning("update-available", false)));
  EXPECT_TRUE(standing.ready());
  EXPECT_EQ(standing.warnings().size(), 1U);
  standing.handle_bus(warning("no-derp-home", true));
  EXPECT_EQ(standing.problem(), "Tailscale says: Text.");
  BusMessage starting = warning("no-derp-home", true);
  starting.warnings->push_back({"warming-up", "", "", false});
  standing.handle_bus(starting);
  EXPECT_TRUE(standing.ready()) << "a daemon that has just started always says so";
  EXPECT_TRUE(standing.warnings().empty());
}

// TS-21
TEST(TailnetStanding, AKeyThatExpiresIsToldOnceADay) {
  const WallTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);
  TailnetStanding standing;
  DaemonStatus status = running();
  standing.handle_status(status);
  EXPECT_FALSE(standing.poll_key_warning(now)) << "a node with tags has no expiry";
  status.self.key_expiry = now + 24h * 15;
  standing.handle_status(status);
  EXPECT_FALSE(standing.poll_key_warning(now));
  status.self.key_expiry = now + 24h * 13;
  standing.handle_status(status);
  EXPECT_EQ(standing.poll_key_warning(now),
            "the key of the Tailscale node expires at 2026-12-04 00:00 UTC; renew it with "
            "`tailscale up --force-reauth`, or switch expiry off for this node");
  EXPECT_FALSE(standing.poll_key_warning(now + 23h));
  EXPECT_TRUE(standing.poll_key_warning(now + 24h));
  EXPECT_TRUE(standing.poll_key_warning(now + 1h)) << "a clock that went back warns again";
  EXPECT_EQ(standing.document("/s").key_expiry, "2026-12-04 00:00 UTC");
}

TEST(TailnetStanding, TheDocument) {
  TailnetStanding standing;
  standing.handle_status(running());
  const control::TailnetStatus document = standing.document("/s");
  EXPECT_EQ(document.socket, "/s");
  EXPECT_EQ(document.state, "Running");
  EXPECT_EQ(document.name, "home.tn.test");
  EXPECT_EQ(document.addresses, std::vector<std::string>{"100.64.0.1"});
  EXPECT_EQ(document.problem, "");
}

}  // namespace
}  // namespace sidestream::tailnet
