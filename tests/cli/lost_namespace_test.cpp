#include "cli/lost_namespace.h"

#include <gtest/gtest.h>

#include <string>

namespace sidestream::cli {
namespace {

constexpr const char* loopback =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
    "    lo:       0       0    0    0    0     0          0         0        0       0\n";

TEST(LostNamespace, Interfaces) {
  EXPECT_TRUE(has_only_loopback(loopback));
  EXPECT_FALSE(has_only_loopback(std::string(loopback) + "  eth0: 1 2 3\n"));
  EXPECT_FALSE(has_only_loopback("tailscale0: 1\n    lo: 1\n"));
  EXPECT_FALSE(has_only_loopback("")) << "what cannot be read proves nothing";
}

// TS-17
TEST(LostNamespace, IsJudgedByInterfacesAndTheDaemonTogether) {
  NamespaceJudge judge;
  EXPECT_FALSE(judge.handle_look(false, true));
  EXPECT_FALSE(judge.handle_look(true, true)) << "the daemon still answers";
  EXPECT_FALSE(judge.handle_look(true, false));
  EXPECT_FALSE(judge.handle_look(false, false)) << "a network that comes back";
  EXPECT_FALSE(judge.handle_look(true, false));
  EXPECT_TRUE(judge.handle_look(true, false));
}

TEST(LostNamespace, NothingIsLostWhereNothingWas) {
  NamespaceJudge judge;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(judge.handle_look(true, false));
}

}  // namespace
}  // namespace sidestream::cli
