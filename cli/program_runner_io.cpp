#include "cli/program_runner_io.h"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "cli/admin_default_io.h"
#include "cli/exit_code.h"
#include "cli/first_process_io.h"
#include "cli/free_memory_io.h"
#include "cli/lost_namespace.h"
#include "cli/metrics_service_io.h"
#include "cli/process_facts_io.h"
#include "cli/supervisor_io.h"
#include "control/http_server_io.h"
#include "streams/join_io.h"
#include "streams/listen_failure.h"
#include "streams/task_group_io.h"

namespace sidestream::cli {
namespace {

constexpr unsigned admin_socket_mode = 0600;
constexpr const char* admin_remedy =
    "; if another sidestream runs here give each an `admin` of its own, else set it to a path "
    "where "
    "this user may write";

class AdminService final : public control::HttpService {
 public:
  AdminService(AdminAnswers answers, std::function<std::string()> metrics)
      : answers_(std::move(answers)), metrics_(std::move(metrics)) {}

  Task<control::HttpResponse> respond(control::HttpRequest request, SocketAddress) override {
    control::HttpResponse response;
    response.fields = {{"content-type", "application/json"}};
    const bool reads = request.method == "GET";
    if (!control::is_from_a_program(request)) {
      response =
          control::error_response(403, "not_allowed", "web pages may not ask here, programs may");
    } else if (reads && request.target == control::status_target) {
      response.body = answers_.status();
    } else if (reads && request.target == control::health_target) {
      const control::HealthAnswer health = answers_.health();
      response.status = health.healthy ? 200 : 503;
      response.body = serialize(health);
    } else if (reads && request.target == control::metrics_target) {
      response = metrics_response(metrics_());
    } else if (answers_.other) {
      response = answers_.other(request);
    } else {
      response = control::error_response(404, "not_found", "there is no such thing here");
    }
    co_return response;
  }

 private:
  AdminAnswers answers_;
  std::function<std::string()> metrics_;
};

std::string metrics_page(std::string_view role, const MemoryMeter& meter,
                         const std::function<void(control::MetricsPage&)>& add_program,
                         const Log& log) {
  control::MetricsPage page;
  add_process(page, role, process_facts());
  add_memory(page, meter);
  add_log(page, log.counters());
  add_program(page);
  return page.text();
}

// A listener and what answers there.
struct AdminPlace {
  std::unique_ptr<Listener> listener;
  control::HttpService* service;
  control::HttpServerLimits limits;
};

// The folder of the socket, for whoever runs the program.
void make_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (std::filesystem::create_directories(folder, ignored))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
}

std::vector<std::unique_ptr<Listener>> listen_admin(KernelNetwork& network,
                                                    const control::AdminAddresses& admin,
                                                    const Log& log) {
  std::vector<std::unique_ptr<Listener>> listeners;
  const auto add = [&](const std::string& where, auto&& listen) {
    try {
      listeners.push_back(listen());
    } catch (const system_error& error) {
      log.warn("admin address not available, status and health will not answer",
               {{"address", where}, {"why", error.code().message() + admin_remedy}});
    }
  };
  if (!admin.unix_path.empty()) {
    make_folder_of(admin.unix_path);
    add("unix:" + admin.unix_path,
        [&] { return network.listen_unix(admin.unix_path, admin_socket_mode); });
  }
  for (const SocketAddress& address : admin.addresses)
    add(address.text(), [&] { return network.listen(address, {}); });
  return listeners;
}

std::vector<AdminPlace> open_places(KernelNetwork& network,
                                    const control::AdminAddresses& addresses,
                                    const control::ProgramConfiguration& configuration,
                                    AdminService& admin, MetricsService& metrics, const Log& log) {
  std::vector<AdminPlace> places;
  for (auto& listener : listen_admin(network, addresses, log))
    places.push_back({.listener = std::move(listener), .service = &admin, .limits = {}});
  if (!configuration.metrics) return places;
  try {
    places.push_back({.listener = network.listen(*configuration.metrics, {}),
                      .service = &metrics,
                      .limits = metrics_server_limits()});
  } catch (const system_error& error) {
    log.warn("metrics address not available",
             {{"address", configuration.metrics->text()},
              {"why", explain_listen_failure(error.code(), configuration.metrics->port) +
                          " (metrics.listen)"}});
  }
  return places;
}

Task<> obey_signals(asio::signal_set& signals, std::function<void()> stop,
                    std::function<void()> reload, const Handover& handover, const Log& log) {
  for (int stops = 0; stops < 2;) {
    const int number = co_await signals.async_wait(asio::use_awaitable);
    // It is meant for whoever serves.
    if (is_first_process() && handover.done() && pass_signal_on(handover.path(), number)) continue;
    if (number == SIGHUP) {
      reload();
    } else if (++stops == 1) {
      stop();
    }
  }
  log.warn("second signal, ends at once");
}

std::string text_of(const std::exception_ptr& failure) {
  const error_code code = code_of(failure);
  try {
    std::rethrow_exception(failure);
  } catch (const system_error&) {
    return code.message();
  } catch (const std::exception& error) {
    return error.what();
  }
}

int code_for(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const NamespaceLost&) {
    return no_network;
  } catch (...) {
    return failed;
  }
}

