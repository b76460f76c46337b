#include "sidecar/acme_order_dialogue.h"

#include <gtest/gtest.h>

#include <map>

#include "control/json.h"
#include "streams/base64.h"

namespace sidestream::sidecar {
namespace {

using Kind = AcmeAction::Kind;

// An authority that answers by the book, and that a test can make stumble.
class FakeAuthority {
 public:
  control::HttpResponse answer(const AcmeAction& action) {
    asked.push_back(action.url);
    control::HttpResponse response;
    if (step == stumble_at) {
      ++step;
      return stumble;
    }
    ++step;
    response.fields.push_back({"replay-nonce", "nonce-" + std::to_string(step)});
    if (action.kind == Kind::post) {
      const std::string nonce = member(protected_part(action.body), "nonce");
      if (bad_nonces > 0) {
        --bad_nonces;
        response.status = 400;
        response.body = R"({"type":"urn:ietf:params:acme:error:badNonce","detail":"stale"})";
        return response;
      }
      payloads[action.url] = decoded(member(*control::parse_json(action.body), "payload"));
    }
    answer_to(action.url, response);
    return response;
  }

  std::size_t step = 0;
  std::size_t stumble_at = 1000;
  control::HttpResponse stumble;
  int bad_nonces = 0;
  bool authorized = false;  // from an earlier order
  std::string verdict = "valid";
  std::string directory_more;
  std::vector<std::string> asked;
  std::map<std::string, std::string> payloads;

 private:
  static std::string decoded(const std::string& text) {
    return std::string(text_of(Bytes(*parse_base64url(text))));
  }
  static std::string member(const control::Json& json, std::string_view name) {
    return *json.object()->find(name)->text();
  }
  static control::Json protected_part(const std::string& body) {
    return *control::parse_json(decoded(member(*control::parse_json(body), "protected")));
  }
  void answer_to(const std::string& url, control::HttpResponse& response) {
    if (url == "https://ca/dir") {
      response.body = R"({"newNonce":"https://ca/nonce","newAccount":"https://ca/account",)"
                      R"("newOrder":"https://ca/order","renewalInfo":"https://ca/renew")" +
                      directory_more + "}";
    } else if (url == "https://ca/account") {
      response.fields.push_back({"location", "https://ca/account/1"});
      response.body = "{}";
    } else if (url == "https://ca/order" || url == "https://ca/order/1" ||
               url == "https://ca/finalize") {
      response.fields.push_back({"location", "https://ca/order/1"});
      order_status(url, response.body);
    } else if (url.starts_with("https://ca/authz/")) {
      const std::string name = url.substr(url.rfind('/') + 1);
      const bool over = authorized || challenged[name];
      response.body = R"({"status":")" + (over ? verdict : "pending") +
                      R"(","identifier":{"type":"dns","value":")" + name +
                      R"("},"challenges":[{"type":"tls-alpn-01","token":"token","url":)" +
                      "\"https://ca/challenge/" + name +
                      R"(","error":{"detail":"no route to it"}}]})";
    } else if (url.starts_with("https://ca/challenge/")) {
      challenged[url.substr(url.rfind('/') + 1)] = true;
      response.body = "{}";
    } else if (url == "https://ca/cert") {
      response.body = "the chain";
    }
  }
  void order_status(const std::string& url, std::string& body) {
    std::string status = url == "https://ca/order" ? "pending" : "processing";
    if (url == "https://ca/order/1") status = ++polls < 3 ? "processing" : "valid";
    body = R"({"status":")" + status +
           R"(","authorizations":["https://ca/authz/a.test","https://ca/authz/b.test"],)"
           R"("finalize":"https://ca/finalize")" +
           (status == "valid" ? R"(,"certificate":"https://ca/cert")" : "") + "}";
  }

  std::map<std::string, bool> challenged;
  int polls = 0;
};

