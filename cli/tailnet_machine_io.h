// What a machine has of a tailnet: asked once, or watched beside a program.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/tailnet_findings.h"
#include "control/program_configuration.h"
#include "tailnet/tailnet_node_io.h"

namespace sidestream::cli {

// Where the daemon's socket may be, by the configuration and TS_SOCKET; none: it is not to be
// asked, or nothing says that there is one.
[[nodiscard]] std::vector<std::string> tailnet_sockets(const control::TailscaleSettings& settings);

// Waits for a daemon that is silent for two seconds at most.
[[nodiscard]] TailnetFacts tailnet_facts(const control::TailscaleSettings& settings);

// nullptr: there is none to be watched. `peers` are what the program dials, in a tailnet or not.
// `network` and `log` outlive it.
[[nodiscard]] std::unique_ptr<tailnet::TailnetNode> watch_tailnet(
    Network& network, const control::TailscaleSettings& settings,
    const std::vector<IpAddress>& peers, const Log& log);
// A program's status document, with what of it is the node's.
template <typename Status>
[[nodiscard]] Status with(const tailnet::TailnetNode* node, Status status) {
  if (node != nullptr) status.tailnet = node->document();
  return status;
}
// The program, until it ends; the node, which may be none, is watched meanwhile. Throws
// NamespaceLost when the network that this process shares with the node has ended.
Task<> beside_tailnet(Network& network, Task<> program, tailnet::TailnetNode* node);

}  // namespace sidestream::cli
