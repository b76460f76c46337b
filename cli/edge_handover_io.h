// An edge that hands over to another process, and one that takes over.
#pragma once

#include <expected>
#include <string>

#include "cli/handover_io.h"
#include "cli/take_over_io.h"
#include "edge/edge_io.h"
#include "streams/kernel_network_io.h"

namespace sidestream::cli {

// Both outlive it.
[[nodiscard]] HandoverSource handover_source(edge::Edge& edge, KernelNetwork& network);

// Errors are one line for a person; the running edge goes on then.

// Asks the edge with this admin socket, and gives its sockets to the network. The edge that takes
// over is made after this.
[[nodiscard]] std::expected<TakeOver, std::string> begin_taking_over(const std::string& admin_path,
                                                                     KernelNetwork& network);
// `edge` goes on where the other one stands; it does not run yet.
[[nodiscard]] std::expected<void, std::string> finish_taking_over(TakeOver& take_over,
                                                                  KernelNetwork& network,
                                                                  edge::Edge& edge);

}  // namespace sidestream::cli
