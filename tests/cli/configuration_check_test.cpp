#include "cli/configuration_check.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_examples.h"

namespace sidestream::cli {
namespace {

CheckReport check(std::string text, std::optional<Program> program = std::nullopt) {
  const ExampleWorld world = example_world();
  return check_configuration(ConfigurationText{"f", std::move(text)}, program, world.sources());
}

TEST(ConfigurationCheck, TellsProgramsApartByTheirKeys) {
  const auto program = [](std::string_view text) { return program_of(*parse_yaml(text).root); };
  EXPECT_EQ(program("services: {}"), Program::sidecar);
  EXPECT_EQ(program("edges: []"), Program::sidecar);
  EXPECT_EQ(program("endpoint: x"), Program::edge);
  EXPECT_EQ(program("{sidecars: {}, public: {}}"), Program::edge);
  EXPECT_EQ(program("log: {}"), std::nullopt);
  EXPECT_EQ(program("{edges: [], endpoint: x}"), std::nullopt);
  EXPECT_EQ(program(""), std::nullopt);
  EXPECT_EQ(program("[a]"), std::nullopt);
}

TEST(ConfigurationCheck, FindsTheProgramOfEveryExample) {
  for (const std::string_view kind : {"valid", "invalid"}) {
    for (const std::string_view program : {"edge", "sidecar"}) {
      for (const ConfigurationExample& example : configuration_examples(kind, program)) {
        const auto document = parse_yaml(example.text.text);
        if (!document.root || document.root->items.empty() || document.root->keys.empty()) continue;
        EXPECT_EQ(program_of(*document.root), program == "edge" ? Program::edge : Program::sidecar)
            << example.text.name;
      }
    }
  }
}

TEST(ConfigurationCheck, SaysWhatAGoodOneComesTo) {
  EXPECT_EQ(check("edges: [{ticket: '${TICKET}'}]\n"
                  "services: {a: {publish: [':1', ':2'], backend: 'b:1'}}")
                .summary,
            "f: good: a sidecar with 1 edge, 1 service and 2 endpoints");
  EXPECT_EQ(check("endpoint: a:1\npublic: {ports: [443, 5000-5009]}").summary,
            "f: good: an edge with 0 sidecars of its own and 11 public ports");
}

TEST(ConfigurationCheck, CountsProblems) {
  const CheckReport report = check("endpoint: a\nlog: {level: x}");
  EXPECT_EQ(report.problems.size(), 2U);
  EXPECT_EQ(report.summary, "f: 2 problems");
  EXPECT_EQ(check("edges: [").summary, "f: 1 problem");
}

TEST(ConfigurationCheck, AsksWhenItCannotTell) {
  EXPECT_EQ(check("log: {}").problems,
            (std::vector<std::string>{"f:1:1: the keys do not tell whether this is for an edge or "
                                      "a sidecar; add --edge or --sidecar to the command"}));
  EXPECT_EQ(check("log: {}", Program::edge).problems.front(),
            "f:1:1: the key \"endpoint\" is missing; add `endpoint: HOST:51820`");
}

TEST(ConfigurationCheck, ChecksTheEnvironmentWithoutAFile) {
  ExampleWorld world;
  EXPECT_EQ(check_configuration(std::nullopt, std::nullopt, world.sources()).summary,
            "environment: 2 problems");
  world.environment = {{"SIDESTREAM_TICKET", std::string(example_ticket)},
                       {"SIDESTREAM_PUBLISH", "a.example.com"},
                       {"SIDESTREAM_BACKEND", "a:1"}};
  EXPECT_EQ(check_configuration(std::nullopt, std::nullopt, world.sources()).summary,
            "environment: good: a sidecar with 1 edge, 1 service and 1 endpoint");
  world.environment = {{"SIDESTREAM_ENDPOINT", "a:1"}};
  EXPECT_EQ(check_configuration(std::nullopt, Program::edge, world.sources()).summary,
            "environment: good: an edge with 0 sidecars of its own and 1 public port");
}

}  // namespace
}  // namespace sidestream::cli