class AcmeOrders : public ::testing::Test {
 protected:
  // Drives the dialogue to its end.
  AcmeAction run() {
    AcmeOrderDialogue dialogue(wish_, key_, bytes_of("request"));
    AcmeAction action = dialogue.resume({});
    for (int i = 0; i < 1000; ++i) {
      if (action.kind == Kind::done || action.kind == Kind::failed) break;
      AcmeOrderDialogue::Event event;
      if (action.kind == Kind::get || action.kind == Kind::post) {
        event.kind = AcmeOrderDialogue::Event::Kind::response;
        event.response = authority_.answer(action);
      } else if (action.kind == Kind::show) {
        shown_ = action.challenges;
      } else {
        waited_ += action.wait;
      }
      action = dialogue.resume(std::move(event));
    }
    account_url_ = dialogue.account_url();
    return action;
  }

  FakeAuthority authority_;
  const TlsAccountKey key_ = TlsAccountKey::generate();
  AcmeOrderWish wish_{.directory = "https://ca/dir",
                      .email = "me@example.com",
                      .binding = std::nullopt,
                      .profile = "",
                      .names = {"a.test", "b.test"},
                      .replaces = ""};
  std::vector<AcmeChallenge> shown_;
  Duration waited_{};
  std::string account_url_;
};

TEST_F(AcmeOrders, EndWithAChainForAllNames) {
  const AcmeAction end = run();
  ASSERT_EQ(end.kind, Kind::done) << end.failure.why;
  EXPECT_EQ(end.body, "the chain");
  ASSERT_EQ(shown_.size(), 2U);
  EXPECT_EQ(shown_[1].name, "b.test");
  EXPECT_EQ(shown_[0].digest, sha256_of("token." + key_.thumbprint()));
  EXPECT_EQ(shown_[0].token, "token");
  EXPECT_EQ(shown_[0].key_authorization, "token." + key_.thumbprint());
  EXPECT_EQ(account_url_, "https://ca/account/1");
  EXPECT_EQ(authority_.payloads["https://ca/account"],
            R"({"termsOfServiceAgreed":true,"contact":["mailto:me@example.com"]})");
  EXPECT_EQ(authority_.payloads["https://ca/order"],
            R"({"identifiers":[{"type":"dns","value":"a.test"},{"type":"dns","value":"b.test"}]})");
  EXPECT_EQ(authority_.payloads["https://ca/challenge/a.test"], "{}");
  EXPECT_EQ(authority_.payloads["https://ca/authz/a.test"], "");
  EXPECT_EQ(authority_.payloads["https://ca/finalize"], R"({"csr":"cmVxdWVzdA"})");
  EXPECT_GT(waited_, 0s);
}

TEST_F(AcmeOrders, ThatAreAuthorizedAlreadyNeedNoChallenge) {
  authority_.authorized = true;
  EXPECT_EQ(run().kind, Kind::done);
  EXPECT_TRUE(shown_.empty());
}

TEST_F(AcmeOrders, SurviveNoncesThatAreRefused) {
  authority_.bad_nonces = 90;
  EXPECT_EQ(run().kind, Kind::done);
}

TEST_F(AcmeOrders, GiveUpWhenNoNonceIsGoodEnough) {
  authority_.bad_nonces = 1000;
  const AcmeAction end = run();
  ASSERT_EQ(end.kind, Kind::failed);
  EXPECT_EQ(end.failure.kind, AcmeFailure::Kind::unreachable);
}

TEST_F(AcmeOrders, SayProfileAndWhatTheyReplace) {
  authority_.directory_more = R"(,"meta":{"profiles":{"shortlived":"x"}})";
  wish_.profile = "shortlived";
  wish_.replaces = "aki.serial";
  EXPECT_EQ(run().kind, Kind::done);
  EXPECT_TRUE(authority_.payloads["https://ca/order"].ends_with(
      R"("profile":"shortlived","replaces":"aki.serial"})"));
  wish_.profile = "other";
  EXPECT_EQ(run().failure.why, "the authority has no profile \"other\"; it has shortlived");
}

