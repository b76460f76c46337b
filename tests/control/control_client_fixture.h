// A ControlClient with a clock and a transcript: what it says is checked line by line.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "control/control_client.h"
#include "tests/support/seeded_random.h"

namespace sidestream::control {

using client_action::Connect;
using client_action::Done;
using client_action::ForceHandshake;
using client_action::KeepWaiting;
using client_action::Report;
using client_action::SendRequest;
using client_action::SleepUntil;
using client_event::AskNow;
using client_event::Cancelled;
using client_event::Connected;
using client_event::Failed;
using client_event::Proceed;
using client_event::Responded;
using client_event::ServicesChanged;
using client_event::Started;
using client_event::Stop;
using client_event::TimedOut;

inline const std::vector<WantedEndpoint> web{{"a.example.com", "web", 20001, priority_default}};
inline const std::vector<WantedEndpoint> web_and_ssh{
    {"a.example.com", "web", 20001, priority_default}, {":2222", "ssh", 20002, priority_default}};

class ControlClientTest : public testing::Test {
 protected:
  void event(ClientEvent happened) { action_ = client_.resume(now_, std::move(happened)); }

  template <typename Action>
  Action expect() {
    const auto* action = std::get_if<Action>(&action_);
    EXPECT_NE(action, nullptr) << "another action, number " << action_.index();
    return action == nullptr ? Action{} : *action;
  }

  // The request that is sent, as `METHOD target body`, with the deadline that it must have.
  void expect_request(const std::string& text) {
    const auto send = expect<SendRequest>();
    EXPECT_EQ(send.request.method + ' ' + send.request.target + ' ' + send.request.body, text);
    EXPECT_EQ(*find_field(send.request.fields, "host"), "10.86.0.1:5151");
    EXPECT_LE(send.deadline - now_, 2500ms);
  }
  void expect_sleep(Duration time) { EXPECT_EQ(expect<SleepUntil>().deadline - now_, time); }
  void expect_report_then_proceed() {
    expect<Report>();
    event(Proceed{});
  }

  void respond(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    event(Responded{std::move(response)});
  }
  template <typename Answer>
  void respond(const Answer& answer) {
    respond(200, serialize(answer));
  }
  void refuse(Refusal refusal) {
    respond(status_of(refusal), serialize(RefusalAnswer{refusal, "because"}));
  }

  static SessionAnswer session(const std::string& id) { return {id, std::chrono::seconds(8), "9"}; }
  static StateAnswer granted(std::uint64_t revision, const std::vector<WantedEndpoint>& wanted) {
    StateAnswer answer{revision, std::chrono::seconds(8), {}};
    for (const WantedEndpoint& one : wanted) {
      answer.endpoints.push_back({one.endpoint, EndpointState::granted, Reason::none, ""});
    }
    return answer;
  }
  static HeartbeatAnswer alive(std::uint64_t revision) {
    return {revision, std::chrono::seconds(8), std::nullopt};
  }
  void sleep(Duration time) {
    now_ += time;
    event(TimedOut{});
  }

  // As far as the first sleep after publishing `wanted`.
  void publish(const std::vector<WantedEndpoint>& wanted) {
    event(ServicesChanged{wanted});
    event(Started{});
    expect<Connect>();
    event(Connected{});
    respond(session("s-1"));
    respond(granted(1, wanted));
    expect_report_then_proceed();
    expect_sleep(2500ms);
  }

  Instant now_{1000s};
  SeededRandom random_{7};
  ControlClient client_{{"10.86.0.1:5151", "0.1.0", "nas"}, random_};
  ClientAction action_;
};

}  // namespace sidestream::control
