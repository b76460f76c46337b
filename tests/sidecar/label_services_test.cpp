#include "sidecar/label_services.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

using Labels = std::map<std::string, std::string>;

// With short labels: `ssh.port` for `sidestream.services.ssh.port`.
Container container(const std::string& name, const Labels& labels,
                    ContainerHealth health = ContainerHealth::none) {
  Container made;
  made.id = "id-of-" + name;
  made.name = name;
  made.created = "2026-11-21T16:13:0" + std::to_string(name.size()) + "Z";
  made.running = true;
  made.health = health;
  made.networks = {{"back", "10.1.0.2"}};
  for (const auto& [label, text] : labels)
    made.labels.emplace_back("sidestream.services." + label, text);
  return made;
}

const Labels ssh{{"ssh.publish", ":2222"}, {"ssh.port", "22"}};

LabelServices read(const std::vector<Container>& containers,
                   const std::vector<ServiceConfiguration>& of_file = {}) {
  const Container own = container("sidecar", {});
  std::vector<const Container*> pointers;
  for (const Container& one : containers) pointers.push_back(&one);
  return read_label_services(
      pointers, {&own, false}, [](const std::string&) { return nullptr; }, of_file);
}

std::string problems(const std::vector<Container>& containers,
                     const std::vector<ServiceConfiguration>& of_file = {}) {
  std::string text;
  for (const std::string& line : read(containers, of_file).problems)
    text += (text.empty() ? "" : "\n") + line;
  return text;
}

// `NAME=BACKEND,BACKEND NAME=…`
std::string services(const std::vector<Container>& containers,
                     const std::vector<ServiceConfiguration>& of_file = {}) {
  std::string text;
  for (const ServiceConfiguration& service : read(containers, of_file).services) {
    text += (text.empty() ? "" : " ") + service.name + "=";
    for (std::size_t i = 0; i < service.backends.size(); ++i)
      text += (i > 0 ? "," : "") + service.backends[i].address.text();
  }
  return text;
}

ServiceConfiguration of_file(std::string name, std::string_view endpoint) {
  ServiceConfiguration service;
  service.name = std::move(name);
  service.publish = {*control::Endpoint::parse(endpoint)};
  return service;
}

TEST(LabelServices, HaveTheKeysOfTheFile) {
  const LabelServices read_ = read({container("web", {{"web.publish", "a.example.com, :8443"},
                                                      {"web.port", "443"},
                                                      {"web.tls", "passthrough"},
                                                      {"web.proxy_protocol", "v2"},
                                                      {"web.health", "tls"},
                                                      {"web.health.interval", "9s"},
                                                      {"web.limits.streams", "50"},
                                                      {"web.priority", "7"}})});
  EXPECT_EQ(read_.problems, std::vector<std::string>());
  ASSERT_EQ(read_.services.size(), 1U);
  const ServiceConfiguration& service = read_.services.front();
  EXPECT_EQ(service.name, "web");
  EXPECT_EQ(service.publish.size(), 2U);
  EXPECT_EQ(service.backends.front().address.text(), "web:443");
  EXPECT_EQ(service.tls, TlsMode::passthrough);
  EXPECT_EQ(service.proxy_protocol, ProxyProtocol::v2);
  EXPECT_EQ(service.health.kind, HealthKind::tls);
  EXPECT_EQ(service.health.interval, 9s);
  EXPECT_EQ(service.limits.streams, 50U);
  EXPECT_EQ(service.priority, 7U);
}

TEST(LabelServices, ContainersOfOneServiceMayHaveWeights) {
  const auto weighted = [](const std::string& name, const std::string& weight) {
    return container(name, {{"web.publish", "a.example.com"},
                            {"web.port", "443"},
                            {"web.balance", "round_robin"},
                            {"web.weight", weight}});
  };
  const LabelServices both = read({weighted("one", "1"), weighted("two", "5")});
  EXPECT_EQ(both.problems, std::vector<std::string>());
  ASSERT_EQ(both.services.size(), 1U);
  ASSERT_EQ(both.services.front().backends.size(), 2U);
  EXPECT_EQ(both.services.front().backends[1].weight, 5U);
  EXPECT_EQ(problems({weighted("one", "many")}),
            "container one: sidestream.services.web.weight: expected a whole number from 1 "
            "to 100, not \"many\"");
}

TEST(LabelServices, AContainerMayHaveSeveral) {
  Labels both = ssh;
  both.insert({{"web.publish", "a.example.com"}, {"web.port", "443"}});
  EXPECT_EQ(services({container("box", both)}), "ssh=box:22 web=box:443");
}

TEST(LabelServices, TakeTheOnlyPortThatTheImageExposes) {
  Container one = container("box", {{"ssh.publish", ":2222"}});
  one.exposed_ports = {22};
  EXPECT_EQ(services({one}), "ssh=box:22");
  one.exposed_ports = {22, 80};
  EXPECT_EQ(problems({one}),
            "container box: sidestream.services.ssh.port: the label is missing; add it, with the "
            "port that the app listens on in its container");
}

