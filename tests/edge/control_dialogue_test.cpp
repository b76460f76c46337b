// Both sides of the control protocol against each other without a network: every step of the
// dialogue is replayed with every fault, and old messages are sent again.
#include <gtest/gtest.h>

#include <memory>

#include "control/control_client.h"
#include "edge/control_service.h"
#include "tests/support/seeded_random.h"

namespace sidestream::edge {
namespace {

using control::ClientAction;
using control::ClientEvent;
using control::HttpRequest;
using control::HttpResponse;
using control::WantedEndpoint;
namespace action = control::client_action;
namespace event = control::client_event;

enum class Fault {
  none,
  refused,         // fails at once; the edge has not seen it
  broken_after,    // the edge has seen it, then the connection breaks
  request_lost,    // silence; the edge has not seen it
  answer_lost,     // silence; the edge has seen it
  delayed,         // silence; the edge sees it ten steps later
  twice,           // the edge sees it two times
  garbage,         // an answer that is none
  server_failed,   // 500
  edge_restarted,  // just before
  lease_expired,   // just before: the sidecar was frozen for a while
  superseded,      // just before, another process published with this ticket
  count,
};

class World {
 public:
  World() { restart_edge(); }

  void restart_edge() {
    table = std::make_unique<LeaseTable>(++epoch_, "9");
    table->set_sidecars({{.name = "home",
                          .tunnel_address = {},
                          .allow = {*control::EndpointPattern::parse("*.example.com")}}});
    table->set_public_ports({{443, 443}});
    table->on_port_open(443);
    service = std::make_unique<ControlService>(*table);
  }

  void give(ClientEvent happened) {
    ClientAction next = client.resume(now, std::move(happened));
    const auto* waiting = std::get_if<action::KeepWaiting>(&next);
    if (waiting == nullptr) {
      action_ = std::move(next);
    } else if (auto* connect = std::get_if<action::Connect>(&action_)) {
      connect->deadline = waiting->deadline;
    } else {
      std::get<action::SendRequest>(action_).deadline = waiting->deadline;
    }
  }

  // Does what the client wants, with a fault, and tells it what became of that. False: Done.
  bool step(Fault fault) {
    table->handle_timeout(now);
    if (delayed_ && --delay_ == 0) static_cast<void>(ask(*std::exchange(delayed_, {})));
    if (std::holds_alternative<action::Done>(action_)) return false;
    if (fault == Fault::edge_restarted) restart_edge();
    if (fault == Fault::lease_expired) table->handle_timeout(now += 9s);
    if (fault == Fault::superseded) publish_from_elsewhere();
    if (const auto* sleep = std::get_if<action::SleepUntil>(&action_)) {
      now = std::max(now, sleep->deadline);
      give(event::TimedOut{});
    } else if (const auto* connect = std::get_if<action::Connect>(&action_)) {
      become(fault, connect->deadline, event::Connected{});
    } else if (const auto* send = std::get_if<action::SendRequest>(&action_)) {
      exchange(fault, *send);
    } else {
      give(event::Proceed{});
    }
    return true;
  }

  std::string routes() const {
    std::string text;
    for (const Route& route : table->routes()) text += route.endpoint.text() + ' ';
    return text;
  }
  HttpResponse ask(const HttpRequest& request) { return service->respond(now, "home", request); }

  SeededRandom random{1};
  control::ControlClient client{{"h", "0", "nas"}, random};
  std::unique_ptr<LeaseTable> table;
  std::unique_ptr<ControlService> service;
  Instant now{1000s};
  std::vector<HttpRequest> said;  // all that the client ever sent

 private:
  void become(Fault fault, Instant deadline, ClientEvent good) {
    if (fault == Fault::refused || fault == Fault::broken_after) return give(event::Failed{"x"});
    if (fault == Fault::request_lost || fault == Fault::answer_lost || fault == Fault::delayed) {
      now = deadline;
      return give(event::TimedOut{});
    }
    now += 20ms;
    give(std::move(good));
  }

  void exchange(Fault fault, const action::SendRequest& send) {
    const HttpRequest request = send.request;
    const Instant deadline = send.deadline;
    said.push_back(request);
    HttpResponse response;
    if (fault == Fault::delayed) {
      delayed_ = request;
      delay_ = 10;
    } else if (fault != Fault::refused && fault != Fault::request_lost) {
      response = ask(request);
    }
    if (fault == Fault::twice) static_cast<void>(ask(request));
    if (fault == Fault::garbage) response.body = "}{";
    if (fault == Fault::server_failed) response = {500, {}, "oops", true};
    become(fault, deadline, event::Responded{std::move(response)});
  }

  void publish_from_elsewhere() {
    HttpRequest request{"POST", "/v1/session", {}, R"({"protocol":1,"version":"0"})", true};
    const auto session = control::parse_session_answer(ask(request).body);
    request = {"PUT", "/v1/state", {}, "", true};
    request.body = serialize(control::StateRequest{
        session->session, 1, {{"other.example.com", "w", 1, control::priority_default}}});
    static_cast<void>(ask(request));
  }

