// What edge and sidecar have in common as processes: one thread, an admin address, signals.
#pragma once

#include <functional>
#include <string>

#include "cli/background_io.h"
#include "cli/console.h"
#include "cli/handover_io.h"
#include "cli/memory_watch_io.h"
#include "cli/sandbox_io.h"
#include "control/admin_messages.h"
#include "control/http_message.h"
#include "control/metrics_page.h"
#include "control/program_configuration.h"
#include "streams/kernel_network_io.h"
#include "streams/log_io.h"

namespace sidestream::cli {

// What the admin address answers with.
struct AdminAnswers {
  std::function<std::string()> status;  // the document as JSON
  std::function<control::HealthAnswer()> health;
  std::function<void(control::MetricsPage&)> metrics;  // what this program measures
  // Everything else; none: 404.
  std::function<control::HttpResponse(const control::HttpRequest&)> other;
};

// What keeps the program below its memory limit.
struct MemoryControl {
  const MemoryMeter* meter = nullptr;  // outlives the program
  std::function<std::size_t(const MemoryOrders&)> obey;
};

struct RunningProgram {
  std::string role;              // `edge` or `sidecar`
  Task<> run;                    // until it is cancelled or stop was carried out
  std::function<void()> stop;    // asks run to end in order
  std::function<void()> reload;  // takes over the configuration as it is written now
  AdminAnswers admin;
  MemoryControl memory;
  SandboxFolders folders;
  HandoverSource handover;           // to a next process; without functions: there can be none
  Background* background = nullptr;  // to be told when it serves; may be none
};

// Enters the sandbox with `folders` (and the admin socket's) and runs it until it ends by itself,
// fails, or a signal asks for that: the first SIGTERM or SIGINT stops in order, the second at once.
// SIGHUP reloads. Where no admin address is configured, the default one is made. Returns an exit
// code. What goes wrong stands in the log.
int run_program(asio::io_context& io, KernelNetwork& network, RunningProgram program,
                const control::ProgramConfiguration& configuration, const Log& log);

}  // namespace sidestream::cli
