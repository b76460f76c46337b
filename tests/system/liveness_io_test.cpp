// How soon everything works again after the edge was restarted, the sidecar's address changed, its
// router forgot the mapping, or nothing got through for minutes; and that live streams lose nothing
// by that. In the seeded simulation: SIDESTREAM_SEED=n runs one seed, SIDESTREAM_SEEDS=n so many.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

#include "tests/system/whole_system_fixture_io.h"

namespace sidestream {
namespace {

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

// The smallest number that 95 of 100 do not exceed.
double p95(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at((values.size() * 95 + 99) / 100 - 1);
}

void for_each_seed(std::uint64_t usually, const std::function<void(std::uint64_t)>& run) {
  if (const char* seed = std::getenv("SIDESTREAM_SEED")) {
    run(std::strtoull(seed, nullptr, 10));
    return;
  }
  const char* wanted = std::getenv("SIDESTREAM_SEEDS");
  const char* parts = std::getenv("SIDESTREAM_SEEDS_DIVIDED_BY");
  const std::uint64_t divisor = parts != nullptr ? std::strtoull(parts, nullptr, 10) : 1;
  const std::uint64_t seeds =
      wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : (usually + divisor - 1) / divisor;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("SIDESTREAM_SEED=" + std::to_string(seed));
    run(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

void tell(const std::string& what, const std::vector<double>& times) {
  if (times.empty()) return;
  std::vector<double> sorted = times;
  std::ranges::sort(sorted);
  std::cout << what << ": " << times.size() << " seeds, median " << sorted[sorted.size() / 2]
            << " s, p95 " << p95(times) << " s, worst " << *std::ranges::max_element(times)
            << " s\n";
}

// From the edge's new start until a client's connect is served by the backend, as a client finds
// out that tries again and again.
Duration time_to_good_connect(WholeSystem& system) {
  const Instant began = system.world().now();
  for (;;) {
    auto stream = system.world().start(system.one_stream());
    system.world().run_until([&] { return stream.done(); }, 120s);
    if (stream.done() && !stream.error()) break;
    if (system.world().now() - began > 60s) break;
    system.world().advance(100ms);
  }
  return system.world().now() - began;
}

// `busy`: a stream is under way when the edge dies.
double restart_edge(std::uint64_t seed, const StateFolder* state, bool busy) {
  WholeSystem system(seed);
  system.set_edge_state(state);
  system.conversation().up = system.conversation().down = 100;
  system.start_all();
  if (!system.wait_published(30s)) return 1000;
  system.world().advance(std::chrono::milliseconds(12'000 + system.world().random().below(5000)));
  std::optional<Pending<void>> live;
  if (busy) {
    system.conversation().up = 100'000;
    system.conversation().pause = 100ms;
    live.emplace(system.world().loop().executor(), system.one_stream(),
                 [&system] { system.world().settle(); });
    system.world().advance(1s);
    system.conversation().up = 100;
    system.conversation().pause = {};
  }
  system.kill_edge();
  system.world().advance(2s);
  system.start_edge();
  return seconds(time_to_good_connect(system));
}

class TemporaryState {
 public:
  TemporaryState()
      : path_(std::filesystem::temp_directory_path() /
              ("sidestream-liveness-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    folder_.emplace(path_.string());
    EXPECT_TRUE(folder_->prepare());
  }
  ~TemporaryState() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryState(const TemporaryState&) = delete;
  TemporaryState& operator=(const TemporaryState&) = delete;
  const StateFolder* folder() const { return &*folder_; }

 private:
  std::filesystem::path path_;
  std::optional<StateFolder> folder_;
};

TEST(Liveness, AnEdgeThatWasRestartedServesAgainWithinFiveSeconds) {
  for (const bool busy : {false, true}) {
    for (const bool remembers : {true, false}) {
      std::vector<double> times;
      for_each_seed(100, [&](std::uint64_t seed) {
        const TemporaryState state;
        times.push_back(restart_edge(seed, remembers ? state.folder() : nullptr, busy));
      });
      tell(std::string("edge restarted, ") + (busy ? "busy" : "idle") +
               (remembers ? ", with its state" : ", without endpoints"),
           times);
      EXPECT_LE(p95(times), 5.0);
    }
  }
}

// A stream that lives for about ten seconds, while `disturb` happens to it. How long the longest
// pause was is not looked at; that nothing was lost is.
void survive(std::uint64_t seed, const std::function<void(WholeSystem&)>& disturb) {
  WholeSystem system(seed);
  system.start_all();
  ASSERT_TRUE(system.wait_published(30s));
  system.conversation().up = 60'000;
  system.conversation().down = 60'000;
  system.conversation().piece = 700;
  system.conversation().pause = 100ms;
  auto stream = system.world().start(system.one_stream());
  system.world().advance(std::chrono::milliseconds(1000 + system.world().random().below(2500)));
  ASSERT_FALSE(stream.done());
  disturb(system);
  ASSERT_TRUE(system.world().run_until([&] { return stream.done(); }, 120s)) << "stream hangs";
  ASSERT_FALSE(stream.error()) << stream.error().message();
  ASSERT_TRUE(system.world().run_until([&] { return system.served() == 1; }, 10s));
}

TEST(Liveness, AStreamSurvivesANewAddressOfTheSidecar) {
  for_each_seed(100, [](std::uint64_t seed) {
    survive(seed, [](WholeSystem& system) {
      system.home().set_address_watch(system.world().random().below(2) == 0);
      system.home().add_address(ip("192.168.1.99"));
      system.world().advance(std::chrono::milliseconds(system.world().random().below(300)));
      system.home().remove_address(ip("192.168.1.10"));
    });
  });
}

TEST(Liveness, AStreamSurvivesARouterThatForgetsItsMappings) {
  for_each_seed(100, [](std::uint64_t seed) {
    survive(seed, [](WholeSystem& system) { system.nat().rebind(); });
  });
}

TEST(Liveness, AStreamSurvivesMinutesWithoutTheTunnel) {
  std::vector<double> times;
  for_each_seed(50, [&](std::uint64_t seed) {
    WholeSystem system(seed);
    system.start_all();
    ASSERT_TRUE(system.wait_published(30s));
    system.conversation().up = system.conversation().down = 60'000;
    system.conversation().piece = 700;
    system.conversation().pause = 100ms;
    auto stream = system.world().start(system.one_stream());
    system.world().advance(2s);
    system.world().set_up(system.vps(), system.home(), false);
    const std::chrono::seconds outage(20 + system.world().random().below(800));
    system.world().advance(outage);
    ASSERT_FALSE(stream.done());
    system.world().set_up(system.vps(), system.home(), true);
    const Instant lifted = system.world().now();
    ASSERT_TRUE(system.wait_published(60s));
    times.push_back(seconds(system.world().now() - lifted));
    ASSERT_TRUE(system.world().run_until([&] { return stream.done(); }, 120s)) << "stream hangs";
    ASSERT_FALSE(stream.error()) << stream.error().message();
  });
  tell("published again after UDP was blocked", times);
}

// Nothing gets through for so long, then `wake` happens and everything does. How long until a
// client is served again.
double outage(std::uint64_t seed, Duration length,
              const std::function<void(WholeSystem&)>& wake = {}) {
  WholeSystem system(seed);
  system.conversation().up = system.conversation().down = 100;
  system.start_all();
  if (!system.wait_published(30s)) return 1000;
  system.world().set_up(system.vps(), system.home(), false);
  system.world().advance(length);
  if (wake) wake(system);
  system.world().set_up(system.vps(), system.home(), true);
  return seconds(time_to_good_connect(system));
}

TEST(Liveness, AfterADayWithoutUdpItIsStillTrying) {
  std::vector<double> times;
  for_each_seed(1, [&](std::uint64_t seed) { times.push_back(outage(seed, 24h)); });
  tell("served again after UDP was blocked for a day", times);
  EXPECT_LE(p95(times), 10.0);
}

TEST(Liveness, AHomeThatSleptIsBackAtOnce) {
  std::vector<double> times;
  for_each_seed(10, [&](std::uint64_t seed) {
    times.push_back(outage(seed, 1h, [](WholeSystem& system) {
      // A handshake that is lost is sent again after five seconds only.
      system.world().path(system.vps(), system.home()).conditions().loss = 0;
      system.world().path(system.home(), system.vps()).conditions().loss = 0;
      system.home().sleep(1h);
    }));
  });
  tell("served again after an hour of suspension", times);
  EXPECT_LE(p95(times), 2.0);
}

// What the edge sends must find the sidecar soon, also when the sidecar has nothing to say.
TEST(Liveness, AnIdleSidecarIsFoundAtItsNewAddressWithinAHeartbeat) {
  for (const bool watch : {true, false}) {
    std::vector<double> times;
    for_each_seed(100, [&](std::uint64_t seed) {
      WholeSystem system(seed);
      system.conversation().up = system.conversation().down = 100;
      system.start_all();
      ASSERT_TRUE(system.wait_published(30s));
      system.world().advance(std::chrono::milliseconds(5000 + system.world().random().below(2500)));
      system.home().set_address_watch(watch);
      system.home().add_address(ip("192.168.1.99"));
      system.home().remove_address(ip("192.168.1.10"));
      times.push_back(seconds(time_to_good_connect(system)));
    });
    tell(std::string("new address of an idle sidecar, ") + (watch ? "told" : "not told") +
             " by the system",
         times);
    EXPECT_LE(p95(times), 5.0);
  }
}

// A stream that says nothing, so that nobody finds out by sending.
void begin_silent_stream(WholeSystem& system, std::optional<Pending<void>>& stream) {
  system.conversation().up = system.conversation().down = 20;
  system.conversation().piece = 10;
  system.conversation().pause = 1h;
  stream.emplace(system.world().loop().executor(), system.one_stream(),
                 [&system] { system.world().settle(); });
  system.world().advance(3s);
}

TEST(Liveness, WhatAnEdgeThatWasKilledLeavesBehindEndsSoonAfterItIsBack) {
  std::vector<double> times;
  for_each_seed(50, [&](std::uint64_t seed) {
    WholeSystem system(seed);
    system.start_all();
    ASSERT_TRUE(system.wait_published(30s));
    std::optional<Pending<void>> stream;
    begin_silent_stream(system, stream);
    const std::size_t at_backend = system.at_backend();
    ASSERT_GT(at_backend, 0U);
    system.kill_edge();
    system.world().advance(1s);
    ASSERT_TRUE(stream->done());  // its kernel told the client
    ASSERT_TRUE(stream->error());
    system.world().advance(1s);
    system.start_edge();
    const Instant back = system.world().now();
    ASSERT_TRUE(system.world().run_until([&] { return system.at_backend() < at_backend; }, 60s));
    times.push_back(seconds(system.world().now() - back));
  });
  tell("a stream of a killed edge ends at the backend", times);
  EXPECT_LE(p95(times), 5.0);
}

TEST(Liveness, WhatASidecarThatWasKilledLeavesBehindEndsSoonAfterItIsBack) {
  std::vector<double> times;
  for_each_seed(50, [&](std::uint64_t seed) {
    WholeSystem system(seed);
    system.start_all();
    ASSERT_TRUE(system.wait_published(30s));
    std::optional<Pending<void>> stream;
    begin_silent_stream(system, stream);
    ASSERT_FALSE(stream->done());
    system.kill_sidecar();
    system.world().advance(2s);
    system.start_sidecar();
    const Instant back = system.world().now();
    ASSERT_TRUE(system.world().run_until([&] { return stream->done(); }, 60s));
    EXPECT_TRUE(stream->error());
    times.push_back(seconds(system.world().now() - back));
  });
  tell("a stream of a killed sidecar ends at the client", times);
  EXPECT_LE(p95(times), 5.0);
}

// What a stop cuts off is told through the tunnel before the program ends.
TEST(Liveness, StreamsThatOutliveTheGraceEndWithAnErrorAtBothSides) {
  for_each_seed(20, [](std::uint64_t seed) {
    for (const bool edge : {true, false}) {
      WholeSystem system(seed);
      system.world().path(system.vps(), system.home()).conditions().loss = 0;
      system.world().path(system.home(), system.vps()).conditions().loss = 0;
      system.start_all();
      ASSERT_TRUE(system.wait_published(30s));
      std::optional<Pending<void>> stream;
      begin_silent_stream(system, stream);
      const std::size_t at_backend = system.at_backend();
      if (edge)
        system.edge().stop();
      else
        system.sidecar().stop();
      system.world().advance(9s);
      EXPECT_FALSE(stream->done()) << "the grace lets it live";
      system.world().advance(5s);
      EXPECT_TRUE(stream->done() && stream->error());
      EXPECT_LT(system.at_backend(), at_backend);
    }
  });
}

}  // namespace
}  // namespace sidestream
