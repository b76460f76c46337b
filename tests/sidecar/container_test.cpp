// The recorded answers are of dockerd 20.10.24 and Podman 4.3.1; see tests/vectors/README.md.
#include "sidecar/container.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/configuration_examples.h"

namespace sidestream::sidecar {
namespace {

std::string recorded(const std::string& name) {
  return document_text("tests/vectors/engine/" + name);
}

using Networks = std::vector<ContainerNetwork>;
using Labels = std::vector<std::pair<std::string, std::string>>;

const Labels web_labels{{"sidestream.services.web.port", "8080"},
                        {"sidestream.services.web.publish", "web.example.com"}};

TEST(Container, IsReadFromDocker20) {
  const auto container = parse_container(recorded("docker_20_container.json"));
  ASSERT_TRUE(container) << container.error();
  EXPECT_EQ(container->id.size(), 64U);
  EXPECT_EQ(container->name, "web");
  EXPECT_EQ(container->created, "2026-11-21T16:13:04.814151432Z");
  EXPECT_TRUE(container->running);
  EXPECT_EQ(container->health, ContainerHealth::healthy);
  EXPECT_EQ(container->networks, (Networks{{"labelsnet", "10.222.7.2"}}));
  EXPECT_EQ(container->exposed_ports, std::vector<std::uint16_t>{8080});
  EXPECT_EQ(container->labels, web_labels);
  const auto list = parse_container_list(recorded("docker_20_list.json"));
  ASSERT_TRUE(list) << list.error();
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().id, container->id);
  EXPECT_TRUE(list->front().has_labels);
}

TEST(Container, IsReadFromPodman4) {
  const auto container = parse_container(recorded("podman_4_container.json"));
  ASSERT_TRUE(container) << container.error();
  EXPECT_EQ(container->name, "web");
  EXPECT_TRUE(container->running);
  EXPECT_EQ(container->health, ContainerHealth::healthy);
  EXPECT_EQ(container->networks, (Networks{{"labelspod", "10.89.0.5"}}));
  EXPECT_EQ(container->exposed_ports, std::vector<std::uint16_t>{8080});
  EXPECT_EQ(container->labels, web_labels);
  const auto list = parse_container_list(recorded("podman_4_list.json"));
  ASSERT_TRUE(list) << list.error();
  ASSERT_EQ(list->size(), 1U);
  EXPECT_TRUE(list->front().has_labels);
}

// How many events there are that matter. Podman's of a network do not say whose they are.
std::size_t events_of(const std::string& file) {
  std::istringstream lines(recorded(file));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto event = parse_engine_event(line);
    EXPECT_TRUE(event) << line;
    if (!event || !*event) continue;
    const bool says = file.starts_with("docker") || !line.contains("\"Type\":\"network\"");
    EXPECT_EQ((*event)->container.size(), says ? 64U : 0U) << line;
    ++count;
  }
  return count;
}

TEST(Container, EventsAreReadFromBothEngines) {
  // start, unhealthy, healthy, die, destroy and five of the network; not create and kill.
  EXPECT_EQ(events_of("docker_20_events.jsonl"), 10U);
  // init, start (both twice), two health_status, pause, unpause, restart, die (twice), remove, and
  // two of the network; not create and exec.
  EXPECT_EQ(events_of("podman_4_events.jsonl"), 14U);
}

// As Docker 29 describes it to who asks for no version: written by us after the history of its API
// (1.43 to 1.52: no address beside `Networks`, `Health` in the list, null and new members), not
// recorded.
TEST(Container, IsReadFromDocker29) {
  const auto container = parse_container(
      R"({"Id":"a1","Created":"2026-11-21T16:13:04Z","Name":"/web","Platform":"linux",)"
      R"("ImageManifestDescriptor":{"digest":"sha256:0"},"State":{"Status":"running",)"
      R"("Running":true,)"
      R"("Paused":false,"Health":{"Status":"healthy","FailingStreak":0,"Log":null}},)"
      R"("HostConfig":{"NetworkMode":"apps","Annotations":null},"Config":{"ExposedPorts":)"
      R"({"8080/tcp":{}},"Labels":{"sidestream.services.web.port":"8080",)"
      R"("sidestream.services.web.publish":"web.example.com"}},"NetworkSettings":{"SandboxID":"s",)"
      R"("SandboxKey":"/k","Ports":{},"Networks":{"apps":{"IPAMConfig":null,"Links":null,)"
      R"("Aliases":null,"DriverOpts":null,"GwPriority":0,"NetworkID":"n","EndpointID":"e",)"
      R"("IPAddress":"10.1.0.2","MacAddress":"02:42:0a:de:07:02","DNSNames":["web","a1"]}}}})");
  ASSERT_TRUE(container) << container.error();
  EXPECT_EQ(container->name, "web");
  EXPECT_TRUE(container->running);
  EXPECT_EQ(container->health, ContainerHealth::healthy);
  EXPECT_EQ(container->networks, (Networks{{"apps", "10.1.0.2"}}));
  EXPECT_EQ(container->exposed_ports, std::vector<std::uint16_t>{8080});
  EXPECT_EQ(container->labels, web_labels);
  const auto list = parse_container_list(
      R"([{"Id":"a1","Names":["/web"],"ImageManifestDescriptor":null,"State":"running","Health":)"
      R"({"Status":"healthy","FailingStreak":0},"Labels":{"sidestream.services.web.port":"1"}}])");
  ASSERT_TRUE(list) << list.error();
  EXPECT_TRUE(list->front().has_labels);
}

