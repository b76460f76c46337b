// A seccomp filter (seccomp(2)): system calls that a network program has no use for fail with
// EPERM.
#pragma once

namespace sidestream::cli {

// For all threads. False, with errno, when the kernel does not take it. Wants no_new_privs.
bool filter_system_calls();

}  // namespace sidestream::cli
