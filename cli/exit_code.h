// What the program's end says to whoever started it.
#pragma once

namespace sidestream::cli {

enum ExitCode : int {
  good = 0,
  failed = 1,
  wrong_usage = 2,  // of the command line or the configuration
  not_running = 3,  // no sidestream answers at the admin address
  no_network = 4,   // the namespace that was shared has lost its network
};

}  // namespace sidestream::cli
