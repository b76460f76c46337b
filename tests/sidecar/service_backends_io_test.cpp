#include "sidecar/service_backends_io.h"

#include <gtest/gtest.h>

#include <map>

#include "streams/task_group_io.h"
#include "tests/support/simulated_network_io.h"

namespace sidestream::sidecar {
namespace {

// Backends at 192.168.1.20, ports 1, 2 and 3; those in `listening_` accept.
class ServiceBackendsTest : public testing::Test {
 protected:
  ~ServiceBackendsTest() override {
    if (group_) world_.run(group_->stop());
  }
  static Backend backend(int port, unsigned weight = 1) {
    return {*BackendAddress::parse("192.168.1.20:" + std::to_string(port)), weight};
  }
  void start(std::vector<Backend> backends) {
    configuration_.backends = std::move(backends);
    backends_ = std::make_unique<ServiceBackends>(
        home_.network(), configuration_, BackendTls::ReadFile(),
        [this](std::size_t place) { told_ += std::to_string(place); });
    group_ = std::make_unique<TaskGroup>(home_.network().executor());
    group_->spawn(backends_->watch(), [](const std::exception_ptr&) { FAIL(); });
  }
  void listen(int port) {
    listening_[port] = nas_.network().listen(
        {*IpAddress::parse("192.168.1.20"), static_cast<std::uint16_t>(port)}, {});
  }
  // The port that answers a stream, which stays, or why none does; and how long that took.
  std::string connect() {
    const Instant began = home_.network().timers().now();
    auto connecting = world_.start(backends_->connect({}));
    EXPECT_TRUE(world_.run_until([&] { return connecting.done(); }, 11s));
    took_ = home_.network().timers().now() - began;
    auto& result = connecting.result();
    if (!result) return result.error().backend + ": " + result.error().why;
    streams_.push_back(std::move(*result));
    return std::to_string(streams_.back()->stream->remote_address().port);
  }
  std::string states() {
    std::string text;
    for (std::size_t i = 0; i < backends_->size(); ++i)
      text += (i > 0 ? " " : "") + std::string(text_of(backends_->health(i).state()));
    return text;
  }