  std::uint64_t epoch_ = 0;
  std::optional<HttpRequest> delayed_;
  int delay_ = 0;
  ClientAction action_;
};

const std::vector<WantedEndpoint> first{{"a.example.com", "w", 1, control::priority_default}};
const std::vector<WantedEndpoint> second{{"a.example.com", "w", 1, control::priority_default},
                                         {"b.example.com", "w", 2, control::priority_default}};

// Publishes, changes, withdraws, with `fault` at step `at`. Says how many steps there were.
int replay(Fault fault, int at) {
  World world;
  int steps = 0;
  const auto run_for = [&](Duration time) {
    const Instant end = world.now + time;
    while (world.now < end) {
      if (!world.step(steps++ == at ? fault : Fault::none)) return false;
    }
    return true;
  };
  world.give(event::ServicesChanged{first});
  world.give(event::Started{});
  EXPECT_TRUE(run_for(10s));
  world.give(event::ServicesChanged{second});
  EXPECT_TRUE(run_for(15s));
  const int published = steps;
  at = -1;
  EXPECT_TRUE(run_for(12s)) << "for what happened last";
  EXPECT_EQ(world.routes(), "a.example.com b.example.com ");
  EXPECT_TRUE(world.client.standing().reachable);
  EXPECT_EQ(world.client.standing().published, second);
  EXPECT_EQ(world.client.standing().problem, "");

  // Fault 65: everything once more, forwards and backwards. No route moves, no lease is renewed.
  const auto revision = world.table->route_revision();
  const auto deadline = world.table->next_deadline();
  for (std::size_t i = 0; i < world.said.size(); ++i) {
    static_cast<void>(world.ask(world.said[i]));
    static_cast<void>(world.ask(world.said[world.said.size() - 1 - i]));
    world.now += 200ms;
    if (world.now > *deadline) break;
  }
  EXPECT_EQ(world.table->route_revision(), revision);
  EXPECT_EQ(world.table->next_deadline(), deadline);

  EXPECT_TRUE(run_for(10s));
  EXPECT_EQ(world.routes(), "a.example.com b.example.com ");
  world.give(event::Stop{});
  const Instant stopped = world.now;
  while (world.step(Fault::none)) EXPECT_LE(world.now, stopped + 2s);
  EXPECT_EQ(world.routes(), "");
  return published;
}

TEST(ControlDialogue, EveryStepSurvivesEveryFault) {
  const int steps = replay(Fault::none, -1);
  EXPECT_GT(steps, 15);
  for (int fault = 1; fault < static_cast<int>(Fault::count); ++fault) {
    for (int at = 0; at < steps; ++at) {
      SCOPED_TRACE("fault " + std::to_string(fault) + " at step " + std::to_string(at));
      replay(static_cast<Fault>(fault), at);
      if (testing::Test::HasFailure()) return;
    }
  }
}

// A stop in the middle of every step ends within its time and leaves nothing behind that a lease
// would not end.
TEST(ControlDialogue, AStopAtEveryStepEndsInTime) {
  for (int at = 0; at < 25; ++at) {
    for (const Fault fault : {Fault::none, Fault::request_lost, Fault::refused}) {
      World world;
      world.give(event::ServicesChanged{second});
      world.give(event::Started{});
      for (int i = 0; i < at; ++i) world.step(Fault::none);
      world.give(event::Stop{});
      const Instant end = world.now + 2s;
      bool faulty = fault != Fault::none;
      while (world.step(faulty ? fault : Fault::none)) {
        faulty = false;
        ASSERT_LE(world.now, end) << at;
      }
      if (fault == Fault::none) {
        EXPECT_EQ(world.routes(), "") << at;
      }
      world.table->handle_timeout(world.now + 8s);
      EXPECT_EQ(world.routes(), "") << at;
    }
  }
}

// Many faults at random, then peace: it always comes back to what is wanted.
TEST(ControlDialogue, ComesBackAfterAnyStorm) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world;
    SeededRandom random(seed);
    world.give(event::ServicesChanged{first});
    world.give(event::Started{});
    for (int i = 0; i < 100; ++i) {
      world.step(static_cast<Fault>(random.below(static_cast<std::uint32_t>(Fault::count))));
      if (random.chance(0.1)) {
        world.give(event::ServicesChanged{random.chance(0.5) ? first : second});
      }
    }
    world.give(event::ServicesChanged{second});
    const Instant end = world.now + 15s;
    while (world.now < end) ASSERT_TRUE(world.step(Fault::none));
    ASSERT_EQ(world.routes(), "a.example.com b.example.com ") << "seed " << seed;
    ASSERT_EQ(world.client.standing().problem, "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace sidestream::edge
