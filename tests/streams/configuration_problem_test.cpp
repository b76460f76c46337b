#include "streams/configuration_problem.h"

#include <gtest/gtest.h>

namespace sidestream {
namespace {

TEST(ConfigurationProblem, IsOneLine) {
  EXPECT_EQ((ConfigurationProblem{{"sidecar.yaml", Mark{7, 12}}, "services.ssh.tls", "expected x"})
                .text(),
            "sidecar.yaml:7:12: services.ssh.tls: expected x");
  EXPECT_EQ((ConfigurationProblem{{"SIDESTREAM_PUBLISH", std::nullopt}, "", "is empty"}).text(),
            "SIDESTREAM_PUBLISH: is empty");
  EXPECT_EQ((ConfigurationProblem{{"a\nb", Mark{1, 1}}, "k\n", "m\x1b"}).text(),
            "a\\x0ab:1:1: k\\x0a: m\\x1b");
}

TEST(ConfigurationProblems, StandInTheOrderOfTheDocument) {
  ConfigurationProblems problems;
  EXPECT_TRUE(problems.empty());
  problems.add({{"ENV", std::nullopt}, "", "fourth"});
  problems.add({{"f", Mark{2, 1}}, "", "second"});
  problems.add({{"f", Mark{2, 3}}, "", "third"});
  problems.add({{"f", Mark{1, 9}}, "", "first"});
  EXPECT_EQ(problems.lines(), (std::vector<std::string>{"f:1:9: first", "f:2:1: second",
                                                        "f:2:3: third", "ENV: fourth"}));
}

TEST(ConfigurationProblems, AreCountedBeyondWhatIsKept) {
  ConfigurationProblems problems;
  for (unsigned line = 1; line <= 103; ++line) problems.add({{"f", Mark{line, 1}}, "", "x"});
  EXPECT_EQ(problems.count(), 103U);
  ASSERT_EQ(problems.lines().size(), 101U);
  EXPECT_EQ(problems.lines().back(), "… and 3 more");
}

}  // namespace
}  // namespace sidestream
