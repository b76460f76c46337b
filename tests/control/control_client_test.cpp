#include "control/control_client.h"

#include "tests/control/control_client_fixture.h"

namespace sidestream::control {
namespace {

TEST_F(ControlClientTest, PublishesRenewsAndWithdraws) {
  event(Started{});
  EXPECT_EQ(expect<Connect>().deadline, now_ + 2s);
  event(ServicesChanged{web});
  expect<KeepWaiting>();
  event(Connected{});
  expect_request(R"(POST /v1/session {"protocol":1,"version":"0.1.0","instance":"nas"})");
  now_ += 40ms;
  respond(session("s-1"));
  expect_request(
      R"(PUT /v1/state {"session":"s-1","sequence":1,"endpoints":[{"endpoint":"a.example.com",)"
      R"("service":"web","port":20001,"priority":100}]})");
  const Instant sent = now_;
  now_ += 40ms;
  respond(granted(5, web));
  expect<Report>();
  EXPECT_TRUE(client_.standing().reachable);
  EXPECT_EQ(client_.standing().problem, "");
  EXPECT_EQ(client_.standing().edge_version, "9");
  EXPECT_EQ(client_.standing().lease_end, sent + 8s);
  EXPECT_EQ(client_.standing().published, web);
  EXPECT_EQ(client_.standing().answers[0].state, EndpointState::granted);
  event(Proceed{});
  expect_sleep(2460ms);

  sleep(2460ms);
  expect_request(
      R"(POST /v1/heartbeat {"session":"s-1","sequence":2,"revision":5,"round_trip_us":40000})");
  now_ += 30ms;
  respond(alive(5));
  expect<Report>();
  EXPECT_EQ(client_.standing().round_trip, 30ms);
  EXPECT_EQ(client_.standing().last_answer, now_);
  event(Proceed{});
  expect_sleep(2470ms);

  event(Stop{});
  expect_request(R"(PUT /v1/state {"session":"s-1","sequence":3,"endpoints":[]})");
  respond(granted(6, {}));
  expect_report_then_proceed();
  expect<Done>();
  event(TimedOut{});
  expect<Done>();
}

TEST_F(ControlClientTest, AChangeIsPublishedAtOnceAndChangesAreCollected) {
  publish(web);
  now_ += 1s;
  event(ServicesChanged{web_and_ssh});
  expect_sleep(0ms);
  event(TimedOut{});
  expect_request(
      R"(PUT /v1/state {"session":"s-1","sequence":2,"endpoints":[{"endpoint":"a.example.com",)"
      R"("service":"web","port":20001,"priority":100},{"endpoint":":2222","service":"ssh",)"
      R"("port":20002,"priority":100}]})");
  now_ += 10ms;
  // Two more while that is on its way, and one after.
  event(ServicesChanged{{}});
  expect<KeepWaiting>();
  event(ServicesChanged{web});
  expect<KeepWaiting>();
  respond(granted(2, web_and_ssh));
  expect_report_then_proceed();
  expect_sleep(190ms);
  event(ServicesChanged{{}});
  expect_sleep(190ms);
  sleep(190ms);
  expect_request(R"(PUT /v1/state {"session":"s-1","sequence":3,"endpoints":[]})");
}

TEST_F(ControlClientTest, AChangeToTheSameIsNotSent) {
  publish(web);
  event(ServicesChanged{web});
  expect_sleep(2500ms);
}

TEST_F(ControlClientTest, NewAnswersComeWithAHeartbeat) {
  publish(web);
  sleep(2500ms);
  HeartbeatAnswer answer = alive(2);
  answer.endpoints = {{"a.example.com", EndpointState::waiting, Reason::standby, "another"}};
  respond(answer);
  expect<Report>();
  EXPECT_EQ(client_.standing().answers[0].reason, Reason::standby);
  event(Proceed{});
  sleep(2500ms);
  expect_request(
      R"(POST /v1/heartbeat {"session":"s-1","sequence":3,"revision":2,"round_trip_us":0})");
}

TEST_F(ControlClientTest, AConnectionThatTheEdgeClosesIsReopened) {
  event(ServicesChanged{web});
  event(Started{});
  event(Connected{});
  respond(session("s-1"));
  HttpResponse last;
  last.keep_alive = false;
  last.body = serialize(granted(1, web));
  event(Responded{last});
  expect_report_then_proceed();
  expect<Connect>();
  event(Connected{});
  expect_sleep(2500ms);
}

TEST_F(ControlClientTest, AStopBeforeAnythingIsPublishedEndsAtOnce) {
  event(Started{});
  event(Stop{});
  EXPECT_EQ(expect<KeepWaiting>().deadline, now_ + 2s);
  event(Connected{});
  expect<Done>();
}

TEST_F(ControlClientTest, AStopInFlightShortensTheWaitAndThenWithdraws) {
  publish(web);
  sleep(2500ms);
  expect<SendRequest>();
  event(Stop{});
  EXPECT_EQ(expect<KeepWaiting>().deadline, now_ + 2s);
  now_ += 500ms;
  respond(alive(1));
  expect_report_then_proceed();
  const auto send = expect<SendRequest>();
  EXPECT_EQ(send.request.target, state_target);
  EXPECT_EQ(send.deadline, now_ + 1500ms);
  sleep(1500ms);
  expect<Done>();
}

TEST_F(ControlClientTest, AStopWithoutAConnectionStillTriesToWithdraw) {
  publish(web);
  sleep(2500ms);
  event(Failed{"connection reset"});
  expect_report_then_proceed();
  event(Stop{});
  EXPECT_EQ(expect<Connect>().deadline, now_ + 2s);
  event(Connected{});
  expect_request(R"(PUT /v1/state {"session":"s-1","sequence":3,"endpoints":[]})");
  event(Failed{"connection reset"});
  expect<Done>();
}

TEST_F(ControlClientTest, APortThatIsBeingOpenedIsAskedForSoon) {
  publish(web);
  sleep(2500ms);
  HeartbeatAnswer answer = alive(2);
  answer.endpoints = {{"a.example.com", EndpointState::waiting, Reason::listener_opening, "soon"}};
  respond(answer);
  expect_report_then_proceed();
  expect_sleep(250ms);
  sleep(250ms);
  answer = alive(3);
  answer.endpoints = granted(3, web).endpoints;
  respond(answer);
  expect_report_then_proceed();
  expect_sleep(2500ms);
}

TEST_F(ControlClientTest, AShortLeaseMakesHeartbeatsQuicker) {
  event(Started{});
  event(Connected{});
  SessionAnswer answer = session("s-1");
  answer.lease = std::chrono::seconds(3);
  respond(answer);
  StateAnswer state = granted(1, {});
  state.lease = std::chrono::seconds(3);
  respond(state);
  expect_report_then_proceed();
  expect_sleep(1s);
}

TEST_F(ControlClientTest, CancelledEndsItInEveryState) {
  for (int steps = 0; steps < 9; ++steps) {
    ControlClient client({"h", "0", "i"}, random_);
    std::vector<ClientEvent> events{Started{}, Connected{}};
    ClientAction action = client.resume(now_, ServicesChanged{web});
    for (int i = 0; i < steps; ++i) {
      ClientEvent next = TimedOut{};
      if (i == 0) next = Started{};
      if (i > 0 && std::holds_alternative<Connect>(action)) next = Connected{};
      if (std::holds_alternative<Report>(action)) next = Proceed{};
      if (const auto* send = std::get_if<SendRequest>(&action)) {
        HttpResponse response;
        if (send->request.target == session_target) response.body = serialize(session("s"));
        if (send->request.target == state_target) response.body = serialize(granted(1, web));
        if (send->request.target == heartbeat_target) response.body = serialize(alive(1));
        next = Responded{std::move(response)};
      }
      action = client.resume(now_, std::move(next));
    }
    action = client.resume(now_, Cancelled{});
    EXPECT_TRUE(std::holds_alternative<Done>(action)) << steps;
  }
}

// Any event in any order: no crash, and Done stays Done.
TEST_F(ControlClientTest, EveryEventIsAllowedAtEveryTime) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SeededRandom random(seed);
    ControlClient client({"h", "0", "i"}, random);
    bool done = false;
    for (int i = 0; i < 40; ++i) {
      now_ += std::chrono::milliseconds(random.below(3000));
      ClientEvent next;
      switch (random.below(12)) {
        case 0:
          next = Started{};
          break;
        case 1:
          next = Connected{};
          break;
        case 2:
          next = Failed{"x"};
          break;
        case 3:
          next = TimedOut{};
          break;
        case 4:
          next = ServicesChanged{random.chance(0.5) ? web : web_and_ssh};
          break;
        case 5:
          next = random.chance(0.1) ? ClientEvent(Stop{}) : ClientEvent(AskNow{});
          break;
        case 6:
          next = random.chance(0.05) ? ClientEvent(Cancelled{}) : ClientEvent(Started{});
          break;
        case 7:
          next =
              Responded{{410, {}, serialize(RefusalAnswer{Refusal::session_unknown, "x"}), true}};
          break;
        case 8:
          next = Responded{{200, {}, serialize(session("s")), true}};
          break;
        case 9:
          next = Responded{{200, {}, serialize(granted(1, web)), true}};
          break;
        case 10:
          next = Responded{{200, {}, serialize(alive(1)), random.chance(0.5)}};
          break;
        default:
          next = Proceed{};
          break;
      }
      const ClientAction action = client.resume(now_, std::move(next));
      if (done) {
        ASSERT_TRUE(std::holds_alternative<Done>(action)) << "seed " << seed;
      }
      done = std::holds_alternative<Done>(action);
      const ControlStanding& standing = client.standing();
      ASSERT_EQ(standing.published.size(), standing.answers.size()) << "seed " << seed;
    }
  }
}

