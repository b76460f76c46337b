#include "control/admin_messages.h"

#include <gtest/gtest.h>

namespace sidestream::control {
namespace {

TEST(AdminMessages, RoundTrip) {
  const HealthAnswer health{false, "no edge answers"};
  EXPECT_EQ(parse_health_answer(serialize(health)), health);
  const InviteRequest invite{"home", {"*.example.com", ":2222"}};
  EXPECT_EQ(parse_invite_request(serialize(invite)), invite);
  const InviteAnswer ticket{"ss1_abc"};
  EXPECT_EQ(parse_invite_answer(serialize(ticket)), ticket);
  const RevokeRequest revoke{"home"};
  EXPECT_EQ(parse_revoke_request(serialize(revoke)), revoke);
  const RevokeAnswer revoked{3, 17};
  EXPECT_EQ(parse_revoke_answer(serialize(revoked)), revoked);
}

TEST(AdminMessages, WireForm) {
  EXPECT_EQ(serialize(InviteRequest{"home", {":2222"}}), R"({"name":"home","allow":[":2222"]})");
  EXPECT_EQ(serialize(HealthAnswer{true, ""}), R"({"healthy":true,"sentence":""})");
  EXPECT_EQ(serialize(RevokeAnswer{1, 2}), R"({"endpoints":1,"streams":2})");
}

TEST(AdminMessages, WebPagesAreNotAnswered) {
  const auto from = [](HttpFields fields) {
    HttpRequest request;
    request.fields = std::move(fields);
    return is_from_a_program(request);
  };
  EXPECT_TRUE(from({{"host", std::string(admin_host)}}));
  EXPECT_TRUE(from({}));
  for (const char* host :
       {"localhost:9000", "sidestream:9000", "127.0.0.1:9000", "10.0.0.1", "[::1]:9000", "[::1]"})
    EXPECT_TRUE(from({{"host", host}})) << host;
  // A name that was made to point to this machine.
  EXPECT_FALSE(from({{"host", "rebound.example.com"}}));
  EXPECT_FALSE(from({{"host", "rebound.example.com:9000"}}));
  EXPECT_FALSE(from({{"host", "127.0.0.1:9000"}, {"origin", "https://example.com"}}));
  EXPECT_FALSE(from({{"host", "localhost"}, {"origin", "null"}}));
}

TEST(AdminMessages, ErrorsNameTheMember) {
  EXPECT_EQ(parse_invite_request(R"({"name":"home","allow":[":1",7]})").error(),
            "allow[1]: expected a text");
  EXPECT_EQ(parse_invite_request(R"({"allow":[]})").error(), "name: expected a text");
  EXPECT_EQ(parse_revoke_request("").error(), "byte 0: incomplete JSON");
  EXPECT_EQ(parse_health_answer(R"({"healthy":1})").error(), "healthy: expected true or false");
  EXPECT_EQ(parse_admin_refusal(R"({"error":"not_found","sentence":"no such sidecar"})"),
            (AdminRefusal{"not_found", "no such sidecar"}));
  EXPECT_EQ(parse_admin_refusal("x").sentence, "the answer cannot be read: byte 0: syntax error");
}

}  // namespace
}  // namespace sidestream::control
