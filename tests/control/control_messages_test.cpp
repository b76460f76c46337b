#include "control/control_messages.h"

#include <gtest/gtest.h>

#include <string>

namespace sidestream::control {
namespace {

StateRequest sample_state() {
  return {"a1-7",
          12,
          {{"electrum.example.com", "electrum", 20001, priority_default},
           {":50002", "electrum", 20001, 0},
           {"*.home.example.com:8443", "web", 20002, priority_max}}};
}

TEST(ControlMessages, RoundTrip) {
  const SessionRequest session_request{protocol_version, "0.1.0", "nas"};
  EXPECT_EQ(parse_session_request(serialize(session_request)), session_request);
  const SessionAnswer session_answer{"ffffffffffffffff-18446744073709551615",
                                     std::chrono::seconds(8), "0.1.0"};
  EXPECT_EQ(parse_session_answer(serialize(session_answer)), session_answer);
  const SessionRequest with_run{protocol_version, "0.1.0", "nas", "cafe"};
  EXPECT_EQ(parse_session_request(serialize(with_run)), with_run);
  const SessionAnswer answer_with_run{"a-1", std::chrono::seconds(8), "0.1.0", "beef"};
  EXPECT_EQ(parse_session_answer(serialize(answer_with_run)), answer_with_run);
  EXPECT_EQ(parse_state_request(serialize(sample_state())), sample_state());
  const StateAnswer state_answer{
      3,
      std::chrono::seconds(8),
      {{"a", EndpointState::granted, Reason::none, ""},
       {"b", EndpointState::waiting, Reason::standby, "another one has it"},
       {"c", EndpointState::refused, Reason::not_allowed, "say \"please\""}}};
  EXPECT_EQ(parse_state_answer(serialize(state_answer)), state_answer);
  const HeartbeatRequest heartbeat{"a1-7", 13, 3};
  EXPECT_EQ(parse_heartbeat_request(serialize(heartbeat)), heartbeat);
  HeartbeatAnswer heartbeat_answer{3, std::chrono::seconds(8), std::nullopt};
  EXPECT_EQ(parse_heartbeat_answer(serialize(heartbeat_answer)), heartbeat_answer);
  heartbeat_answer.endpoints = state_answer.endpoints;
  EXPECT_EQ(parse_heartbeat_answer(serialize(heartbeat_answer)), heartbeat_answer);
  const RefusalAnswer refusal{Refusal::session_unknown, "open a new one"};
  EXPECT_EQ(parse_refusal(serialize(refusal)), refusal);
}

// The text on the wire is a contract with other versions.
TEST(ControlMessages, WireForm) {
  EXPECT_EQ(serialize(SessionRequest{1, "0.1.0", "nas"}),
            R"({"protocol":1,"version":"0.1.0","instance":"nas"})");
  EXPECT_EQ(serialize(SessionAnswer{"a-1", std::chrono::seconds(8), "0.1.0"}),
            R"({"session":"a-1","lease_seconds":8,"version":"0.1.0"})");
  EXPECT_EQ(serialize(StateRequest{"a-1", 2, {{"a.example.com", "web", 20001, 100}}}),
            R"({"session":"a-1","sequence":2,"endpoints":[{"endpoint":"a.example.com",)"
            R"("service":"web","port":20001,"priority":100}]})");
  EXPECT_EQ(serialize(StateAnswer{5,
                                  std::chrono::seconds(8),
                                  {{"a", EndpointState::granted, Reason::none, ""},
                                   {"b", EndpointState::refused, Reason::port_not_open, "no"}}}),
            R"({"revision":5,"lease_seconds":8,"endpoints":[{"endpoint":"a","state":"granted"},)"
            R"({"endpoint":"b","state":"refused","reason":"port_not_open","sentence":"no"}]})");
  EXPECT_EQ(serialize(HeartbeatRequest{"a-1", 3, 5}),
            R"({"session":"a-1","sequence":3,"revision":5})");
  EXPECT_EQ(serialize(HeartbeatAnswer{5, std::chrono::seconds(8), std::nullopt}),
            R"({"revision":5,"lease_seconds":8})");
  EXPECT_EQ(serialize(RefusalAnswer{Refusal::stale_sequence, "old"}),
            R"({"error":"stale_sequence","sentence":"old"})");
}

TEST(ControlMessages, OptionalMembers) {
  const auto state = parse_state_request(R"({"session":"a","sequence":1,"new":[],"endpoints":[)"
                                         R"({"endpoint":"a","service":"b","port":1,"x":{}}]})");
  ASSERT_TRUE(state) << state.error();
  EXPECT_EQ(state->endpoints[0].priority, priority_default);
  EXPECT_EQ(parse_session_request(R"({"protocol":1,"version":"9"})")->instance, "");
}

// Whatever a later version says besides, its number is read.
TEST(ControlMessages, AnotherProtocolVersionIsReadAsFarAsItsNumber) {
  const auto request = parse_session_request(R"({"protocol":2,"version":{"major":1}})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->protocol, 2U);
}

TEST(ControlMessages, ErrorsNameTheMember) {
  const auto error_of = [](std::string_view endpoints, std::string_view rest = R"("sequence":1)") {
    const auto state = parse_state_request(R"({"session":"a",)" + std::string(rest) +
                                           R"(,"endpoints":[)" + std::string(endpoints) + "]}");
    return state ? std::string() : state.error();
  };
  const std::string good = R"({"endpoint":"a","service":"b","port":1})";
  EXPECT_EQ(error_of(good), "");
  EXPECT_EQ(error_of(good + R"(,{"endpoint":"a","service":"b","port":0})"),
            "endpoints[1].port: expected a whole number from 1 to 65535");
  EXPECT_EQ(error_of(R"({"endpoint":"a","service":"b","port":65536})"),
            "endpoints[0].port: expected a whole number from 1 to 65535");
  EXPECT_EQ(error_of(R"({"endpoint":7,"service":"b","port":1})"),
            "endpoints[0].endpoint: expected a text");
  EXPECT_EQ(error_of(R"({"endpoint":"a\u0000b","service":"b","port":1})"),
            "endpoints[0].endpoint: expected a text without control characters");
  EXPECT_EQ(error_of(R"({"endpoint":"a","service":"b","port":1,"priority":1001})"),
            "endpoints[0].priority: expected a whole number from 0 to 1000");
  EXPECT_EQ(error_of("[]"), "endpoints[0]: expected an object");
  EXPECT_EQ(error_of("", R"("sequence":0)"), "sequence: expected a whole number from 1");
  EXPECT_EQ(error_of("", R"("sequence":-1)"), "sequence: expected a whole number from 1");
  EXPECT_EQ(parse_state_request("{").error(), "byte 1: incomplete JSON");
  EXPECT_EQ(parse_state_request("[]").error(), "expected an object");
  EXPECT_EQ(parse_state_answer(
                R"({"revision":1,"lease_seconds":8,"endpoints":[{"endpoint":"a","state":"x"}]})")
                .error(),
            "endpoints[0].state: expected granted, waiting or refused");
  EXPECT_EQ(parse_session_answer(R"({"session":"a","lease_seconds":0,"version":"1"})").error(),
            "lease_seconds: expected a whole number from 1 to 3600");
}

TEST(ControlMessages, Limits) {
  const MessageLimits limits;
  StateRequest state{"a", 1, {}};
  state.endpoints.assign(limits.endpoints_max, {"a", "b", 1, 1});
  EXPECT_TRUE(parse_state_request(serialize(state)));
  state.endpoints.push_back({"a", "b", 1, 1});
  EXPECT_EQ(parse_state_request(serialize(state)).error(),
            "endpoints: expected at most 4096 elements");
  state.endpoints.assign(1, {std::string(limits.endpoint_bytes_max + 1, 'a'), "b", 1, 1});
  EXPECT_FALSE(parse_state_request(serialize(state)));
  state.endpoints.assign(1, {"a", std::string(limits.request_bytes_max, 'a'), 1, 1});
  EXPECT_EQ(parse_state_request(serialize(state)).error(), "byte 0: it is too long");

  StateAnswer answer{1, std::chrono::seconds(8), {}};
  answer.endpoints.assign(limits.endpoints_max,
                          {std::string(limits.endpoint_bytes_max, 'a'), EndpointState::refused,
                           Reason::not_allowed, std::string(400, 's')});
  EXPECT_TRUE(parse_state_answer(serialize(answer)));
}

TEST(ControlMessages, ARefusalCanAlwaysBeRead) {
  EXPECT_EQ(parse_refusal("<html>").refusal, Refusal::other);
  EXPECT_EQ(parse_refusal("<html>").sentence, "the answer cannot be read: byte 0: syntax error");
  EXPECT_EQ(parse_refusal(R"({"error":"on_fire","sentence":"run"})"),
            (RefusalAnswer{Refusal::other, "run"}));
}

TEST(ControlMessages, EveryPrefixIsRefused) {
  const std::string text = serialize(sample_state());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_state_request(std::string_view(text).substr(0, size))) << size;
  }
}

TEST(ControlMessages, BansAreLeftOutByThoseWhoDoNotKnowThem) {
  const std::string without = R"({"session":"s","sequence":1,"endpoints":[]})";
  EXPECT_EQ(parse_state_request(without)->bans.size(), 0U);
  const StateRequest request{
      "s", 1, {}, {{*IpPrefix::parse("2001:db8::/64"), std::chrono::seconds(5)}}};
  EXPECT_EQ(parse_state_request(serialize(request)), request);
  EXPECT_FALSE(parse_state_answer(R"({"revision":1,"lease_seconds":8,"endpoints":[]})")->bans);
  EXPECT_EQ(parse_state_answer(R"({"revision":1,"lease_seconds":8,"endpoints":[],"bans":3})")->bans,
            3U);
  EXPECT_FALSE(parse_state_request(R"({"session":"s","sequence":1,"endpoints":[],)"
                                   R"("bans":[{"network":"0.0.0.0/0","seconds":5}]})"));
}

}  // namespace
}  // namespace sidestream::control
