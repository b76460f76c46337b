// What the commands do. Each returns an ExitCode and writes to the console only.
#pragma once

#include "cli/console.h"
#include "cli/options.h"

namespace sidestream::cli {

int run_edge(const EdgeOptions& options, Console& console);
int run_sidecar(const SidecarOptions& options, Console& console);
int run_invite(const InviteOptions& options, Console& console);
int run_revoke(const RevokeOptions& options, Console& console);
int run_ban(const BanOptions& options, Console& console);
int run_unban(const UnbanOptions& options, Console& console);
int run_status(const StatusOptions& options, Console& console);
int run_health(const HealthOptions& options, Console& console);
int run_check(const CheckOptions& options, Console& console);
int run_doctor(const DoctorOptions& options, Console& console);
int run_keygen(const KeygenOptions& options, Console& console);

}  // namespace sidestream::cli
