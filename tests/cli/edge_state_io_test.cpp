#include "cli/edge_state_io.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace sidestream::cli {
namespace {

class EdgeState : public testing::Test {
 protected:
  EdgeState() {
    std::string pattern = std::filesystem::temp_directory_path() / "sidestream-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    state_.emplace(folder_);
  }
  ~EdgeState() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::optional<StateFolder> state_;
  edge::EdgeConfiguration configuration_;
};

TEST_F(EdgeState, KeepsItsKey) {
  ASSERT_TRUE(read_edge_key(*state_));
  EXPECT_FALSE(*read_edge_key(*state_)) << "none yet";
  std::array<std::uint8_t, 32> bytes{};
  bytes[3] = 7;
  const tunnel::PrivateKey key(bytes);
  ASSERT_TRUE(write_edge_key(*state_, key));
  EXPECT_TRUE(**read_edge_key(*state_) == key);
  ASSERT_TRUE(state_->write("edge.key", "hello"));
  EXPECT_TRUE(read_edge_key(*state_).error().starts_with(
      folder_ + "/edge.key does not hold a private key; bring it back"));
}

TEST_F(EdgeState, TheInvitedComeBeforeTheConfigured) {
  ASSERT_TRUE(state_->write("sidecars.json",
                            R"({"version":1,"sidecars":[{"name":"home","public_key":)"
                            R"("gBkLFfpjWGOjVZqpcVbWWQpMSB3oDZiX2UPyByVcEiU=","preshared_key":)"
                            R"("SxEg5sfHVEP6noMv65Q671AkvN/MFUnY7wnvFfjfKnw=",)"
                            R"("address":"10.86.0.2","allow":[":22"]}]})"));
  edge::SidecarEntry shed;
  shed.name = "shed";
  shed.public_key.bytes[0] = 9;
  configuration_.sidecars = {shed};
  const auto registry = read_registry(configuration_, *state_);
  ASSERT_TRUE(registry) << registry.error();
  EXPECT_EQ(registry->find("home")->address.text(), "10.86.0.2");
  EXPECT_EQ(registry->find("shed")->address.text(), "10.86.0.3");

  configuration_.sidecars[0].name = "home";
  EXPECT_EQ(read_registry(configuration_, *state_).error(),
            "sidecars.home: there is a sidecar \"home\" already; revoke it first or choose another "
            "name");
  configuration_.sidecars.clear();
  configuration_.network = *IpPrefix::parse("10.99.0.0/24");
  EXPECT_EQ(read_registry(configuration_, *state_).error(),
            folder_ +
                "/sidecars.json: 10.86.0.2 is not an address for a sidecar in 10.99.0.0/24; if "
                "tunnel.network was changed, put the old one back: tickets hold its addresses");
}

}  // namespace
}  // namespace sidestream::cli
