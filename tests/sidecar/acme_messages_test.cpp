#include "sidecar/acme_messages.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

TEST(AcmeMessages, ADirectory) {
  const auto directory = parse_directory(
      R"({"newNonce":"https://ca/n","newAccount":"https://ca/a","newOrder":"https://ca/o",)"
      R"("renewalInfo":"https://ca/r","other":1,)"
      R"("meta":{"caaIdentities":["ca.test",1],"externalAccountRequired":true,)"
      R"("profiles":{"classic":"x","shortlived":"y"}}})");
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->new_order, "https://ca/o");
  EXPECT_EQ(directory->renewal_url, "https://ca/r");
  EXPECT_TRUE(directory->binding_required);
  EXPECT_EQ(directory->profiles, (std::vector<std::string>{"classic", "shortlived"}));
  EXPECT_EQ(directory->issuers, std::vector<std::string>{"ca.test"});
  // Plain HTTP is not asked.
  EXPECT_EQ(parse_directory(
                R"({"newNonce":"http://ca/n","newAccount":"https://ca/a","newOrder":"https://x"})")
                .error(),
            "is no directory of ACME (RFC 8555 section 7.1.1)");
  // Nor is a host that can be none.
  EXPECT_FALSE(parse_directory(
      R"({"newNonce":"https://c!/n","newAccount":"https://ca/a","newOrder":"https://ca/o"})"));
  EXPECT_TRUE(parse_directory("<html>").error().starts_with("is no JSON: "));
  EXPECT_EQ(parse_directory("[]").error(), "is no JSON object");
}

TEST(AcmeMessages, AnOrder) {
  const auto order =
      parse_order(R"({"status":"invalid","authorizations":["https://ca/1","https://ca/2"],)"
                  R"("finalize":"https://ca/f","error":{"detail":"because\u0007"}})");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->authorizations.size(), 2U);
  EXPECT_EQ(order->certificate, "");
  EXPECT_EQ(order->problem.find('\a'), std::string::npos);
  EXPECT_FALSE(parse_order(R"({"status":"valid"})"));
  EXPECT_EQ(parse_order(R"({"status":"x","authorizations":[1],"finalize":"https://ca/f"})").error(),
            "names an authorization that cannot be asked");
}

TEST(AcmeMessages, AnAuthorization) {
  const std::string text =
      R"({"status":"invalid","identifier":{"type":"dns","value":"a.test"},"challenges":[)"
      R"({"type":"http-01","url":"https://ca/h","token":"no"},)"
      R"({"type":"tls-alpn-01","url":"https://ca/t","token":"yes",)"
      R"("error":{"detail":"connection refused"}}]})";
  const auto authorization = parse_authorization(text, "tls-alpn-01");
  ASSERT_TRUE(authorization);
  EXPECT_EQ(authorization->name, "a.test");
  EXPECT_EQ(authorization->challenge, "https://ca/t");
  EXPECT_EQ(authorization->token, "yes");
  EXPECT_EQ(authorization->problem, "connection refused");
  EXPECT_EQ(parse_authorization(text, "http-01")->token, "no");
  EXPECT_EQ(parse_authorization(text, "dns-01")->challenge, "");
  EXPECT_FALSE(parse_authorization(R"({"status":"valid","challenges":[]})", "dns-01"));
}

TEST(AcmeMessages, FactsOfAnAccountRoundTrip) {
  const AcmeAccountFacts facts{"https://ca/account/1", {"ca.test", "ca.example"}};
  EXPECT_EQ(parse_account_facts(serialize(facts)), facts);
  EXPECT_EQ(parse_account_facts("{}").error(), "names no account");
}

TEST(AcmeMessages, AProblem) {
  const AcmeProblem problem =
      parse_problem(R"({"type":"urn:ietf:params:acme:error:badNonce","detail":"again",)"
                    R"("subproblems":[{"detail":"a part"}]})");
  EXPECT_EQ(problem.type, "badNonce");
  EXPECT_EQ(problem.detail, "again; a part");
  EXPECT_EQ(parse_problem("not found").detail, "not found");
}

TEST(AcmeMessages, ARenewalWindow) {
  const auto window = parse_renewal(
      R"({"suggestedWindow":{"start":"2026-01-03T00:00:00Z","end":"2026-01-07T00:00:00Z"}})");
  ASSERT_TRUE(window);
  EXPECT_EQ(window->end - window->start, std::chrono::days(4));
  EXPECT_FALSE(parse_renewal(
      R"({"suggestedWindow":{"start":"2026-01-07T00:00:00Z","end":"2026-01-03T00:00:00Z"}})"));
  EXPECT_FALSE(parse_renewal("{}"));
}

}  // namespace
}  // namespace sidestream::sidecar
