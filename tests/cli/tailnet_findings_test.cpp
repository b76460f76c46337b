#include "cli/tailnet_findings.h"

#include <gmock/gmock.h>

namespace sidestream::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

TailnetFacts running() {
  TailnetFacts facts;
  facts.daemon.emplace();
  facts.daemon->self.addresses = {*IpAddress::parse("100.64.0.1")};
  facts.interfaces = {{"tailscale0", *IpAddress::parse("100.64.0.1")},
                      {"eth0", *IpAddress::parse("192.0.2.1")}};
  return facts;
}

TEST(TailnetFindings, NothingWhereNothingCollides) {
  EXPECT_THAT(tailnet_findings(running(), {}), IsEmpty());
  TailnetFacts no_daemon;
  no_daemon.interfaces = {{"ppp0", *IpAddress::parse("100.70.0.1")}};
  EXPECT_THAT(tailnet_findings(no_daemon, {}), IsEmpty());
}

// TS-19
TEST(TailnetFindings, ACarriersAddress) {
  TailnetFacts facts = running();
  facts.interfaces.push_back({"ppp0", *IpAddress::parse("100.70.0.1")});
  EXPECT_THAT(tailnet_findings(facts, {}),
              ElementsAre(StartsWith("tailnet: ppp0 has 100.70.0.1, a carrier's address")));
}

// TS-07
TEST(TailnetFindings, LoopbackIsPublicInUserSpace) {
  TailnetFacts facts = running();
  TailnetWishes wishes;
  wishes.program.metrics = SocketAddress::parse("127.0.0.1:5152");
  EXPECT_THAT(tailnet_findings(facts, wishes), IsEmpty());
  facts.daemon->tun = false;
  EXPECT_THAT(tailnet_findings(facts, wishes),
              ElementsAre(StartsWith("metrics.listen: Tailscale runs in user space here")));
}

TEST(TailnetFindings, Ports) {
  TailnetWishes wishes;
  wishes.program.admin.addresses = {*SocketAddress::parse("192.0.2.1:9002")};
  wishes.tunnel_port = 41641;
  wishes.public_ports = {443, 50002};
  TailnetFacts facts = running();
  facts.served_ports = {443};  // TS-20
  EXPECT_THAT(tailnet_findings(facts, wishes),
              ElementsAre(StartsWith("admin: port 9002 is"), StartsWith("tunnel.listen: UDP port"),
                          StartsWith("public.ports: `tailscale serve` has port 443")));
}

TEST(TailnetFindings, MtuDnsAndShields) {
  TailnetWishes wishes;
  wishes.mtu = 1420;
  wishes.edges = {*IpAddress::parse("100.64.0.2"), *IpAddress::parse("192.0.2.7")};
  wishes.names_backends = true;
  TailnetFacts facts = running();
  facts.preferences.accepts_dns = true;
  facts.preferences.shields_up = true;
  EXPECT_THAT(tailnet_findings(facts, wishes),
              ElementsAre(StartsWith("tunnel.mtu: the edge's address 100.64.0.2"),
                          StartsWith("backend: Tailscale has taken over DNS"),
                          StartsWith("tailnet: the node lets no connection in")));
  wishes.mtu = 1200;
  EXPECT_EQ(tailnet_findings(facts, wishes).size(), 2U);
}

}  // namespace
}  // namespace sidestream::cli
