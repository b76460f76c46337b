#include "tests/control/control_client_fixture.h"

namespace sidestream::control {
namespace {

TEST_F(ControlClientTest, TwoMissesForceAHandshake) {
  publish(web);
  sleep(2500ms);
  expect<SendRequest>();
  sleep(2s);
  expect<Report>();
  EXPECT_FALSE(client_.standing().reachable);
  EXPECT_EQ(client_.standing().problem, "the edge does not answer through the tunnel");
  EXPECT_EQ(client_.standing().published, web) << "the lease goes on for now";
  event(Proceed{});
  EXPECT_EQ(expect<Connect>().deadline, now_ + 1s);
  sleep(1s);
  expect_report_then_proceed();
  expect<ForceHandshake>();
  event(Proceed{});
  EXPECT_EQ(expect<Connect>().deadline, now_ + 2s);
  sleep(2s);
  EXPECT_TRUE(client_.standing().lease_end) << "7.5 s after the last renewal";
  expect_report_then_proceed();
  expect<Connect>();
  sleep(2s);
  expect<Report>();
  EXPECT_FALSE(client_.standing().lease_end) << "9.5 s after it";
  event(Proceed{});
  expect<ForceHandshake>();
  EXPECT_TRUE(client_.standing().published.empty());
  event(Proceed{});
  expect<Connect>();
  event(Connected{});
  expect_request(
      R"(POST /v1/heartbeat {"session":"s-1","sequence":3,"revision":0,"round_trip_us":0})");
  // The edge has ended the lease: a new session and everything again, at once.
  refuse(Refusal::session_unknown);
  expect_request(R"(POST /v1/session {"protocol":1,"version":"0.1.0","instance":"nas"})");
  respond(session("s-2"));
  expect_request(
      R"(PUT /v1/state {"session":"s-2","sequence":1,"endpoints":[{"endpoint":"a.example.com",)"
      R"("service":"web","port":20001,"priority":100}]})");
  respond(granted(1, web));
  expect_report_then_proceed();
  expect_sleep(2500ms);
}

TEST_F(ControlClientTest, AnUnansweredStateIsSentAgainAfterReconnecting) {
  publish(web);
  event(ServicesChanged{web_and_ssh});
  sleep(200ms);
  expect<SendRequest>();
  sleep(2500ms);
  expect_report_then_proceed();
  // The same wish again must not make it forget that the edge may not have it.
  event(ServicesChanged{web_and_ssh});
  expect<KeepWaiting>();
  event(Connected{});
  EXPECT_EQ(expect<SendRequest>().request.target, state_target);
}

TEST_F(ControlClientTest, QuickFailuresBackOffWithJitter) {
  event(Started{});
  for (const Duration full : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 5000ms, 5000ms}) {
    expect<Connect>();
    event(Failed{"connection refused"});
    EXPECT_EQ(client_.standing().problem, "the edge's control port failed: connection refused");
    expect_report_then_proceed();
    const Duration pause = expect<SleepUntil>().deadline - now_;
    EXPECT_GE(pause, full / 2);
    EXPECT_LE(pause, full);
    sleep(pause);
  }
}

TEST_F(ControlClientTest, AnEdgeThatIsARouterAloneIsNoProblem) {
  event(Started{});
  expect<Connect>();
  event(Failed{.why = "nothing listens there", .nobody_listens = true});
  EXPECT_TRUE(client_.standing().no_control);
  EXPECT_EQ(client_.standing().problem, "");
  EXPECT_EQ(client_.standing().last_answer, now_);
  expect_report_then_proceed();
  const Duration pause = expect<SleepUntil>().deadline - now_;
  EXPECT_LE(pause, 250ms);
  sleep(pause);
  expect<Connect>();
  // Silence is a problem on any edge.
  sleep(2s);
  EXPECT_FALSE(client_.standing().no_control);
  EXPECT_EQ(client_.standing().problem, "the edge does not answer through the tunnel");
}

TEST_F(ControlClientTest, AnEdgeThatGetsSidestreamLaterIsAskedAsAnyOther) {
  event(ServicesChanged{web});
  event(Started{});
  expect<Connect>();
  event(Failed{.why = "nothing listens there", .nobody_listens = true});
  expect_report_then_proceed();
  sleep(expect<SleepUntil>().deadline - now_);
  expect<Connect>();
  event(Connected{});
  expect<SendRequest>();
  respond(session("s-1"));
  EXPECT_FALSE(client_.standing().no_control);
}

TEST_F(ControlClientTest, AControlPortThatWasThereIsMissed) {
  publish(web);
  sleep(2500ms);
  event(Failed{"connection reset"});
  expect_report_then_proceed();
  sleep(expect<SleepUntil>().deadline - now_);
  expect<Connect>();
  event(Failed{.why = "nothing listens there", .nobody_listens = true});
  EXPECT_FALSE(client_.standing().no_control);
  EXPECT_EQ(client_.standing().problem, "the edge's control port failed: nothing listens there");
}

TEST_F(ControlClientTest, ASupersededSessionWaitsBeforeItTakesOverAgain) {
  publish(web);
  sleep(2500ms);
  refuse(Refusal::session_superseded);
  expect<Report>();
  EXPECT_EQ(client_.standing().problem, "edge: because");
  EXPECT_TRUE(client_.standing().reachable);
  EXPECT_TRUE(client_.standing().published.empty());
  event(Proceed{});
  const Duration pause = expect<SleepUntil>().deadline - now_;
  EXPECT_GE(pause, 2s);
  EXPECT_LE(pause, 5s);
  sleep(pause);
  EXPECT_EQ(expect<SendRequest>().request.target, session_target) << "on the same connection";
}

TEST_F(ControlClientTest, ARevokedSidecarSaysSoAndAsksRarely) {
  publish(web);
  sleep(2500ms);
  refuse(Refusal::revoked);
  EXPECT_TRUE(client_.standing().revoked);
  EXPECT_EQ(client_.standing().problem, "edge: because");
  EXPECT_TRUE(client_.standing().published.empty());
  expect_report_then_proceed();
  expect_sleep(60s);
  sleep(60s);
  expect_request(R"(POST /v1/session {"protocol":1,"version":"0.1.0","instance":"nas"})");
  refuse(Refusal::revoked);
  expect_report_then_proceed();
  expect_sleep(60s);
  // Nothing is left to withdraw.
  event(Stop{});
  expect<Done>();
}

TEST_F(ControlClientTest, ARevokedSidecarThatIsLetInAgainPublishes) {
  publish(web);
  sleep(2500ms);
  refuse(Refusal::revoked);
  expect_report_then_proceed();
  sleep(60s);
  respond(session("s-2"));
  respond(granted(1, web));
  EXPECT_FALSE(client_.standing().revoked);
  EXPECT_EQ(client_.standing().problem, "");
}

TEST_F(ControlClientTest, ASessionThatNeverWorksDoesNotSpin) {
  event(Started{});
  event(Connected{});
  respond(session("s-1"));
  refuse(Refusal::session_unknown);
  expect_report_then_proceed();
  EXPECT_GE(expect<SleepUntil>().deadline - now_, 125ms);
}

TEST_F(ControlClientTest, TooManyRequestsWaitsAsLongAsItIsTold) {
  publish(web);
  sleep(2500ms);
  HttpResponse response;
  response.status = 429;
  response.fields = {{"retry-after", "3"}};
  response.body = serialize(RefusalAnswer{Refusal::too_many_requests, "slowly"});
  event(Responded{response});
  EXPECT_EQ(client_.standing().published, web);
  expect_report_then_proceed();
  expect_sleep(3s);
  sleep(3s);
  expect_request(
      R"(POST /v1/heartbeat {"session":"s-1","sequence":3,"revision":1,"round_trip_us":0})");
}

TEST_F(ControlClientTest, AnAnswerThatMakesNoSenseEndsTheConnection) {
  publish(web);
  sleep(2500ms);
  respond(200, "<html>");
  EXPECT_EQ(client_.standing().problem,
            "the edge's control port failed: its answer cannot be understood");
  expect_report_then_proceed();
  sleep(expect<SleepUntil>().deadline - now_);
  expect<Connect>();
}

TEST_F(ControlClientTest, AnswersMustMatchTheQuestions) {
  event(ServicesChanged{web_and_ssh});
  event(Started{});
  event(Connected{});
  respond(session("s-1"));
  respond(granted(1, web));
  EXPECT_FALSE(client_.standing().reachable);
}

// The edge got the heartbeats whose answers were lost, so that it never ended the lease.
TEST_F(ControlClientTest, ALeaseThatOnlyWeHaveGivenUpGoesOn) {
  publish(web);
  sleep(2500ms);
  for (int i = 0; i < 3; ++i) {
    sleep(2500ms);
    while (std::holds_alternative<Report>(action_) ||
           std::holds_alternative<ForceHandshake>(action_)) {
      event(Proceed{});
    }
  }
  EXPECT_TRUE(client_.standing().published.empty());
  event(Connected{});
  HeartbeatAnswer answer = alive(1);
  answer.endpoints = granted(1, web).endpoints;
  respond(answer);
  EXPECT_EQ(client_.standing().published, web);
  EXPECT_EQ(client_.standing().problem, "");
}

TEST_F(ControlClientTest, AskedNowItSendsTheHeartbeatThatIsNotDueYet) {
  publish(web);
  now_ += 700ms;
  event(AskNow{});
  expect_request(
      R"(POST /v1/heartbeat {"session":"s-1","sequence":2,"revision":1,"round_trip_us":0})");
  event(AskNow{});
  expect<KeepWaiting>();
  now_ += 30ms;
  respond(alive(1));
  expect_report_then_proceed();
  expect_sleep(2470ms);
}

TEST_F(ControlClientTest, AskedNowItDoesNotWaitOutTheCautionAfterABrokenConnection) {
  publish(web);
  sleep(2500ms);
  event(Failed{"connection reset"});
  expect_report_then_proceed();
  expect<SleepUntil>();
  event(AskNow{});
  expect<Connect>();
}

TEST_F(ControlClientTest, AskedWhileAHeartbeatIsOnItsWayItConnectsAgainAtOnce) {
  publish(web);
  sleep(2500ms);
  event(AskNow{});
  expect<KeepWaiting>();
  event(Failed{"connection reset"});  // by an edge that was started again
  expect_report_then_proceed();
  expect<Connect>();
  event(Failed{"connection refused"});  // but not again and again
  expect_report_then_proceed();
  expect<SleepUntil>();
}

TEST_F(ControlClientTest, AskedNowItStillWaitsAfterARefusal) {
  publish(web);
  sleep(2500ms);
  refuse(Refusal::session_superseded);
  expect_report_then_proceed();
  const Instant until = expect<SleepUntil>().deadline;
  event(AskNow{});
  EXPECT_EQ(expect<SleepUntil>().deadline, until);
}

// The streams of the edge's old process are gone, and must be ended before the first of the new one
// can come, which is after the state.
TEST_F(ControlClientTest, ANewRunOfTheEdgeIsReportedBeforeAnythingIsPublishedThere) {
  event(ServicesChanged{web});
  event(Started{});
  event(Connected{});
  SessionAnswer answer = session("s-1");
  answer.run = "cafe";
  respond(answer);
  expect<Report>();
  EXPECT_EQ(client_.standing().edge_run, "cafe");
  event(Proceed{});
  respond(granted(1, web));
  expect_report_then_proceed();
  sleep(2500ms);
  refuse(Refusal::session_unknown);
  answer.session = "s-2";
  respond(answer);  // the same run: nothing to report
  EXPECT_EQ(expect<SendRequest>().request.target, state_target);
  respond(granted(1, web));
  expect_report_then_proceed();
  sleep(2500ms);
  refuse(Refusal::session_unknown);
  answer.run = "beef";
  respond(answer);
  expect<Report>();
  EXPECT_EQ(client_.standing().edge_run, "beef");
  event(Proceed{});
  EXPECT_EQ(expect<SendRequest>().request.target, state_target);
}

}  // namespace
}  // namespace sidestream::control