// ---- bans --------------------------------------------------------------------------------------

TEST_F(ControlClientTest, TellsBansWithTheTimeThatIsLeft) {
  publish(web);
  const Ban ban{*IpPrefix::parse("198.51.100.7"), now_ + 60s};
  const Ban old{*IpPrefix::parse("198.51.100.8"), now_};
  event(client_event::BansChanged{{ban, old}});
  sleep(expect<SleepUntil>().deadline - now_);
  expect_request(
      R"(PUT /v1/state {"session":"s-1","sequence":2,"endpoints":[{"endpoint":"a.example.com",)"
      R"("service":"web","port":20001,"priority":100}],)"
      R"("bans":[{"network":"198.51.100.7/32","seconds":60}]})");
  StateAnswer answer = granted(1, web);
  answer.bans = 1;
  respond(answer);
  expect_report_then_proceed();
  EXPECT_EQ(client_.standing().bans, 1U);
  // Another session hears of them, too, with less time.
  sleep(2500ms);
  refuse(Refusal::session_unknown);
  respond(session("s-2"));
  expect_request(
      R"(PUT /v1/state {"session":"s-2","sequence":1,"endpoints":[{"endpoint":"a.example.com",)"
      R"("service":"web","port":20001,"priority":100}],)"
      R"("bans":[{"network":"198.51.100.7/32","seconds":58}]})");
  // An edge of before there were bans says nothing of them.
  respond(granted(1, web));
  expect_report_then_proceed();
  EXPECT_EQ(client_.standing().bans, std::nullopt);
  event(client_event::BansChanged{});
  sleep(expect<SleepUntil>().deadline - now_);
  expect_request(
      R"(PUT /v1/state {"session":"s-2","sequence":2,"endpoints":[{"endpoint":"a.example.com",)"
      R"("service":"web","port":20001,"priority":100}]})");
}

}  // namespace
}  // namespace sidestream::control
