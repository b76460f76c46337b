#include "control/tailnet_status.h"

#include <gtest/gtest.h>

namespace sidestream::control {
namespace {

TEST(TailnetStatus, RoundTrips) {
  const TailnetStatus status{
      .socket = "/run/tailscale/tailscaled.sock",
      .state = "Running",
      .problem = "",
      .version = "1.102.3",
      .name = "home.tn.test",
      .addresses = {"100.64.0.1", "fd7a:115c:a1e0::1"},
      .userspace = true,
      .key_expiry = "2026-11-21 15:04 UTC",
      .warnings = {"a: b"},
      .paths = {{"100.64.0.2", "192.0.2.1:41641", "", "", 12ms}, {"100.64.0.3", "", "hs", "", {}}}};
  JsonProblem problem;
  EXPECT_EQ(read_tailnet_status(JsonFields(json_of(status), "", problem)), status);
  EXPECT_EQ(problem, "");
}

TEST(TailnetStatus, TellsWhatIsMissing) {
  JsonProblem problem;
  EXPECT_EQ(read_tailnet_status(JsonFields(JsonObject{}, "tailnet", problem)), TailnetStatus());
  EXPECT_EQ(problem, "tailnet.userspace: expected true or false");
}

}  // namespace
}  // namespace sidestream::control
