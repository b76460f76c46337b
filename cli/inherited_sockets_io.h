// Sockets that systemd, or something like it, holds for us (sd_listen_fds(3)): they outlive a
// restart.
#pragma once

#include <expected>
#include <string>

#include "streams/kernel_network_io.h"

namespace sidestream::cli {

// Gives the listening TCP sockets of LISTEN_FDS to `network`, and takes the variables out of the
// environment. Nothing happens without them. The error is a sentence.
std::expected<void, std::string> inherit_sockets(KernelNetwork& network);

}  // namespace sidestream::cli
