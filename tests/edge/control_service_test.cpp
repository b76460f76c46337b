#include "edge/control_service.h"

#include <gtest/gtest.h>

namespace sidestream::edge {
namespace {

class ControlServiceTest : public testing::Test {
 protected:
  ControlServiceTest() {
    table_.set_sidecars(
        {{.name = "home",
          .tunnel_address = IpAddress::v4({10, 86, 0, 2}),
          .allow = {*control::EndpointPattern::parse("*.example.com")}},
         {.name = "shed", .tunnel_address = IpAddress::v4({10, 86, 0, 3}), .allow = {}}});
    table_.set_public_ports({{443, 443}});
    table_.on_port_open(443);
  }

  // `STATUS body`.
  std::string send(const std::string& method, const std::string& target, const std::string& body,
                   const std::string& sidecar = "home") {
    control::HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    last_ = service_.respond(now_, sidecar, request);
    return std::to_string(last_.status) + ' ' + last_.body;
  }

  Instant now_{1000s};
  LeaseTable table_{0xe1, "9.9"};
  ControlService service_{table_};
  control::HttpResponse last_;
};

TEST_F(ControlServiceTest, Transcript) {
  EXPECT_EQ(send("POST", "/v1/session", R"({"protocol":1,"version":"0.1.0","instance":"nas"})"),
            R"(200 {"session":"e1-1","lease_seconds":8,"version":"9.9","run":"e1"})");
  EXPECT_EQ(*find_field(last_.fields, "content-type"), "application/json");
  EXPECT_EQ(
      send("PUT", "/v1/state",
           R"({"session":"e1-1","sequence":1,"endpoints":[)"
           R"({"endpoint":"a.example.com","service":"web","port":20001},)"
           R"({"endpoint":":22","service":"ssh","port":20002}]})"),
      R"(200 {"revision":1,"lease_seconds":8,"endpoints":[)"
      R"({"endpoint":"a.example.com","state":"granted"},)"
      R"({"endpoint":":22","state":"refused","reason":"not_allowed","sentence":)"
      R"("sidecar home may not publish it; the edge's owner can add it to `allow` in edge.yaml )"
      R"(or, for one that was invited, revoke it and invite it anew with --allow"}],"bans":0})");
  EXPECT_EQ(send("POST", "/v1/heartbeat", R"({"session":"e1-1","sequence":2,"revision":1})"),
            R"(200 {"revision":1,"lease_seconds":8})");
  EXPECT_EQ(send("POST", "/v1/heartbeat", R"({"session":"e1-1","sequence":2,"revision":1})"),
            R"(409 {"error":"stale_sequence",)"
            R"("sentence":"the message is older than one that came before it"})");
  EXPECT_EQ(send("POST", "/v1/heartbeat", R"({"session":"e0-1","sequence":3,"revision":1})"),
            R"(410 {"error":"session_unknown","sentence":)"
            R"("the edge has restarted or the lease has ended; open a new session"})");
  EXPECT_EQ(send("PUT", "/v1/state", R"({"session":"e1-1","sequence":3,"endpoints":[]})"),
            R"(200 {"revision":2,"lease_seconds":8,"endpoints":[],"bans":0})");
  EXPECT_EQ(service_.refused(), 2U);
}

TEST_F(ControlServiceTest, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(send("GET", "/", "").starts_with("404 "));
  EXPECT_TRUE(send("GET", "/v1/state?x", "").starts_with("404 "));
  EXPECT_TRUE(send("POST", "/v1/state", "{}").starts_with("405 "));
  EXPECT_EQ(*find_field(last_.fields, "allow"), "PUT");
  EXPECT_TRUE(send("GET", "/v1/session", "").starts_with("405 "));
  EXPECT_EQ(*find_field(last_.fields, "allow"), "POST");
  EXPECT_EQ(send("PUT", "/v1/state", "{}"),
            R"(400 {"error":"bad_message","sentence":"session: expected a text"})");
  EXPECT_EQ(send("POST", "/v1/session", R"({"protocol":2})"),
            R"(426 {"error":"unsupported_protocol","sentence":"this edge speaks version 1 of the )"
            R"(control protocol; run the same version of sidestream on both sides"})");
  for (const auto refusal : {control::Refusal::unknown_sidecar, control::Refusal::revoked}) {
    const auto response = ControlService::refuse(refusal);
    EXPECT_EQ(response.status, 403U);
    EXPECT_FALSE(response.keep_alive);
    EXPECT_EQ(control::parse_refusal(response.body).refusal, refusal);
  }
}

// Fault 67: one that floods is slowed down, others are not.
TEST_F(ControlServiceTest, LimitsEachSidecarByItself) {
  const std::string body = R"({"protocol":1,"version":"0"})";
  int refused = 0;
  for (int i = 0; i < 10'000; ++i) {
    now_ += 100us;  // 10,000 a second
    if (send("POST", "/v1/session", body).starts_with("429 ")) ++refused;
  }
  EXPECT_GE(refused, 10'000 - 41);
  EXPECT_EQ(*find_field(last_.fields, "retry-after"), "1");
  EXPECT_TRUE(send("POST", "/v1/session", body, "shed").starts_with("200 "));
  now_ += 1s;
  EXPECT_TRUE(send("POST", "/v1/session", body).starts_with("200 "));
  service_.forget("home");
  EXPECT_TRUE(send("POST", "/v1/session", body).starts_with("200 "));
}

}  // namespace
}  // namespace sidestream::edge
