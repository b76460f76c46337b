#include "sidecar/service_reader.h"

#include <gtest/gtest.h>

#include "tests/support/configuration_fixture.h"

namespace sidestream::sidecar {
namespace {

std::vector<ServiceConfiguration> read(std::string_view yaml, std::string expected = "") {
  std::vector<ServiceConfiguration> services;
  EXPECT_EQ(problems_of_reading(
                yaml, [&](const ConfigurationValue& value) { services = read_services(value); }),
            expected);
  return services;
}

TEST(ServiceReader, KeepsTheOrderOfTheFile) {
  const auto services = read(
      "b: {publish: b.example.com, backend: 'app:1'}\n"
      "a: {publish: a.example.com, backend: 'app:1'}\n");
  ASSERT_EQ(services.size(), 2U);
  EXPECT_EQ(services[0].name, "b");
  EXPECT_EQ(services[1].name, "a");
}

TEST(ServiceReader, RefusesAnEndpointTwice) {
  read("a: {publish: [x.example.com, 'X.example.com:443'], backend: 'app:1'}",
       "f:1:30: a.publish[1]: \"x.example.com\" is published already, by a.publish[0] (f:1:15); "
       "remove one of the two");
  // A name, its wildcard and its port are different endpoints.
  read(
      "a: {publish: [x.example.com, '*.example.com', ':443', 'x.example.com:444'], backend: "
      "'b:1'}");
}

TEST(ServiceReader, SaysWhatIsWrong) {
  read("{}", "f:1:1: has no service; add `NAME: {publish: …, backend: …}`");
  read("", "f:1:1: has no service; add `NAME: {publish: …, backend: …}`");
  read("[a]",
       "f:1:1: expected keys with values, such as `NAME: {publish: NAME, backend: HOST:PORT}`, not "
       "a list");
  read("a:",
       "f:1:1: a: the key \"publish\" is missing; add `publish: NAME or \":PORT\"`\n"
       "f:1:1: a: the key \"backend\" is missing; add `backend: HOST:PORT`");
}

TEST(ServiceReader, TakesSeveralBackendsWithWeights) {
  const auto one = read(
      "a: {publish: ':1', backend: ['app:1', {address: 'unix:/run/app', weight: 3}], balance: "
      "least_streams, slow_start: 1m}");
  ASSERT_EQ(one.size(), 1U);
  ASSERT_EQ(one[0].backends.size(), 2U);
  EXPECT_EQ(one[0].backends[0].weight, 1U);
  EXPECT_EQ(one[0].backends[1].address.text(), "unix:/run/app");
  EXPECT_EQ(one[0].backends[1].weight, 3U);
  EXPECT_EQ(one[0].choice, (BackendChoiceSettings{Balance::least_streams, 1min}));
  EXPECT_EQ(read("a: {publish: ':1', backend: {address: 'app:1'}}")[0].choice,
            BackendChoiceSettings());
}

TEST(ServiceReader, RefusesBackendsThatMakeNoSense) {
  read("a: {publish: ':1', backend: ['app:1', {address: 'app:1'}]}",
       "f:1:39: a.backend[1]: \"app:1\" is in the list twice; remove one of the two");
  read("a: {publish: ':1', balance: round_robin, backend: [{weight: 0, wait: 1}]}",
       "f:1:52: a.backend[0]: the key \"address\" is missing; add `address: HOST:PORT`\n"
       "f:1:61: a.backend[0].weight: expected a whole number from 1 to 100, not \"0\"\n"
       "f:1:64: a.backend[0].wait: unknown key; expected address or weight");
  read(
      "a: {publish: ':1', backend: [{address: 'app:1', weight: 2}]}",
      "f:1:4: a: a weight counts only where backends share the streams; add `balance: round_robin` "
      "or `balance: least_streams`, or remove it");
  read("a: {publish: ':1', backend: 'app:1', slow_start: 5s}",
       "f:1:38: a.slow_start: counts only where backends share the streams; add `balance: "
       "round_robin` or `balance: least_streams`, or remove it");
}

TEST(ServiceReader, ReadsThresholds) {
  const auto one = read("a: {publish: ':1', backend: 'app:1', health: {rise: 3, fall: 4}}");
  EXPECT_EQ(one.at(0).health.rise, 3);
  EXPECT_EQ(one.at(0).health.fall, 4);
  EXPECT_EQ(one.at(0).health.kind, HealthKind::tcp);
}

TEST(ServiceReader, IsBounded) {
  std::string many;
  for (int i = 0; i < 257; ++i) many += "s" + std::to_string(i) + ": {}\n";
  read(many, "f:1:1: has 257 services; 256 are allowed");
  std::string long_list = "a: {backend: 'b:1', publish: [";
  for (int i = 1; i <= 101; ++i) long_list += "':" + std::to_string(i) + "', ";
  read(long_list + "]}", "f:1:30: a.publish: has 101 items; 100 are allowed");
}

}  // namespace
}  // namespace sidestream::sidecar
