// The first process of a container ends the container when it ends. One that has handed over
// therefore stays, and passes on the signals that are meant for whoever serves.
#pragma once

#include <string>

namespace sidestream::cli {

[[nodiscard]] bool is_first_process();

// To whoever listens for its next process at `path` now; false: nobody does.
bool pass_signal_on(const std::string& path, int signal);

// Passes on SIGTERM, SIGINT and SIGHUP until nobody listens at `path` any more.
void stay_for_successors(const std::string& path);

}  // namespace sidestream::cli
