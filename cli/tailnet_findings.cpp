#include "cli/tailnet_findings.h"

#include <algorithm>

namespace sidestream::cli {
namespace {

using Findings = std::vector<std::string>;

// Of Tailscale's container image: /metrics and /healthz, on all addresses of the namespace.
constexpr std::uint16_t image_health_port = 9002;
// Tailscale's own WireGuard, unless it was told otherwise.
constexpr std::uint16_t daemon_port = 41641;
// What is left of 1280 bytes for packets of a WireGuard inside.
constexpr std::size_t mtu_inside_tailnet = 1200;

void check_interfaces(const TailnetFacts& facts, Findings& findings) {
  const auto own = facts.daemon ? facts.daemon->self.addresses : std::vector<IpAddress>();
  for (const tailnet::InterfaceAddress& one : tailnet::carrier_addresses(facts.interfaces, own))
    findings.push_back(
        "tailnet: " + one.interface + " has " + one.address.text() +
        ", a carrier's address and not the tailnet's: Tailscale drops packets from 100.64.0.0/10 "
        "that come in there; give that network other addresses, or let the tailnet's administrator "
        "set the node attribute disable-linux-cgnat-drop-rule");
}

void check_listeners(const TailnetFacts& facts, const TailnetWishes& wishes, Findings& findings) {
  const auto look = [&](const std::string& key, const SocketAddress& address) {
    if (address.port == image_health_port)
      findings.push_back(key +
                         ": port 9002 is where Tailscale's container image answers its health "
                         "checks; take another one when the two share a network");
    if (!facts.daemon->tun && (address.address.is_loopback() || address.address.is_unspecified()))
      findings.push_back(key + ": Tailscale runs in user space here, so that the tailnet reaches " +
                         address.text() + "; write unix:/PATH, or see to the tailnet's policy");
  };
  for (const SocketAddress& address : wishes.program.admin.addresses) look("admin", address);
  if (wishes.program.metrics) look("metrics.listen", *wishes.program.metrics);
  if (wishes.tunnel_port == daemon_port)
    findings.push_back("tunnel.listen: UDP port 41641 is Tailscale's own; take another one");
  for (const std::uint16_t port : facts.served_ports)
    if (std::ranges::find(wishes.public_ports, port) != wishes.public_ports.end())
      findings.push_back("public.ports: `tailscale serve` has port " + std::to_string(port) +
                         " of the tailnet's addresses, before any listener; tailnet clients do not "
                         "come here with it");
}

void check_routes(const TailnetFacts& facts, const TailnetWishes& wishes, Findings& findings) {
  for (const IpAddress& edge : wishes.edges)
    if (tailnet::is_tailnet_range(edge) && wishes.mtu > mtu_inside_tailnet)
      findings.push_back("tunnel.mtu: the edge's address " + edge.text() +
                         " is in the tailnet, whose packets have 1280 bytes; write 1200, or dial "
                         "the edge's public address");
  if (facts.preferences.accepts_dns && wishes.names_backends)
    findings.push_back(
        "backend: Tailscale has taken over DNS here (accept-dns); in a container of "
        "its network, names of other containers may not resolve: set "
        "TS_ACCEPT_DNS=false there");
  if (facts.preferences.shields_up)
    findings.push_back(
        "tailnet: the node lets no connection in (shields-up); `tailscale set "
        "--shields-up=false` changes that");
}

}  // namespace

Findings tailnet_findings(const TailnetFacts& facts, const TailnetWishes& wishes) {
  Findings findings;
  // Without a daemon a carrier's addresses are nobody's trouble.
  if (!facts.daemon) return findings;
  check_interfaces(facts, findings);
  check_listeners(facts, wishes, findings);
  check_routes(facts, wishes, findings);
  return findings;
}

}  // namespace sidestream::cli
