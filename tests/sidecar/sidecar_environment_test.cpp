#include "sidecar/sidecar_environment.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_examples.h"

namespace sidestream::sidecar {
namespace {

struct Outcome {
  std::optional<EdgeEntry> edge;
  std::optional<ServiceConfiguration> service;
  std::string problems;
};

Outcome read(std::map<std::string, std::string> environment) {
  ExampleWorld world{std::move(environment), {}};
  world.files["/run/secrets/ticket"] = std::string(example_ticket) + "\r\n";
  world.files["/run/secrets/empty"] = "\n";
  const VariableSources sources = world.sources();
  ConfigurationProblems problems;
  Outcome outcome;
  outcome.edge = read_edge_from_environment(sources, problems);
  outcome.service = read_service_from_environment(sources, problems);
  outcome.problems = joined_lines(problems);
  return outcome;
}

TEST(SidecarEnvironment, IsOptional) {
  const Outcome outcome = read({{"SIDESTREAM_TICKET", ""}, {"SIDESTREAM_PUBLISH", ""}});
  EXPECT_FALSE(outcome.edge);
  EXPECT_FALSE(outcome.service);
  EXPECT_EQ(outcome.problems, "");
}

TEST(SidecarEnvironment, TakesTheTicketItselfOrAFile) {
  EXPECT_TRUE(read({{"SIDESTREAM_TICKET", " " + std::string(example_ticket) + "\n"}}).edge);
  EXPECT_TRUE(read({{"SIDESTREAM_TICKET_FILE", "/run/secrets/ticket"}}).edge);
}

TEST(SidecarEnvironment, SplitsAtCommasAndWhiteSpace) {
  const Outcome outcome = read({{"SIDESTREAM_PUBLISH", "a.example.com,:2222  *.b.example.com\n,"},
                                {"SIDESTREAM_BACKEND", "app:1, unix:/run/x [::1]:3"}});
  EXPECT_EQ(outcome.problems, "");
  ASSERT_TRUE(outcome.service);
  EXPECT_EQ(outcome.service->name, "default");
  EXPECT_EQ(outcome.service->publish.size(), 3U);
  EXPECT_EQ(outcome.service->backends.size(), 3U);
  EXPECT_EQ(outcome.service->health, HealthSettings{});
}

TEST(SidecarEnvironment, SaysWhatIsWrong) {
  const std::string ticket(example_ticket);
  struct Case {
    std::map<std::string, std::string> environment;
    std::string expected;
  };
  for (const Case& test : std::vector<Case>{
           {{{"SIDESTREAM_TICKET", ticket.substr(0, 99)}},
            "SIDESTREAM_TICKET: the ticket is cut off: its end is missing; paste the whole line\n"},
           {{{"SIDESTREAM_TICKET", "${X}"}},  // nothing is replaced here
            "SIDESTREAM_TICKET: this is not a ticket; a ticket is the line that `sidestream "
            "invite` prints and begins with ss1_\n"},
           {{{"SIDESTREAM_TICKET", ticket}, {"SIDESTREAM_TICKET_FILE", "/run/secrets/ticket"}},
            "SIDESTREAM_TICKET_FILE: is set, and so is SIDESTREAM_TICKET; unset one of the two\n"},
           {{{"SIDESTREAM_TICKET_FILE", "/none"}},
            "SIDESTREAM_TICKET_FILE: cannot read /none: No such file or directory\n"},
           {{{"SIDESTREAM_TICKET_FILE", "/run/secrets/empty"}},
            "SIDESTREAM_TICKET_FILE: is empty\n"},
           {{{"SIDESTREAM_PUBLISH", ":22"}},
            "SIDESTREAM_BACKEND: is not set, but SIDESTREAM_PUBLISH is; set it to the backend, "
            "HOST:PORT or unix:/PATH\n"},
           {{{"SIDESTREAM_BACKEND", "a:22"}},
            "SIDESTREAM_PUBLISH: is not set, but SIDESTREAM_BACKEND is; set it to the endpoints to "
            "publish, such as electrum.example.com or :2222\n"},
           {{{"SIDESTREAM_PUBLISH", "22 a.example.com a.example.com"}, {"SIDESTREAM_BACKEND", "a"}},
            "SIDESTREAM_PUBLISH: \"22\": a port alone is written with a colon: write :PORT\n"
            "SIDESTREAM_PUBLISH: \"a.example.com\" is there twice; remove one of the two\n"
            "SIDESTREAM_BACKEND: \"a\": the port is missing; write HOST:PORT\n"},
           {{{"SIDESTREAM_PUBLISH", ticket}, {"SIDESTREAM_BACKEND", "a:1"}},
            "SIDESTREAM_PUBLISH: \"ss1_…\": the parts between dots have at most 63 bytes\n"},
       })
    EXPECT_EQ(read(test.environment).problems, test.expected);
}

}  // namespace
}  // namespace sidestream::sidecar
