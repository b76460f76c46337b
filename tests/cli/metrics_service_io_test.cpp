#include "cli/metrics_service_io.h"

#include <gtest/gtest.h>

#include "control/metrics_page.h"
#include "tests/support/virtual_loop_io.h"

namespace sidestream::cli {
namespace {

class MetricsServiceTest : public testing::Test {
 protected:
  control::HttpResponse ask(const std::string& method, const std::string& target,
                            control::HttpFields fields = {{"host", "vps.example.com"}}) {
    control::HttpRequest request;
    request.method = method;
    request.target = target;
    request.fields = std::move(fields);
    auto answer = loop_.start(service_.respond(request, {}));
    loop_.settle();
    return answer.result();
  }

  VirtualLoop loop_;
  int pages_ = 0;
  MetricsService service_{loop_.timers(), [this] { return "page " + std::to_string(++pages_); }};
};

TEST_F(MetricsServiceTest, AnswersOneThingOnly) {
  const control::HttpResponse page = ask("GET", "/metrics");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.fields[0].value, control::metrics_content_type);
  EXPECT_EQ(ask("GET", "/v1/status").status, 404U);
  EXPECT_EQ(ask("POST", "/v1/sidecars").status, 404U);
  EXPECT_EQ(ask("POST", "/metrics").status, 405U);
  EXPECT_EQ(ask("GET", "/metrics", {{"origin", "http://a"}}).status, 403U);
  EXPECT_EQ(pages_, 1);
}

TEST_F(MetricsServiceTest, MakesOnePageASecondForHoweverMany) {
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ask("GET", "/metrics").body, "page 1");
  loop_.advance(MetricsService::page_age_max - 1ms);
  EXPECT_EQ(ask("GET", "/metrics").body, "page 1");
  loop_.advance(1ms);
  EXPECT_EQ(ask("GET", "/metrics").body, "page 2");
}

}  // namespace
}  // namespace sidestream::cli
