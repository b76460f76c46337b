// Every configuration that the documentation shows is good.
#include <gtest/gtest.h>

#include "cli/configuration_check.h"
#include "tests/support/configuration_examples.h"

namespace sidestream::cli {
namespace {

void expect_good(const std::string& document, std::size_t blocks_min) {
  const ExampleWorld world{
      {{"SIDESTREAM_TICKET", std::string(example_ticket)}},
      {{"/run/secrets/ticket", std::string(example_ticket)},
       {"/run/secrets/private_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}}};
  const auto blocks = configurations_in(document);
  EXPECT_GE(blocks.size(), blocks_min) << document;
  for (const ConfigurationText& block : blocks) {
    ExampleWorld used = world;
    if (!block.text.contains("SIDESTREAM_TICKET")) used.environment.clear();
    const CheckReport report = check_configuration(block, std::nullopt, used.sources());
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
  }
}

TEST(Documentation, ShowsOnlyGoodConfigurations) {
  expect_good("README.md", 2);
  expect_good("docs/configuration.md", 3);
}

}  // namespace
}  // namespace sidestream::cli
