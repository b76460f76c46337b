#include "sidecar/acme_responder_io.h"

#include <gtest/gtest.h>

#include "control/http_client_io.h"
#include "sidecar/backend_io.h"
#include "streams/task_group_io.h"
#include "tests/support/simulated_world_io.h"

namespace sidestream::sidecar {
namespace {

class AcmeResponderTest : public ::testing::Test {
 protected:
  AcmeResponderTest() {
    group_.spawn(responder_.run(), [](const std::exception_ptr&) {});
  }
  ~AcmeResponderTest() override { world_.run(group_.stop()); }

  control::HttpResponse get(std::string target, std::string host) {
    auto getting = world_.start(ask(std::move(target), std::move(host)));
    EXPECT_TRUE(world_.run_until([&] { return getting.done(); }, 5s));
    return getting.result();
  }
  Task<control::HttpResponse> ask(std::string target, std::string host) {
    auto dialling = dial_backend(home_.network(), responder_.address(), 1s);
    const auto stream = co_await std::move(dialling);
    control::HttpRequest request;
    request.method = "GET";
    request.target = std::move(target);
    request.fields.push_back({"host", std::move(host)});
    auto fetching = control::fetch(*stream, std::move(request), {});
    co_return co_await std::move(fetching);
  }

  World world_{1};
  SimulatedHost& home_ =
      world_.add_host("home", {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("192.0.2.2")});
  AcmeResponder responder_{home_.network()};
  TaskGroup group_{world_.loop().executor()};
};

TEST_F(AcmeResponderTest, AnswersWhatIsShownAndNothingElse) {
  const std::vector<AcmeChallenge> shown{
      {.name = "a.test", .token = "t0ken", .key_authorization = "t0ken.print"}};
  responder_.show(shown);
  EXPECT_EQ(get("/.well-known/acme-challenge/t0ken", "a.test").body, "t0ken.print");
  EXPECT_EQ(get("/.well-known/acme-challenge/other", "a.test").status, 404U);
  responder_.hide(shown);
  EXPECT_EQ(get("/.well-known/acme-challenge/t0ken", "a.test").status, 404U);
}

TEST_F(AcmeResponderTest, SendsEverybodyElseToHttps) {
  const auto moved = get("/a/b?c=d", "a.test");
  EXPECT_EQ(moved.status, 308U);
  EXPECT_EQ(*control::find_field(moved.fields, "location"), "https://a.test/a/b?c=d");
  // No name that could be trusted to be one.
  EXPECT_EQ(get("/", "a.test:80").status, 404U);
}

}  // namespace
}  // namespace sidestream::sidecar
