#include "sidecar/backend_io.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_network_io.h"

namespace sidestream::sidecar {
namespace {

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

class BackendTest : public testing::Test {
 protected:
  std::vector<BackendAddress> backends(const std::vector<std::string>& texts) {
    std::vector<BackendAddress> list;
    for (const std::string& text : texts) list.push_back(*BackendAddress::parse(text));
    return list;
  }
  // The remote address that answered, or the error.
  std::string dial(const std::vector<std::string>& texts, Duration timeout = 10s) {
    auto dialling = world_.start(dial_backend(home_.network(), backends(texts), timeout));
    EXPECT_TRUE(world_.run_until([&] { return dialling.done(); }, timeout + 1s)) << "no limit";
    if (dialling.error()) return dialling.error().message();
    return dialling.result()->remote_address().text();
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {ip("192.168.1.10"), ip("fd00::10")});
  SimulatedHost& nas_ = world_.add_host("nas", {ip("192.168.1.20"), ip("fd00::20")});
};

TEST_F(BackendTest, NamesAreResolvedAtEachDial) {
  const auto v4 = nas_.network().listen({ip("192.168.1.20"), 80}, {});
  const auto v6 = nas_.network().listen({ip("fd00::20"), 80}, {});
  EXPECT_EQ(dial({"nas.test:80"}), "Host not found (authoritative)");
  world_.set_name("nas.test", {ip("192.168.1.20")});
  EXPECT_EQ(dial({"nas.test:80"}), "192.168.1.20:80");
  world_.set_name("nas.test", {ip("fd00::20")});
  EXPECT_EQ(dial({"nas.test:80"}), "[fd00::20]:80");
}

TEST_F(BackendTest, EveryAddressOfANameIsTried) {
  const auto v4 = nas_.network().listen({ip("192.168.1.20"), 80}, {});
  world_.set_name("nas.test", {ip("fd00::20"), ip("192.168.1.20")});
  EXPECT_EQ(dial({"nas.test:80"}), "192.168.1.20:80");
  // One that swallows everything does not use up the time of the next.
  world_.set_name("nas.test", {ip("192.168.1.99"), ip("192.168.1.20")});
  EXPECT_EQ(dial({"nas.test:80"}), "192.168.1.20:80");
}

TEST_F(BackendTest, ABackendThatSwallowsEverythingLeavesTimeForTheNext) {
  SimulatedHost& dead = world_.add_host("dead", {ip("192.168.1.30")});
  dead.set_link(false);
  const auto listener = nas_.network().listen({ip("192.168.1.20"), 80}, {});
  EXPECT_EQ(dial({"192.168.1.30:80", "192.168.1.20:80"}), "192.168.1.20:80");
  EXPECT_EQ(dial({"192.168.1.30:80", "192.168.1.30:81"}), "Connection timed out");
  home_.set_resolver(false);
  EXPECT_EQ(dial({"nas.test:80", "192.168.1.20:80"}), "192.168.1.20:80");
}

TEST_F(BackendTest, UnixSocketsAreBackendsToo) {
  const auto listener = home_.network().listen_unix("/run/app.sock", 0600);
  auto dialling = world_.start(
      dial_backend(home_.network(), backends({"192.168.1.20:80", "unix:/run/app.sock"}), 10s));
  ASSERT_TRUE(world_.run_until([&] { return dialling.done(); }, 11s));
  EXPECT_FALSE(dialling.error());
}

TEST_F(BackendTest, AProbeSaysWhatIsWrong) {
  const auto probe = [&](HealthKind kind) {
    auto probing =
        world_.start(probe_backend(home_.network(), kind, backends({"192.168.1.20:22"}), "", 3s));
    EXPECT_TRUE(world_.run_until([&] { return probing.done(); }, 4s));
    return probing.result() ? std::string("well") : probing.result().error();
  };
  EXPECT_EQ(probe(HealthKind::tcp), "Connection refused");
  const auto listener = nas_.network().listen({ip("192.168.1.20"), 22}, {});
  EXPECT_EQ(probe(HealthKind::tcp), "well");
  EXPECT_EQ(probe(HealthKind::ssh), "Connection timed out") << "it says nothing";
}

}  // namespace
}  // namespace sidestream::sidecar