  World world_{1};
  SimulatedHost& home_ = world_.add_host("home", {*IpAddress::parse("192.168.1.10")});
  SimulatedHost& nas_ = world_.add_host("nas", {*IpAddress::parse("192.168.1.20")});
  ServiceConfiguration configuration_;
  std::unique_ptr<ServiceBackends> backends_;
  std::unique_ptr<TaskGroup> group_;
  std::map<int, std::unique_ptr<Listener>> listening_;
  std::vector<std::unique_ptr<ServiceBackends::Connected>> streams_;
  std::string told_;
  Duration took_{};
};

TEST_F(ServiceBackendsTest, IsHealthyWhileOneOfThemIs) {
  listen(2);
  start({backend(1), backend(2)});
  EXPECT_EQ(backends_->state(), HealthJudge::State::unknown);
  world_.advance(1s);
  EXPECT_EQ(states(), "unhealthy healthy");
  EXPECT_EQ(backends_->state(), HealthJudge::State::healthy);
  EXPECT_EQ(backends_->reason(), "");
  EXPECT_EQ(connect(), "2");
  listen(1);
  world_.advance(3s);
  EXPECT_EQ(connect(), "1");
  EXPECT_EQ(backends_->streams(0), 1U);
  EXPECT_EQ(backends_->streams(1), 1U);
  listening_.clear();
  world_.advance(12s);
  EXPECT_EQ(states(), "unhealthy unhealthy");
  EXPECT_EQ(backends_->state(), HealthJudge::State::unhealthy);
  EXPECT_EQ(backends_->reason(),
            "192.168.1.20:1: Connection refused; 192.168.1.20:2: Connection refused");
  EXPECT_EQ(told_.size(), 5U) << told_;
}

TEST_F(ServiceBackendsTest, AStreamGoesOnToTheNextBeforeAProbeKnows) {
  for (const int port : {1, 2}) listen(port);
  start({backend(1), backend(2)});
  world_.advance(1s);
  EXPECT_EQ(connect(), "1");
  listening_.erase(1);
  EXPECT_EQ(connect(), "2");
  EXPECT_EQ(states(), "healthy healthy");
  EXPECT_LT(took_, 100ms);
  EXPECT_EQ(backends_->counters(0).dials_failed, 1U);
  EXPECT_EQ(connect(), "2");
  EXPECT_EQ(backends_->counters(0).dials_failed, 1U) << "it was not tried again at once";
  listening_.erase(2);
  EXPECT_EQ(connect(), "192.168.1.20:1: Connection refused");
}

TEST_F(ServiceBackendsTest, OneThatSwallowsEverythingLeavesTimeForTheNext) {
  SimulatedHost& dead = world_.add_host("dead", {*IpAddress::parse("192.168.1.30")});
  configuration_.health.kind = HealthKind::none;
  listen(2);
  start({{*BackendAddress::parse("192.168.1.30:1")}, backend(2)});
  dead.set_link(false);
  EXPECT_EQ(connect(), "2");
  EXPECT_EQ(took_ / 1s, 3);
  EXPECT_EQ(connect(), "2");
  EXPECT_LT(took_, 100ms);
  // Alone it has all the time that there is.
  configuration_.backends.pop_back();
  ServiceBackends alone(home_.network(), configuration_, {}, {});
  auto connecting = world_.start(alone.connect({}));
  EXPECT_TRUE(world_.run_until([&] { return connecting.done(); }, 11s));
  EXPECT_FALSE(connecting.result());
}

TEST_F(ServiceBackendsTest, TurnsGoByWeight) {
  configuration_.choice.balance = Balance::round_robin;
  for (const int port : {1, 2}) listen(port);
  start({backend(1, 2), backend(2)});
  world_.advance(1s);
  std::string who;
  for (int i = 0; i < 6; ++i) who += connect();
  EXPECT_EQ(who, "121121");
}

TEST_F(ServiceBackendsTest, AnEndedStreamCountsNoMore) {
  configuration_.choice.balance = Balance::least_streams;
  for (const int port : {1, 2}) listen(port);
  start({backend(1), backend(2)});
  world_.advance(1s);
  std::string who;
  for (int i = 0; i < 4; ++i) who += connect();
  EXPECT_EQ(who, "1212");
  std::erase_if(streams_, [](const auto& one) { return one->place() == 1; });
  EXPECT_EQ(connect() + connect(), "22");
  EXPECT_EQ(backends_->counters(1).streams_in_all, 4U);
}

TEST_F(ServiceBackendsTest, AnotherConfigurationKeepsTheVerdictsOnTheSameBackends) {
  listen(1);
  start({backend(1), backend(2)});
  world_.advance(1s);
  ServiceConfiguration other = configuration_;
  other.backends = {backend(3), backend(1)};
  ServiceBackends next(home_.network(), other, {}, {});
  next.adopt_health(*backends_);
  next.adopt_counters(*backends_);
  EXPECT_EQ(next.health(0).state(), HealthJudge::State::unknown);
  EXPECT_EQ(next.health(1).state(), HealthJudge::State::healthy);
  EXPECT_EQ(next.state(), HealthJudge::State::healthy);
  EXPECT_EQ(next.counters(1).probes_healthy, 1U);
}

TEST_F(ServiceBackendsTest, RetiredTheyAreAskedNoMore) {
  listen(1);
  start({backend(1), backend(2)});
  world_.advance(1s);
  backends_->retire();
  world_.advance(20s);
  EXPECT_EQ(backends_->counters(0).probes_healthy, 1U);
}

}  // namespace
}  // namespace sidestream::sidecar
