// The admin socket of a program that nobody has told where to put it. A user who may not write to
// /run gets one in the own runtime folder (XDG_RUNTIME_DIR), where status and health find it.
#pragma once

#include <string>

#include "control/program_configuration.h"

namespace sidestream::cli {

// Where a program that starts here listens.
[[nodiscard]] std::string admin_socket_to_make();
// The same for a configured program; empty: it has none.
[[nodiscard]] std::string admin_socket_of(const control::ProgramConfiguration& configuration);
// Where one that runs is asked: the first of these places where there is a socket.
[[nodiscard]] std::string admin_socket_to_ask();

}  // namespace sidestream::cli