TEST(LabelServices, SayWhatIsWrongAndLeaveTheRestAlone) {
  const auto with = [](const std::string& label, const std::string& text) {
    Labels labels = ssh;
    labels[label] = text;
    return std::vector<Container>{container("box", labels),
                                  container("other", {{"x.publish", ":1"}, {"x.port", "1"}})};
  };
  const std::string begin = "container box: sidestream.services.ssh.";
  EXPECT_EQ(problems(with("ssh.port", "high")),
            begin + "port: expected a whole number from 1 to 65535, not \"high\"");
  EXPECT_EQ(problems(with("ssh.tls", "of")),
            begin + "tls: expected passthrough, terminate or off, not \"of\"");
  EXPECT_EQ(problems(with("ssh.publsh", "x")),
            begin + "publsh: unknown key (did you mean \"publish\"?)");
  EXPECT_EQ(problems(with("ssh.publish", "22")),
            begin + "publish[0]: \"22\": a port alone is written with a colon: write :PORT");
  EXPECT_EQ(problems(with("ssh.publish", "")), begin + "publish: is an empty list");
  EXPECT_EQ(problems(with("ssh.backend", "x:1")),
            begin + "backend: a container is its own backend; write sidestream.services.ssh.port");
  // Nothing of the sidecar's environment and files gets in.
  EXPECT_EQ(problems(with("ssh.priority", "${HOME}")),
            begin + "priority: expected a whole number from 0 to 1000, not \"${HOME}\"");
  EXPECT_EQ(services(with("ssh.tls", "of")), "x=other:1");
  EXPECT_EQ(problems({container("box", {{"ssh.port", "22"}})}),
            begin + "publish: the label is missing; add it, with what to publish");
  EXPECT_TRUE(problems({container("box", {{"s h.port", "22"}, {"s h.publish", ":1"}})})
                  .contains("cannot be the name of a service"));
}

TEST(LabelServices, WaitForAHealthyContainer) {
  for (const ContainerHealth health : {ContainerHealth::starting, ContainerHealth::unhealthy}) {
    const LabelServices waits = read({container("box", ssh, health)});
    EXPECT_TRUE(waits.services.empty());
    EXPECT_EQ(waits.waiting.front(),
              std::string("container box is ") +
                  (health == ContainerHealth::starting ? "starting" : "unhealthy") +
                  ", so it does not serve ssh");
  }
  EXPECT_EQ(services({container("box", ssh, ContainerHealth::healthy)}), "ssh=box:22");
  Container stopped = container("box", ssh);
  stopped.running = false;
  EXPECT_EQ(services({stopped}), "");
}

TEST(LabelServices, OfContainersThatAgreeAreBackends) {
  // The oldest first; here, the one with the shortest name.
  EXPECT_EQ(services({container("bbb", ssh), container("a", ssh)}), "ssh=a:22,bbb:22");
  EXPECT_EQ(services({container("bbb", ssh), container("a", ssh, ContainerHealth::unhealthy)}),
            "ssh=bbb:22");
  Labels other = ssh;
  other["ssh.priority"] = "7";
  const std::vector<Container> differing{container("bbb", other), container("a", ssh)};
  EXPECT_EQ(services(differing), "");
  EXPECT_EQ(problems(differing),
            "container a: sidestream.services.ssh: container bbb describes it differently, so "
            "neither is published; make their labels equal, or rename one");
}

TEST(LabelServices, DoNotGetIntoTheWayOfOthers) {
  const std::vector<ServiceConfiguration> same_name{of_file("ssh", ":1")};
  EXPECT_EQ(services({container("box", ssh)}, same_name), "");
  EXPECT_EQ(problems({container("box", ssh)}, same_name),
            "container box: sidestream.services.ssh: sidecar.yaml or the environment has a service "
            "of this name; rename one");
  const std::vector<ServiceConfiguration> same_endpoint{of_file("other", ":2222")};
  EXPECT_EQ(problems({container("box", ssh)}, same_endpoint),
            "container box: sidestream.services.ssh.publish: \":2222\" is published already, by "
            "other (sidecar.yaml); remove one of the two");
  // Who was there first keeps it.
  const std::vector<Container> two{container("newer", {{"a.publish", ":2222"}, {"a.port", "1"}}),
                                   container("old", ssh)};
  EXPECT_EQ(services(two), "ssh=old:22");
  EXPECT_EQ(problems(two),
            "container newer: sidestream.services.a.publish: \":2222\" is published already, by "
            "ssh (container old); remove one of the two");
}

TEST(LabelServices, SayWhenAContainerCannotBeReached) {
  Container alone = container("box", ssh);
  alone.networks = {{"elsewhere", "10.9.0.1"}};
  EXPECT_EQ(problems({alone}),
            "container box: it shares no network with the sidecar (container sidecar); attach both "
            "to one");
  EXPECT_EQ(services({alone}), "");
}

}  // namespace
}  // namespace sidestream::sidecar
