// What the process gives up once it runs, so that a mistake in it is worth less to an attacker.
// Nothing here needs a privilege; what a kernel does not offer is left out and said.
#pragma once

#include <string>
#include <vector>

namespace sidestream::cli {

// At the very start: no core dumps, and nobody of the same user may read our memory. The variable
// SIDESTREAM_DEBUG leaves the second one out, for debuggers and profilers.
void protect_memory();

struct SandboxFolders {
  std::vector<std::string> read;   // beside the system's own: configuration, secrets
  std::vector<std::string> write;  // state, admin socket
};

struct SandboxReport {
  bool system_calls = false;  // seccomp: nothing is executed, traced, mounted or loaded any more
  bool files = false;         // Landlock: only the folders that are needed
  std::string missing;        // why one of them is not in force; empty: both are
};

// For this thread and those it makes from now on. Folders that are not there are left out.
SandboxReport enter_sandbox(const SandboxFolders& folders);

}  // namespace sidestream::cli
