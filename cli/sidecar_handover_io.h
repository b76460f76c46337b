// A sidecar that hands over to another process, and one that takes over.
#pragma once

#include <expected>
#include <string>

#include "cli/handover_io.h"
#include "cli/take_over_io.h"
#include "sidecar/sidecar_io.h"
#include "streams/kernel_network_io.h"

namespace sidestream::cli {

// It outlives the source.
[[nodiscard]] HandoverSource handover_source(sidecar::Sidecar& sidecar);

// Errors are one line for a person; the running sidecar goes on then.

struct SidecarTakeOver {
  TakeOver dialogue;
  sidecar::SidecarOffer offer;  // what the sidecar that takes over is made with
};
// Asks the sidecar with this admin socket, and gives its sockets to the network. `edges` are those
// of the configuration.
[[nodiscard]] std::expected<SidecarTakeOver, std::string> begin_taking_over(
    const std::string& admin_path, const std::vector<sidecar::EdgeEntry>& edges,
    KernelNetwork& network);
// `sidecar` goes on where the other one stands; it does not run yet.
[[nodiscard]] std::expected<void, std::string> finish_taking_over(SidecarTakeOver& take_over,
                                                                  KernelNetwork& network,
                                                                  sidecar::Sidecar& sidecar);

}  // namespace sidestream::cli
