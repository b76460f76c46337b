#include "sidecar/health.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

using Verdict = LineProbe::Verdict;

TEST(LineProbe, SshNeedsItsIdentificationAndSkipsOtherLines) {
  LineProbe probe(HealthKind::ssh);
  EXPECT_TRUE(probe.greeting().empty());
  EXPECT_EQ(probe.feed(bytes_of("welcome\r\nSSH-2.0-Ope")), Verdict::need_more);
  EXPECT_EQ(probe.feed(bytes_of("nSSH_9.2\r\n")), Verdict::healthy);
}

TEST(LineProbe, SshVersionOneIsUnhealthy) {
  LineProbe probe(HealthKind::ssh);
  EXPECT_EQ(probe.feed(bytes_of("SSH-1.5-old\n")), Verdict::unhealthy);
  EXPECT_FALSE(probe.reason().empty());
}

TEST(LineProbe, AnEndWithoutAnAnswerIsUnhealthy) {
  LineProbe silent(HealthKind::ssh);
  EXPECT_EQ(silent.feed_end(), Verdict::unhealthy);
  EXPECT_EQ(silent.reason(), "it closed the connection without a word");
  LineProbe cut(HealthKind::electrum);
  EXPECT_EQ(cut.feed(bytes_of("{\"id\"")), Verdict::need_more);
  EXPECT_EQ(cut.feed_end(), Verdict::unhealthy);
  EXPECT_EQ(cut.reason(), "it closed the connection in the middle of its answer");
}

TEST(LineProbe, AnAnswerWithoutEndIsUnhealthy) {
  LineProbe probe(HealthKind::ssh);
  const std::string noise(LineProbe::answer_bytes_max + 1, 'x');
  EXPECT_EQ(probe.feed(bytes_of(noise)), Verdict::unhealthy);
}

TEST(LineProbe, ElectrumAnswersServerVersion) {
  LineProbe probe(HealthKind::electrum);
  EXPECT_NE(probe.greeting().find("server.version"), std::string_view::npos);
  EXPECT_EQ(probe.feed(bytes_of("{\"method\":\"blockchain.headers.subscribe\"}\n")),
            Verdict::need_more);
  EXPECT_EQ(probe.feed(bytes_of("{\"jsonrpc\":\"2.0\",\"result\":[\"x\",\"1.4\"],\"id\":0}\n")),
            Verdict::healthy);
  LineProbe web(HealthKind::electrum);
  EXPECT_EQ(web.feed(bytes_of("HTTP/1.1 400 Bad Request\r\n")), Verdict::unhealthy);
}

TEST(HealthJudge, OneSuccessIsEnoughAndOneFailureIsForgiven) {
  HealthJudge judge(HealthKind::tcp);
  EXPECT_EQ(judge.state(), HealthJudge::State::unknown);
  EXPECT_TRUE(judge.record_success());
  EXPECT_EQ(judge.until_next_probe(), HealthLimits{}.interval);
  EXPECT_FALSE(judge.record_failure("refused"));
  EXPECT_EQ(judge.state(), HealthJudge::State::healthy);
  EXPECT_EQ(judge.until_next_probe(), HealthLimits{}.interval_unhealthy);
  EXPECT_TRUE(judge.record_failure("refused"));
  EXPECT_EQ(judge.state(), HealthJudge::State::unhealthy);
  EXPECT_EQ(judge.reason(), "refused");
  EXPECT_TRUE(judge.record_success());
  EXPECT_TRUE(judge.reason().empty());
}

TEST(HealthJudge, NeverHealthyNeedsNoSecondFailure) {
  HealthJudge judge(HealthKind::tcp);
  EXPECT_TRUE(judge.record_failure("refused"));
  EXPECT_EQ(judge.state(), HealthJudge::State::unhealthy);
}

TEST(HealthJudge, ThresholdsCountProbesInARow) {
  HealthLimits limits;
  limits.successes_until_healthy = 3;
  limits.failures_until_unhealthy = 2;
  HealthJudge judge(HealthKind::tcp, limits);
  EXPECT_TRUE(judge.record_success()) << "the first one decides";
  EXPECT_FALSE(judge.record_failure("refused"));
  EXPECT_FALSE(judge.record_success());
  EXPECT_FALSE(judge.record_failure("refused"));
  EXPECT_TRUE(judge.record_failure("refused"));
  for (const bool last : {false, true}) {
    EXPECT_FALSE(judge.record_success());
    EXPECT_FALSE(judge.record_success());
    if (last) break;
    EXPECT_FALSE(judge.record_failure("refused again"));
  }
  EXPECT_EQ(judge.reason(), "refused again");
  EXPECT_TRUE(judge.record_success());
  EXPECT_EQ(judge.reason(), "");
}

TEST(HealthJudge, WithoutAProbeItIsAlwaysHealthy) {
  EXPECT_EQ(HealthJudge(HealthKind::none).state(), HealthJudge::State::healthy);
}

}  // namespace
}  // namespace sidestream::sidecar
