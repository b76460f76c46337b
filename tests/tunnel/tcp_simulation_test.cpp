// Two stacks on a bad line, thousands of times, each time differently bad: whatever the line does,
// every byte arrives, in order and once, and every connection ends in order.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>

#include "tests/support/checked_stream.h"
#include "tests/support/tcp_pair.h"
#include "tunnel/bbr.h"
#include "tunnel/cubic.h"

namespace sidestream::tunnel {
namespace {

constexpr std::uint16_t port = 443;

LinkQuality random_quality(SeededRandom& random) {
  LinkQuality quality;
  quality.delay = Duration(1ms) * random.below(60);
  if (random.chance(0.6)) {
    quality.bytes_per_second = 20'000 + random.below(5'000'000);
    quality.queue_bytes_max = 3000 + random.below(100'000);
  }
  if (random.chance(0.7)) quality.loss = 0.001 * random.below(150);
  if (random.chance(0.3)) quality.duplication = 0.001 * random.below(100);
  if (random.chance(0.3)) quality.corruption = 0.001 * random.below(50);
  if (random.chance(0.5)) {
    quality.reordering = 0.001 * random.below(300);
    quality.reordering_max = Duration(1ms) * (1 + random.below(40));
  }
  return quality;
}

TcpLimits random_limits(SeededRandom& random) {
  TcpLimits limits;
  limits.user_timeout = 1h;  // a line that loses a lot may be silent for long
  limits.syn_retries_max = limits.syn_ack_retries_max = 100;
  if (random.chance(0.4)) {
    limits.receive_window_bytes_initial = 500 + random.below(20'000);
    limits.receive_window_bytes_max = limits.receive_window_bytes_initial + random.below(100'000);
  }
  if (random.chance(0.3)) limits.send_buffer_bytes_max = 2000 + random.below(50'000);
  if (random.chance(0.2)) limits.memory_bytes_max = chunk_bytes * (1 + random.below(20));
  if (random.chance(0.1)) limits.out_of_order_ranges_max = 1 + random.below(10);
  if (random.chance(0.1)) limits.sack_ranges_max = 1 + random.below(10);
  if (random.chance(0.1)) limits.segments_in_flight_max = 2 + random.below(30);
  if (random.chance(0.2)) limits.keepalive_idle = Duration(1ms) * (100 + random.below(10'000));
  limits.keepalive_probes_max = 1000;
  return limits;
}

// A third of all lines loses some of the options that make TCP good today.
std::vector<std::uint8_t> random_stripped_options(SeededRandom& random) {
  std::vector<std::uint8_t> kinds;
  if (!random.chance(0.33)) return kinds;
  for (const std::uint8_t kind : std::array<std::uint8_t, 3>{3, 4, 8})
    if (random.chance(0.5)) kinds.push_back(kind);
  return kinds;
}

CheckedStream::Plan random_plan(SeededRandom& random, std::uint64_t stream) {
  CheckedStream::Plan plan{.stream = stream};
  const std::uint32_t most = random.chance(0.1) ? 200'000 : random.chance(0.5) ? 20'000 : 300;
  if (random.chance(0.85)) plan.bytes = random.below(most);
  if (random.chance(0.5)) plan.piece_bytes = 1 + random.below(6000);
  if (random.chance(0.4)) {
    plan.stall = 0.001 * random.below(200);
    plan.stall_max = Duration(1ms) * (1 + random.below(random.chance(0.1) ? 30'000 : 500));
  }
  return plan;
}

struct Session {
  CheckedStream client;
  CheckedStream server;
  std::uint64_t upward_bytes;
  std::uint64_t downward_bytes;
};

// Runs one seed. What went wrong, or an empty string.
std::string run_seed(std::uint64_t seed) {
  SeededRandom random(seed);
  const bool v6 = random.chance(0.3);
  TcpPair::Setup setup{.seed = random.u64(),
                       .upward = random_quality(random),
                       .downward = random_quality(random),
                       .mtu = v6 ? 1280 + random.below(220) : 576 + random.below(924),
                       .client_limits = random_limits(random),
                       .server_limits = random_limits(random),
                       .v6 = v6,
                       .stripped_options = random_stripped_options(random),
                       .congestion = random.chance(0.5) ? make_bbr : make_cubic};
  // Where a packet comes once, text may go with SYNs.
  if (setup.upward.duplication == 0) {
    setup.client_limits.syn_text_bytes_max = seed / 2 % 2 * 3000;
    setup.server_limits.syn_text_bytes_max = seed / 4 % 2 * 4096;
  }
  TcpPair pair(setup);
  if (!pair.server().listen(port)) return "cannot listen";
  std::vector<std::unique_ptr<Session>> sessions;
  std::map<ConnectionId, Session*> of_client;
  std::map<ConnectionId, Session*> of_server;
  const std::uint32_t count = random.chance(0.7) ? 1 : 1 + random.below(5);
  for (std::uint32_t i = 0; i < count; ++i) {
    CheckedStream::Plan up = random_plan(random, 2ULL * i);
    CheckedStream::Plan down = random_plan(random, 2ULL * i + 1);
    (random.chance(0.5) ? up : down).close_after_peer = random.chance(0.3);
    sessions.push_back(std::make_unique<Session>(
        Session{.client = CheckedStream(pair.client(), random.split(), up),
                .server = CheckedStream(pair.server(), random.split(), down),
                .upward_bytes = up.bytes,
                .downward_bytes = down.bytes}));
    const auto id = pair.client().connect(pair.now(), pair.server_at(port));
    if (!id) return "cannot connect";
    sessions.back()->client.open(*id);
    of_client[*id] = sessions.back().get();
  }
  const auto on_event = [&](bool at_client, const StackEvent& event) {
    if (event.kind == StackEvent::Kind::accepted) {
      const auto remote = pair.server().status(event.connection)->remote;
      for (const auto& [id, session] : of_client)
        if (pair.client().status(id)->local == remote) of_server[event.connection] = session;
      of_server.at(event.connection)->server.open(event.connection);
    }
    if (at_client) of_client.at(event.connection)->client.on_event(pair.now(), event);
    if (!at_client) of_server.at(event.connection)->server.on_event(pair.now(), event);
  };
  const auto finished = [&] {
    return std::ranges::all_of(sessions, [](const auto& session) {
      return session->client.closed() && session->server.closed() && session->client.ended() &&
             session->server.ended();
    });
  };
  const auto act = [&] {
    Instant next = Instant::max();
    for (const auto& session : sessions) {
      for (CheckedStream* end : {&session->client, &session->server}) {
        end->act(pair.now());
        next = std::min(next, end->next(pair.now()).value_or(Instant::max()));
      }
    }
    return next;
  };
  const Instant end = pair.now() + 10h;
  if (!pair.run(end, on_event, finished, act)) return "not finished after ten hours";
  for (const auto& session : sessions) {
    const CheckedStream& client = session->client;
    const CheckedStream& server = session->server;
    if (client.error() != TcpError::none) return "the client's connection broke";
    if (server.error() != TcpError::none) return "the server's connection broke";
    if (client.received() != session->downward_bytes) return "bytes lost downward";
    if (server.received() != session->upward_bytes) return "bytes lost upward";
    if (client.wrong() + server.wrong() != 0) return "wrong bytes";
    pair.client().release(pair.now(), *client.id());
    pair.server().release(pair.now(), *server.id());
  }
  // TIME-WAIT passes, and then nothing is left.
  pair.run(pair.now() + 10min, [](bool, const StackEvent&) {}, [] { return false; });
  if (pair.client().connection_count() + pair.server().connection_count() != 0)
    return "connections left over";
  if (pair.client().next_deadline() || pair.server().next_deadline()) return "timers left over";
  return {};
}

class TcpSimulation : public testing::TestWithParam<std::uint64_t> {};

constexpr std::uint64_t seeds_per_part = 500;

TEST_P(TcpSimulation, LosesNothing) {
  for (std::uint64_t seed = GetParam(); seed < GetParam() + seeds_per_part; ++seed)
    EXPECT_EQ(run_seed(seed), "") << "seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(Seeds, TcpSimulation,
                         testing::Range(std::uint64_t{0}, 8 * seeds_per_part, seeds_per_part));

}  // namespace
}  // namespace sidestream::tunnel
