#include "sidecar/discovery.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

std::string listed(const std::vector<std::pair<std::string, bool>>& containers) {
  std::string text = "[";
  for (const auto& [id, has_labels] : containers)
    text += std::string(text.size() > 1 ? "," : "") + R"({"Id":")" + id + R"(","Labels":{)" +
            (has_labels ? R"("sidestream.services.x.port":"1")" : "") + "}}";
  return text + "]";
}

std::string described(const std::string& id, const std::string& mode = "back",
                      const std::string& port = "22", bool running = true) {
  const std::string networks =
      mode.starts_with("container:") ? "" : "\"" + mode + R"(":{"IPAddress":"10.1.0.2"})";
  const std::string labels = port.empty() ? ""
                                          : R"("sidestream.services.)" + id + R"(.publish":":)" +
                                                port + R"(","sidestream.services.)" + id +
                                                R"(.port":")" + port + "\"";
  return R"({"Id":")" + id + R"(","Name":"/)" + id + R"(","State":{"Running":)" +
         (running ? "true" : "false") + R"(},"HostConfig":{"NetworkMode":")" + mode +
         R"("},"NetworkSettings":{"Networks":{)" + networks + R"(}},"Config":{"Labels":{)" +
         labels + "}}}";
}

std::string event(const std::string& action, const std::string& id) {
  return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id + R"("}})";
}

class DiscoveryTest : public testing::Test {
 protected:
  std::string questions() {
    std::string text;
    while (const auto id = discovery_.poll_question()) text += (text.empty() ? "" : " ") + *id;
    return text;
  }
  std::string services() const {
    std::string text;
    for (const ServiceConfiguration& service : discovery_.services({}).services)
      text += (text.empty() ? "" : " ") + service.backends.front().address.text();
    return text;
  }

  Discovery discovery_{"me", true};
};

TEST_F(DiscoveryTest, AsksForWhatHasLabelsAndForItself) {
  ASSERT_TRUE(discovery_.handle_list(listed({{"a", true}, {"b", false}, {"c", true}})));
  EXPECT_EQ(questions(), "a c me");
  EXPECT_TRUE(discovery_.handle_container("a", described("a")));
  EXPECT_TRUE(discovery_.handle_container("c", described("c", "other", "23")));
  EXPECT_TRUE(discovery_.handle_container("me", described("me", "back", "")));
  EXPECT_EQ(services(), "a:22");  // c is in no network of ours
  EXPECT_EQ(discovery_.labelled(), 2U);
}

TEST_F(DiscoveryTest, EventsSayWhomToAskAgain) {
  ASSERT_TRUE(discovery_.handle_list(listed({{"a", true}})));
  EXPECT_EQ(questions(), "a me");
  ASSERT_TRUE(discovery_.handle_container("a", described("a")));
  EXPECT_EQ(discovery_.handle_event(event("die", "a")), false);
  EXPECT_EQ(questions(), "a");
  ASSERT_TRUE(discovery_.handle_container("a", described("a", "back", "22", false)));
  EXPECT_EQ(services(), "");
  EXPECT_EQ(discovery_.handle_event(event("exec_start: x", "a")), false);
  EXPECT_EQ(questions(), "");
  EXPECT_EQ(discovery_.handle_event(R"({"Type":"network","Action":"connect"})"), true);
  EXPECT_FALSE(discovery_.handle_event("nonsense"));
  // One that nobody knew.
  EXPECT_EQ(discovery_.handle_event(event("start", "b")), false);
  EXPECT_EQ(questions(), "b");
  ASSERT_TRUE(discovery_.handle_container("b", described("b")));
  EXPECT_EQ(services(), "10.1.0.2:22");
  EXPECT_EQ(discovery_.handle_event(event("destroy", "b")), false);
  EXPECT_EQ(questions(), "b");
  discovery_.handle_gone("b");
  EXPECT_EQ(services(), "");
}

TEST_F(DiscoveryTest, FollowsTheNetworkOfAnother) {
  ASSERT_TRUE(discovery_.handle_list(listed({{"a", true}, {"vpn", false}})));
  EXPECT_EQ(questions(), "a me");
  ASSERT_TRUE(discovery_.handle_container("a", described("a", "container:vpn")));
  EXPECT_EQ(services(), "");
  EXPECT_EQ(questions(), "vpn");
  ASSERT_TRUE(discovery_.handle_container("vpn", described("vpn", "back", "")));
  EXPECT_EQ(services(), "10.1.0.2:22");
}

TEST_F(DiscoveryTest, TheListForgetsWhoIsNotThere) {
  ASSERT_TRUE(discovery_.handle_list(listed({{"a", true}})));
  ASSERT_TRUE(discovery_.handle_container("a", described("a")));
  EXPECT_EQ(services(), "10.1.0.2:22");
  ASSERT_TRUE(discovery_.handle_list("[]"));
  EXPECT_EQ(services(), "");
}

TEST_F(DiscoveryTest, AnAnswerThatIsNoneChangesNothing) {
  ASSERT_TRUE(discovery_.handle_list(listed({{"a", true}})));
  ASSERT_TRUE(discovery_.handle_container("a", described("a")));
  for (const std::string garbage : {"", "{}", "[{}]", "SSH-2.0", R"({"message":"no"})"}) {
    EXPECT_FALSE(discovery_.handle_list(garbage)) << garbage;
    EXPECT_FALSE(discovery_.handle_container("a", garbage)) << garbage;
    EXPECT_EQ(services(), "10.1.0.2:22");
  }
  std::vector<std::pair<std::string, bool>> many;
  for (int i = 0; i < 257; ++i) many.emplace_back("c" + std::to_string(i), true);
  EXPECT_EQ(discovery_.handle_list(listed(many)).error(),
            "it has 257 containers with labels; 256 are allowed");
  EXPECT_EQ(services(), "10.1.0.2:22");
}

// The sidecar's own networks decide; when they are not known, the likely ones.
TEST_F(DiscoveryTest, WorksWithoutKnowingItself) {
  ASSERT_TRUE(discovery_.handle_list(listed({{"a", true}})));
  discovery_.handle_gone("me");
  ASSERT_TRUE(discovery_.handle_container("a", described("a", "bridge")));
  EXPECT_EQ(services(), "10.1.0.2:22");
  Discovery on_host("", false);
  ASSERT_TRUE(on_host.handle_list(listed({{"a", true}})));
  EXPECT_EQ(on_host.poll_question(), "a");
  EXPECT_FALSE(on_host.poll_question());
}

}  // namespace
}  // namespace sidestream::sidecar