// The certificate that replaced it was lost on the way, perhaps (RFC 9773 section 5:
// alreadyReplaced).
TEST_F(AcmeOrders, DoWithoutReplacingWhatTheAuthorityDoesNotWantReplaced) {
  wish_.replaces = "aki.serial";
  authority_.stumble_at = 2;
  authority_.stumble.status = 409;
  authority_.stumble.body = R"({"type":"urn:ietf:params:acme:error:alreadyReplaced"})";
  EXPECT_EQ(run().kind, Kind::done);
  EXPECT_EQ(authority_.asked[2], "https://ca/order");
  EXPECT_EQ(authority_.payloads["https://ca/order"].find("replaces"), std::string::npos);
}

TEST_F(AcmeOrders, BindTheAccountWhereThatIsWanted) {
  authority_.directory_more = R"(,"meta":{"externalAccountRequired":true})";
  EXPECT_EQ(run().failure.why,
            "the authority wants an account that it knows; write `eab` with what it gave you");
  wish_.binding = AcmeBinding{"kid-1", SecretText("c2VjcmV0")};
  EXPECT_EQ(run().kind, Kind::done);
  EXPECT_NE(authority_.payloads["https://ca/account"].find(R"("externalAccountBinding":{"prot)"),
            std::string::npos);
}

TEST_F(AcmeOrders, SayWhatTheAuthorityCouldNotSee) {
  authority_.verdict = "invalid";
  const AcmeAction end = run();
  EXPECT_EQ(end.failure.kind, AcmeFailure::Kind::refused);
  EXPECT_EQ(end.failure.why,
            "the authority could not see that a.test is served here: no route to it");
}

TEST_F(AcmeOrders, WaitAsLongAsTheAuthorityWants) {
  authority_.stumble_at = 4;
  authority_.stumble.status = 429;
  authority_.stumble.fields = {{"retry-after", "86400"}};
  authority_.stumble.body =
      R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"})";
  const AcmeAction end = run();
  ASSERT_EQ(end.kind, Kind::failed);
  EXPECT_EQ(end.failure.kind, AcmeFailure::Kind::limited);
  EXPECT_EQ(end.failure.retry_after, 24h);
  EXPECT_EQ(end.failure.why, "the authority refuses: too many (rateLimited)");
}

TEST_F(AcmeOrders, EndWithAReasonWhereverTheyFail) {
  run();
  const std::size_t steps = authority_.step;
  for (const unsigned status : {200U, 404U, 500U}) {
    for (std::size_t at = 0; at < steps; ++at) {
      authority_ = {};
      authority_.stumble_at = at;
      authority_.stumble.status = status;
      authority_.stumble.body = "<html>oops</html>";
      const AcmeAction end = run();
      // A challenge whose answer says nothing is still a challenge, and a chain is what it is.
      if (status == 200 && end.kind == Kind::done) continue;
      ASSERT_EQ(end.kind, Kind::failed) << status << " at " << at;
      EXPECT_FALSE(end.failure.why.empty());
      if (status == 500) {
        EXPECT_EQ(end.failure.kind, AcmeFailure::Kind::unreachable);
      }
    }
  }
}

TEST_F(AcmeOrders, SayWhenNobodyAnswers) {
  AcmeOrderDialogue dialogue(wish_, key_, bytes_of("request"));
  dialogue.resume({});
  const AcmeAction end =
      dialogue.resume({.kind = AcmeOrderDialogue::Event::Kind::unreachable, .why = "refused"});
  EXPECT_EQ(end.failure.why, "the authority does not answer: refused");
  EXPECT_EQ(end.failure.kind, AcmeFailure::Kind::unreachable);
}

}  // namespace
}  // namespace sidestream::sidecar