Task<> until_one_ends(Task<> one, Task<> other) {
  co_await first_of(std::move(one), std::move(other));
}

// Answers at the admin addresses, until the program is handed over: then they are the next one's.
Task<> be_asked(KernelNetwork& network, std::vector<AdminPlace>& places, Handover& handover) {
  std::vector<std::unique_ptr<control::HttpServer>> servers;
  Task<> all = handover.run();
  for (const AdminPlace& place : places) {
    servers.push_back(std::make_unique<control::HttpServer>(
        network.executor(), network.timers(), *place.listener, *place.service, place.limits));
    all = until_one_ends(std::move(all), servers.back()->run());
  }
  co_await std::move(all);
  servers.clear();
  places.clear();
  co_await handover.release();
  Event never;
  for (;;) co_await never.wait();
}

Task<> run_all(KernelNetwork& network, RunningProgram program, std::vector<AdminPlace>& places,
               Handover& handover, const Supervisor& supervisor, asio::signal_set& signals,
               const Log& log) {
  // Whatever of these ends first ends the program.
  Task<> all = obey_signals(signals, program.stop, program.reload, handover, log);
  all = until_one_ends(std::move(all), be_asked(network, places, handover));
  all = until_one_ends(std::move(all), supervisor.tell_alive(network.timers(), handover));
  all = until_one_ends(std::move(all), return_free_memory(network.timers()));
  if (program.memory.meter->limit_bytes() > 0)
    all = until_one_ends(std::move(all), guard_memory(network.timers(), *program.memory.meter,
                                                      program.memory.obey, log));
  co_await first_of(std::move(program.run), std::move(all));
}

}  // namespace

int run_program(asio::io_context& io, KernelNetwork& network, RunningProgram program,
                const control::ProgramConfiguration& configuration, const Log& log) {
  int code = good;
  const auto page = [role = program.role, &meter = *program.memory.meter,
                     add = program.admin.metrics,
                     &log] { return metrics_page(role, meter, add, log); };
  AdminService admin(std::move(program.admin), page);
  MetricsService metrics(network.timers(), page);
  SandboxFolders folders = std::move(program.folders);
  control::AdminAddresses addresses = configuration.admin;
  addresses.unix_path = admin_socket_of(configuration);
  const std::string& socket = addresses.unix_path;
  std::vector<AdminPlace> places =
      open_places(network, addresses, configuration, admin, metrics, log);
  Background* const background = program.background;
  const bool can_hand_over = program.handover.offer && !socket.empty();
  Handover handover(network, can_hand_over ? handover_path(socket) : "",
                    std::move(program.handover), log);
  asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
  const Supervisor supervisor;
  TaskGroup group(network.executor());
  group.spawn(run_all(network, std::move(program), places, handover, supervisor, signals, log),
              [&](const std::exception_ptr& failure) {
                code = code_for(failure);
                log.error("stopped by an error", {{"error", text_of(failure)}});
              });
  if (!socket.empty())
    folders.write.push_back(std::filesystem::path(socket).parent_path().string());
  supervisor.tell_ready();
  if (background != nullptr) background->tell_serving();
  const SandboxReport sandbox = enter_sandbox(folders);
  if (!sandbox.missing.empty())
    log.info("this system offers less of a sandbox", {{"why", sandbox.missing}});
  io.run();
  if (is_first_process() && handover.done()) {
    log.info("stays as the first process, for those that took over");
    stay_for_successors(handover.path());
  }
  log.info("stopped");
  return code;
}

}  // namespace sidestream::cli
