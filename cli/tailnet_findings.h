// Where sidestream and a tailnet on the same machine get into each other's way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/program_configuration.h"
#include "tailnet/local_api_messages.h"
#include "tailnet/tailnet_addresses.h"

namespace sidestream::cli {

// What a machine has of a tailnet.
struct TailnetFacts {
  std::vector<tailnet::InterfaceAddress> interfaces;
  std::optional<tailnet::DaemonStatus> daemon;  // none: no daemon answers
  tailnet::Preferences preferences;
  std::vector<std::uint16_t> served_ports;  // by `tailscale serve`
};

// What of a configuration can be in a tailnet's way.
struct TailnetWishes {
  control::ProgramConfiguration program;
  std::size_t mtu = 0;                      // inside the own tunnel
  std::vector<IpAddress> edges;             // where the own tunnel goes, as far as that is written
  std::uint16_t tunnel_port = 0;            // UDP of the own tunnel; 0: any that is free
  std::vector<std::uint16_t> public_ports;  // TCP
  bool names_backends = false;              // some backend is a name
};

// One line each, with the key that it is about, or the interface.
[[nodiscard]] std::vector<std::string> tailnet_findings(const TailnetFacts& facts,
                                                        const TailnetWishes& wishes);

}  // namespace sidestream::cli
