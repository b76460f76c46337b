#include <array>
#include <string>
#include <utility>

#include "cli/admin_client_io.h"
#include "cli/commands.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "cli/status_table.h"
#include "control/admin_messages.h"
#include "control/status_messages.h"
#include "streams/kernel_network_io.h"
#include "streams/task_group_io.h"

namespace sidestream::cli {
namespace {

constexpr Duration watch_interval = 1s;
constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";

constexpr std::array files_default{edge_file_default, sidecar_file_default};

std::expected<control::HttpResponse, std::string> get(const std::optional<std::string>& admin,
                                                      std::string_view target) {
  control::HttpRequest request;
  request.method = "GET";
  request.target = target;
  request.keep_alive = false;
  return ask_program(admin, std::move(request));
}

void pause(Duration time) {
  asio::io_context io;
  KernelNetwork network(io);
  TaskGroup group(network.executor());
  group.spawn(network.timers().sleep_for(time), [](const std::exception_ptr&) {});
  io.run();
}

int show_status(const StatusOptions& options, const std::optional<std::string>& admin,
                Console& console) {
  const auto response = get(admin, control::status_target);
  if (!response) {
    console.complain("sidestream status: " + response.error() + "\n");
    return not_running;
  }
  if (options.json) {
    console.print(response->body + "\n");
    return good;
  }
  const auto status = control::parse_status(response->body);
  if (!status) {
    console.complain("sidestream status: the answer cannot be read: " + status.error() + "\n");
    return failed;
  }
  console.print((options.watch ? std::string(clear_screen) : std::string()) +
                status_table(*status));
  return good;
}

}  // namespace

int run_status(const StatusOptions& options, Console& console) {
  const auto admin = choose_admin_address(options.admin, options.config, files_default);
  if (!admin) {
    console.complain("sidestream status: " + admin.error() + "\n");
    return wrong_usage;
  }
  int code = show_status(options, *admin, console);
  while (options.watch && console.is_good()) {
    pause(watch_interval);
    code = show_status(options, *admin, console);
  }
  return code;
}

int run_health(const HealthOptions& options, Console& console) {
  const auto admin = choose_admin_address(options.admin, options.config, files_default);
  if (!admin) {
    console.complain("sidestream health: " + admin.error() + "\n");
    return wrong_usage;
  }
  const auto response = get(*admin, control::health_target);
  if (!response) {
    console.complain("sidestream health: " + response.error() + "\n");
    return not_running;
  }
  const auto health = control::parse_health_answer(response->body);
  if (!health) {
    console.complain("sidestream health: the answer cannot be read: " + health.error() + "\n");
    return failed;
  }
  console.print(health->healthy ? "healthy\n" : "unhealthy: " + health->sentence + "\n");
  return health->healthy ? good : failed;
}

}  // namespace sidestream::cli
