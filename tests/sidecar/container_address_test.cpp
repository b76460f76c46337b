#include "sidecar/container_address.h"

#include <gtest/gtest.h>

namespace sidestream::sidecar {
namespace {

Container container(std::string name, std::vector<ContainerNetwork> networks,
                    std::string mode = "bridge") {
  Container made;
  made.id = "id-of-" + name;
  made.name = std::move(name);
  made.running = true;
  made.networks = std::move(networks);
  made.network_mode = std::move(mode);
  return made;
}

std::string host_of(const Container& target, const OwnPlace& own,
                    const std::vector<Container>& others = {}) {
  const auto host = reachable_host(target, own, [&](const std::string& id) {
    for (const Container& one : others)
      if (one.id == id) return &one;
    return static_cast<const Container*>(nullptr);
  });
  return host ? *host : "refused: " + host.error();
}

TEST(ContainerAddress, IsTheNameInASharedNetwork) {
  const Container own = container("sidecar", {{"back", "10.1.0.2"}, {"front", "10.2.0.2"}});
  const OwnPlace place{&own, false};
  EXPECT_EQ(host_of(container("web", {{"back", "10.1.0.9"}}), place), "web");
  // Names that no resolver takes.
  EXPECT_EQ(host_of(container("web.1", {{"back", "10.1.0.9"}}), place), "10.1.0.9");
  EXPECT_EQ(host_of(container("web", {{"other", "10.3.0.9"}}), place),
            "refused: it shares no network with the sidecar (container sidecar); attach both to "
            "one");
}

TEST(ContainerAddress, IsTheAddressInTheDefaultNetwork) {
  const Container own = container("sidecar", {{"bridge", "172.17.0.2"}});
  EXPECT_EQ(host_of(container("web", {{"bridge", "172.17.0.3"}}), {&own, false}), "172.17.0.3");
  EXPECT_EQ(host_of(container("web", {{"bridge", ""}}), {&own, false}),
            "refused: it shares no network with the sidecar (container sidecar); attach both to "
            "one");
}

TEST(ContainerAddress, IsAnyAddressForASidecarOnTheHost) {
  EXPECT_EQ(host_of(container("web", {{"a", ""}, {"b", "10.1.0.9"}}), {}), "10.1.0.9");
  EXPECT_EQ(host_of(container("web", {}, "host"), {}), "127.0.0.1");
  EXPECT_EQ(host_of(container("web", {{"b", "fd00::9"}}), {}), "fd00::9");
  EXPECT_EQ(host_of(container("web", {}), {}),
            "refused: it has no address; attach it to a network of the engine");
  const Container own = container("sidecar", {{"host", ""}}, "host");
  EXPECT_EQ(host_of(container("web", {{"b", "10.1.0.9"}}), {&own, false}), "10.1.0.9");
  EXPECT_EQ(host_of(container("web", {}, "host"), {&own, false}), "127.0.0.1");
}

TEST(ContainerAddress, IsTheLikelyOneForASidecarThatIsNotKnown) {
  const OwnPlace unknown{nullptr, false};
  EXPECT_EQ(host_of(container("web", {{"back", "10.1.0.9"}}), unknown), "10.1.0.9");
  EXPECT_EQ(host_of(container("web", {{"back", "10.1.0.9"}, {"front", "10.2.0.9"}}), unknown),
            "web");
  EXPECT_EQ(host_of(container("web", {{"bridge", "172.17.0.3"}}), unknown), "172.17.0.3");
}

TEST(ContainerAddress, FollowsANetworkThatIsShared) {
  const Container vpn = container("vpn", {{"back", "10.1.0.5"}});
  const Container web = container("web", {}, "container:id-of-vpn");
  const Container own = container("sidecar", {{"back", "10.1.0.2"}});
  EXPECT_EQ(host_of(web, {&own, false}, {vpn}), "vpn");
  EXPECT_EQ(host_of(web, {}, {vpn}), "10.1.0.5");
  EXPECT_EQ(host_of(web, {&own, false}),
            "refused: it has the network of another container (container:id-of-vpn), which is not "
            "running");
  // In one network namespace everything is at hand.
  const Container beside = container("sidecar", {}, "container:id-of-vpn");
  EXPECT_EQ(host_of(web, {&beside, false}, {vpn}), "127.0.0.1");
  EXPECT_EQ(host_of(vpn, {&beside, false}, {vpn}), "127.0.0.1");
  // Around in a circle.
  const Container round = container("round", {}, "container:id-of-round");
  EXPECT_TRUE(host_of(round, {&own, false}, {round}).starts_with("refused: "));
}

TEST(ContainerAddress, RefusesWhatCannotBeReached) {
  const Container own = container("sidecar", {{"back", "10.1.0.2"}});
  EXPECT_TRUE(host_of(container("web", {}, "host"), {&own, false})
                  .starts_with("refused: it has the network of the host, where the sidecar's"));
  EXPECT_EQ(host_of(container("web", {}, "none"), {&own, false}),
            "refused: it has no network; attach it to one that the sidecar has too");
}

}  // namespace
}  // namespace sidestream::sidecar