// The form since API 1.52: without `status` and `id`.
TEST(Container, EventsHaveAnOlderAndANewerForm) {
  const auto container = [](std::string_view line) {
    const auto event = parse_engine_event(line);
    return event && *event ? (*event)->container : "none";
  };
  EXPECT_EQ(container(R"({"Type":"container","Action":"start","Actor":{"ID":"a"}})"), "a");
  EXPECT_EQ(container(R"({"status":"die","id":"a"})"), "a");
  EXPECT_EQ(container(R"({"Type":"container","Action":"health_status: healthy",)"
                      R"("Actor":{"ID":"a"}})"),
            "a");
  EXPECT_EQ(container(R"({"Type":"network","Action":"connect","Actor":{"ID":"n"}})"), "");
  EXPECT_EQ(container(R"({"Type":"container","Action":"exec_start: sh","Actor":{"ID":"a"}})"),
            "none");
  EXPECT_EQ(container(R"({"Type":"container","Action":"die","Actor":{"ID":"../../x"}})"), "");
  EXPECT_FALSE(parse_engine_event("[]"));
  EXPECT_FALSE(parse_engine_event("{"));
}

std::string with_state(const std::string& state) {
  return R"({"Id":"a","Name":"/b","State":)" + state + "}";
}

TEST(Container, StateSaysWhetherItServes) {
  const auto running = [](const std::string& state) {
    const auto container = parse_container(with_state(state));
    return container && container->running;
  };
  EXPECT_TRUE(running(R"({"Running":true})"));
  EXPECT_FALSE(running(R"({"Running":true,"Paused":true})"));
  EXPECT_FALSE(running("{}"));
  const auto health = [](const std::string& state) { return parse_container(state)->health; };
  EXPECT_EQ(health(with_state("{}")), ContainerHealth::none);
  EXPECT_EQ(health(with_state(R"({"Health":{"Status":""}})")), ContainerHealth::none);
  EXPECT_EQ(health(with_state(R"({"Health":{"Status":"none"}})")), ContainerHealth::none);
  EXPECT_EQ(health(with_state(R"({"Health":{"Status":"starting"}})")), ContainerHealth::starting);
  EXPECT_EQ(health(with_state(R"({"Health":{"Status":"unhealthy"}})")), ContainerHealth::unhealthy);
  EXPECT_EQ(health(with_state(R"({"Healthcheck":{"Status":"healthy"}})")),
            ContainerHealth::healthy);
}

TEST(Container, WhatIsNoneIsAnErrorWithAReason) {
  for (const std::string text :
       {"", "[]", "{}", R"({"Id":"a"})", R"({"Id":"a","Name":"b"})",
        R"({"Id":"a/b","Name":"c","State":{}})", R"({"Id":"a","Name":"b c","State":{}})"})
    EXPECT_FALSE(parse_container(text)) << text;
  for (const std::string text : {"", "{}", "[1]", R"([{"Id":7}])", R"([{"Id":"a b"}])"})
    EXPECT_FALSE(parse_container_list(text)) << text;
  std::string many = "[";
  for (int i = 0; i < 4097; ++i) many += std::string(i == 0 ? "" : ",") + R"({"Id":"a"})";
  EXPECT_EQ(parse_container_list(many + "]").error(), "it has more than 4096 containers");
}

TEST(Container, EnginesSayWhyTheyRefuse) {
  EXPECT_EQ(parse_engine_message(R"({"message":"client version 1.44 is too old"})"),
            "client version 1.44 is too old");
  EXPECT_EQ(parse_engine_message("<html>"), "");
}

TEST(Container, KnowsWhoseNetworkItHas) {
  Container container;
  container.network_mode = "container:abc";
  EXPECT_EQ(container.network_owner(), "abc");
  container.network_mode = "bridge";
  EXPECT_EQ(container.network_owner(), std::nullopt);
}

}  // namespace
}  // namespace sidestream::sidecar
