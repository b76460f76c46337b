#include "sidecar/discovery_io.h"

#include <gtest/gtest.h>

#include "tests/sidecar/fake_engine_io.h"

namespace sidestream::sidecar {
namespace {

using Fault = FakeEngine::Fault;

std::string labels_of(const std::string& name, const std::string& port) {
  return R"("sidestream.services.)" + name + R"(.publish":":)" + port +
         R"(","sidestream.services.)" + name + R"(.port":")" + port + "\"";
}

class DiscoveryIoTest : public testing::Test {
 protected:
  DiscoveryIoTest() { engine_.boxes["web"] = {.labels = labels_of("web", "80")}; }
  ~DiscoveryIoTest() override {
    world_.run(group_.stop());
    // Whatever happened: nothing but GET, and nothing but these.
    EXPECT_FALSE(engine_.requests.empty());
    for (const std::string& request : engine_.requests)
      EXPECT_TRUE(request.starts_with("GET /")) << request;
  }

  void begin() {
    group_.spawn(discovery_.run(), [](const std::exception_ptr&) { FAIL() << "it ended"; });
  }

  std::string services() {
    std::string text;
    for (const ServiceConfiguration& service : discovery_.services({}))
      text += (text.empty() ? "" : " ") + service.backends.front().address.text();
    return text;
  }
  // Whether the services become these within the time.
  bool become(const std::string& wanted, Duration at_most) {
    return world_.run_until([&] { return services() == wanted; }, at_most);
  }
  [[nodiscard]] std::size_t count(const std::string& request) const {
    return static_cast<std::size_t>(std::ranges::count(engine_.requests, request));
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.168.1.10")});
  Log log_{LogSettings{}, world_.timers(), [this](std::string_view line) { lines_ += line; }};
  std::string lines_;
  std::size_t changes_ = 0;
  FakeEngine engine_{world_, home_, "/run/docker.sock"};
  LabelDiscovery discovery_{home_.network(),
                            {.socket = *EngineAddress::parse("unix:/run/docker.sock"),
                             .own_container = "",
                             .in_container = false},
                            log_,
                            [this] { ++changes_; }};
  TaskGroup group_{world_.loop().executor()};
};

TEST_F(DiscoveryIoTest, FollowsContainersByEvents) {
  engine_.start();
  begin();
  EXPECT_TRUE(become("10.1.0.2:80", 1s));
  world_.advance(5s);
  const std::size_t lists = count("GET /v1.41/containers/json");
  EXPECT_LE(lists, 2U);
  // A new one, another address, unhealthy, healthy, gone: within 300 ms each.
  engine_.boxes["ssh"] = {.labels = labels_of("ssh", "22"), .address = "10.1.0.3"};
  engine_.emit("start", "ssh");
  EXPECT_TRUE(become("10.1.0.3:22 10.1.0.2:80", 300ms));
  engine_.boxes["ssh"].address = "10.1.0.9";
  engine_.emit("start", "ssh");
  EXPECT_TRUE(become("10.1.0.9:22 10.1.0.2:80", 300ms));
  engine_.boxes["ssh"].health = "unhealthy";
  engine_.emit("health_status: unhealthy", "ssh");
  EXPECT_TRUE(become("10.1.0.2:80", 300ms));
  EXPECT_EQ(discovery_.status().problems,
            std::vector<std::string>{"container ssh is unhealthy, so it does not serve ssh"});
  engine_.boxes["ssh"].health = "healthy";
  engine_.emit("health_status: healthy", "ssh");
  EXPECT_TRUE(become("10.1.0.9:22 10.1.0.2:80", 300ms));
  engine_.boxes.erase("ssh");
  engine_.emit("destroy", "ssh");
  EXPECT_TRUE(become("10.1.0.2:80", 300ms));
  EXPECT_EQ(count("GET /v1.41/containers/json"), lists) << "only who had an event was asked";
}

TEST_F(DiscoveryIoTest, ABurstOfEventsIsAskedOnce) {
  engine_.start();
  begin();
  EXPECT_TRUE(become("10.1.0.2:80", 1s));
  world_.advance(1s);
  const std::size_t before = count("GET /v1.41/containers/web/json");
  for (int i = 0; i < 100; ++i) engine_.emit("health_status: healthy", "web");
  world_.advance(1s);
  EXPECT_LE(count("GET /v1.41/containers/web/json"), before + 2);
}

TEST_F(DiscoveryIoTest, AnEventThatWasLostIsMadeUpFor) {
  engine_.start();
  begin();
  EXPECT_TRUE(become("10.1.0.2:80", 1s));
  engine_.boxes["web"].address = "10.1.0.7";
  EXPECT_TRUE(become("10.1.0.7:80", 31s));
}

TEST_F(DiscoveryIoTest, AnEngineThatBeginsItsEventsLateIsAskedMeanwhile) {
  engine_.fault = Fault::late_events;
  engine_.start();
  begin();
  EXPECT_TRUE(become("10.1.0.2:80", 1s));
  engine_.boxes["web"].address = "10.1.0.7";
  EXPECT_TRUE(become("10.1.0.7:80", 3s));
}

TEST_F(DiscoveryIoTest, AMissingSocketIsTriedAgainForEver) {
  engine_.requests.push_back("GET /nothing yet");
  begin();
  world_.advance(1h);
  EXPECT_EQ(services(), "");
  EXPECT_FALSE(discovery_.status().connected);
  EXPECT_EQ(discovery_.status().problem, "No such file or directory");
  EXPECT_LT(lines_.size(), 500U) << "the log says it once: " << lines_;
  engine_.start();
  EXPECT_TRUE(become("10.1.0.2:80", 5s));
  EXPECT_TRUE(discovery_.status().connected);
}

TEST_F(DiscoveryIoTest, ARestartKeepsWhatIsKnownAndIsMadeUpFor) {
  engine_.start();
  begin();
  EXPECT_TRUE(become("10.1.0.2:80", 1s));
  engine_.stop();
  world_.advance(1min);
  EXPECT_EQ(services(), "10.1.0.2:80");
  EXPECT_FALSE(discovery_.status().connected);
  engine_.boxes["web"].address = "10.1.0.7";
  engine_.boxes["ssh"] = {.labels = labels_of("ssh", "22")};
  engine_.start();
  EXPECT_TRUE(become("10.1.0.2:22 10.1.0.7:80", 5s));
  for (int i = 0; i < 20; ++i) {
    engine_.cut_events();
    engine_.boxes["web"].running = i % 2 == 1;
    EXPECT_TRUE(become(i % 2 == 1 ? "10.1.0.2:22 10.1.0.7:80" : "10.1.0.2:22", 5s)) << i;
  }
}

TEST_F(DiscoveryIoTest, NonsenseChangesNothing) {
  engine_.start();
  begin();
  EXPECT_TRUE(become("10.1.0.2:80", 1s));
  for (const Fault fault :
       {Fault::garbage, Fault::no_json, Fault::giant, Fault::silent, Fault::forbidden}) {
    engine_.stop();
    engine_.fault = fault;
    engine_.start();
    world_.advance(30s);
    EXPECT_EQ(services(), "10.1.0.2:80") << static_cast<int>(fault);
    EXPECT_FALSE(discovery_.status().connected) << static_cast<int>(fault);
    EXPECT_FALSE(discovery_.status().problem.empty());
    engine_.stop();
    engine_.fault = Fault::none;
    engine_.start();
    EXPECT_TRUE(world_.run_until([&] { return discovery_.status().connected; }, 5s))
        << static_cast<int>(fault);
  }
}

TEST_F(DiscoveryIoTest, SaysWhatIsRefused) {
  engine_.fault = Fault::forbidden;
  engine_.start();
  begin();
  world_.advance(1s);
  EXPECT_EQ(discovery_.status().problem, "it answers 403 to GET /containers/json");
}

TEST_F(DiscoveryIoTest, SpeaksTheVersionOfTheEngine) {
  for (const auto& [version, minimum, spoken] :
       std::vector<std::tuple<std::string, unsigned, std::string>>{{"1.24", 12, "/v1.24"},
                                                                   {"1.41", 12, "/v1.41"},
                                                                   {"1.52", 44, "/v1.44"},
                                                                   {"1.60", 50, ""}}) {
    engine_.api_version = version;
    engine_.api_minimum = minimum;
    engine_.requests.clear();
    engine_.start();
    if (discovery_.status().problem == "it has not answered yet" && group_.empty()) begin();
    EXPECT_TRUE(
        world_.run_until([&] { return count("GET " + spoken + "/containers/web/json") > 0; }, 5s))
        << version;
    engine_.stop();
    world_.advance(1s);
  }
  EXPECT_EQ(services(), "10.1.0.2:80");
}

TEST_F(DiscoveryIoTest, AWrongLabelIsOneLine) {
  engine_.boxes["bad"] = {.labels = R"("sidestream.services.bad.publish":"22")"};
  engine_.start();
  begin();
  EXPECT_TRUE(become("10.1.0.2:80", 1s));
  world_.advance(5min);
  static_cast<void>(services());
  const auto status = discovery_.status();
  EXPECT_EQ(status.containers, 2U);
  ASSERT_EQ(status.problems.size(), 2U);
  EXPECT_TRUE(status.problems[0].starts_with("container bad: sidestream.services.bad.p"));
  const std::size_t first = lines_.find("label not understood");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(lines_.find("services.bad.port", lines_.find("services.bad.port") + 1),
            std::string::npos)
      << "said once";
}

}  // namespace
}  // namespace sidestream::sidecar
