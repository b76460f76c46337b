#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "cli/admin_default_io.h"
#include "cli/commands.h"
#include "cli/configuration_file_io.h"
#include "cli/exit_code.h"
#include "cli/process_limits_io.h"
#include "cli/program_runner_io.h"
#include "cli/secret_residue_io.h"
#include "cli/sidecar_handover_io.h"
#include "cli/tailnet_machine_io.h"
#include "cli/tunnel_choice_io.h"
#include "control/ban_messages.h"
#include "control/http_server_io.h"
#include "control/version.h"
#include "sidecar/sidecar_configuration.h"
#include "sidecar/sidecar_io.h"

namespace sidestream::cli {

namespace {

int complain(Console& console, const std::string& what, int code) {
  console.complain("sidestream sidecar: " + what + "\n");
  return code;
}

void reload(sidecar::Sidecar& sidecar, const SidecarOptions& options, const Log& log) {
  if (sidecar.handing_over() || sidecar.handed_over())
    return tell_not_reloaded(log, {"another process takes over; it has read its own file"});
  const WipeFreedMemory wiping;
  const auto file = load_configuration(options.config, sidecar_file_default);
  if (!file) return tell_not_reloaded(log, {file.error()});
  auto configuration = sidecar::read_sidecar_configuration(*file, process_variables(*file));
  if (!configuration) return tell_not_reloaded(log, configuration.error().lines());
  try {
    tell_reloaded(log, sidecar.reload(std::move(*configuration)));
  } catch (const system_error& error) {
    tell_not_reloaded(log, {"cannot open a UDP socket: " + error.code().message()});
  }
}

control::HttpResponse json_response(std::string body) {
  control::HttpResponse response;
  response.fields = {{"content-type", "application/json"}};
  response.body = std::move(body);
  return response;
}

control::HttpResponse answer_admin(sidecar::Sidecar& sidecar, const control::HttpRequest& request) {
  if (request.method == "POST" && request.target == control::ban_target) {
    const auto message = control::parse_ban_request(request.body);
    if (!message) return control::error_response(400, "bad_message", message.error());
    const auto streams = sidecar.ban(message->network, message->time);
    if (!streams) return control::error_response(409, "not_banned", streams.error());
    return json_response(serialize(control::BanAnswer{*streams}));
  }
  if (request.method == "POST" && request.target == control::unban_target) {
    const auto message = control::parse_unban_request(request.body);
    if (!message) return control::error_response(400, "bad_message", message.error());
    return json_response(serialize(control::UnbanAnswer{sidecar.unban(message->network)}));
  }
  return control::error_response(404, "not_found", "there is no such thing on a sidecar");
}

// Labels may add as many as there can be.
std::size_t services_expected(const sidecar::SidecarConfiguration& configuration) {
  return configuration.docker ? sidecar::SidecarConfiguration::services_max
                              : configuration.services.size();
}

}  // namespace

int run_sidecar(const SidecarOptions& options, Console& console) {
  Background background;
  if (options.background)
    if (const auto code = background.begin()) return *code;
  protect_memory();
  std::optional<WipeFreedMemory> wiping(std::in_place);
  auto file = load_configuration(options.config, sidecar_file_default);
  if (!file) return complain(console, file.error(), wrong_usage);
  SandboxFolders folders;
  const auto configuration =
      sidecar::read_sidecar_configuration(*file, process_variables(*file, &folders.read));
  if (!configuration) {
    for (const std::string& line : configuration.error().lines()) console.complain(line + "\n");
    return wrong_usage;
  }
  forget_content(*file);
  wipe_stack();
  wiping.reset();

  const Log log(configuration->program.log);
  asio::io_context io;
  KernelNetwork network(io);
  // A sidecar lives without a state folder: its identity is in its ticket. What is lost is how far
  // its clock had come, which matters only when the clock goes back.
  const StateFolder folder(configuration->program.state);
  const auto prepared = folder.prepare();
  if (!prepared)
    log.info("nothing is kept over restarts",
             {{"why", prepared.error() + std::string(control::state_folder_advice)}});

  if (!prepared && sidecar::needs_state(*configuration)) {
    console.complain("sidestream sidecar: " + prepared.error() +
                     " (certificates are kept there)\n");
    return failed;
  }
  const auto streams =
      streams_allowed({configuration->limits.streams, configuration->limits.has_streams},
                      descriptors_reserved + 2 * services_expected(*configuration), log);
  if (!streams) return complain(console, streams.error(), failed);

  std::optional<SidecarTakeOver> take_over;
  if (options.take_over) {
    auto begun =
        begin_taking_over(admin_socket_of(configuration->program), configuration->edges, network);
    if (!begun) return complain(console, begun.error(), failed);
    take_over.emplace(std::move(*begun));
  }

  const MemoryMeter memory(configuration->limits.memory_bytes);
  std::unique_ptr<sidecar::Sidecar> sidecar;
  try {
    sidecar = std::make_unique<sidecar::Sidecar>(
        network,
        sidecar::SidecarSettings{
            .version = std::string(control::program_version()),
            .drain_time = configuration->program.grace,
            .streams_max = *streams,
            .tcp_memory_bytes =
                tcp_memory_that_fits(tunnel::TcpLimits{}.memory_bytes_max, memory.limit_bytes()),
            .read_file = process_variables(*file).file,
            .read_secret_file = process_variables(*file).secret_file,
            .before = take_over ? std::optional(take_over->offer) : std::nullopt,
            .make_tunnel = tunnel_maker(configuration->tunnel, log, sidecar::name_router_port,
                                        options.take_over)},
        *configuration, prepared ? &folder : nullptr, log);
  } catch (const system_error& error) {
    return complain(console, "cannot open a UDP socket: " + error.code().message(), failed);
  } catch (const std::runtime_error& error) {
    return complain(console, "tunnel.mode: " + std::string(error.what()), failed);
  }
  if (take_over) {
    if (auto taken = finish_taking_over(*take_over, network, *sidecar); !taken)
      return complain(console, taken.error(), failed);
    take_over.reset();
  }
  folders.write = {configuration->program.state};
  const auto tailnet = watch_tailnet(network, configuration->program.tailscale,
                                     sidecar::edge_addresses(*configuration), log);
  RunningProgram program{
      .role = "sidecar",
      .run = beside_tailnet(network, sidecar->run(), tailnet.get()),
      .stop = [&] { sidecar->stop(); },
      .reload = [&] { reload(*sidecar, options, log); },
      .admin = {.status = [&] { return serialize(with(tailnet.get(), sidecar->status())); },
                .health = [&] { return sidecar->health(); },
                .metrics =
                    [&](auto& page) {
                      sidecar->write_metrics(page);
                      add_tailnet_metrics(page, tailnet.get());
                    },
                .other =
                    [&](const control::HttpRequest& request) {
                      return answer_admin(*sidecar, request);
                    }},
      .memory = {.meter = &memory,
                 .obey =
                     [&](const MemoryOrders& orders) {
                       return sidecar->obey_memory(orders.new_streams, orders.shed);
                     }},
      .folders = std::move(folders),
      .handover = handover_source(*sidecar),
      .background = &background};
  return run_program(io, network, std::move(program), configuration->program, log);
}

}  // namespace sidestream::cli
