#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "cli/admin_default_io.h"
#include "cli/commands.h"
#include "cli/configuration_file_io.h"
#include "cli/edge_handover_io.h"
#include "cli/edge_state_io.h"
#include "cli/exit_code.h"
#include "cli/inherited_sockets_io.h"
#include "cli/process_limits_io.h"
#include "cli/program_runner_io.h"
#include "cli/secret_residue_io.h"
#include "cli/tailnet_machine_io.h"
#include "cli/tunnel_choice_io.h"
#include "control/http_server_io.h"
#include "control/version.h"
#include "edge/edge_configuration.h"
#include "edge/edge_io.h"
#include "edge/routers/router_reader.h"
#include "streams/listen_failure.h"

namespace sidestream::cli {
namespace {

// Made at the first start, the same ever after.
std::expected<tunnel::PrivateKey, std::string> edge_key(const StateFolder& state,
                                                        RandomSource& random) {
  const auto kept = read_edge_key(state);
  if (!kept) return std::unexpected(kept.error());
  if (*kept) return **kept;
  tunnel::PrivateKey key;
  random.fill(key.reveal());
  if (auto written = write_edge_key(state, key); !written) return std::unexpected(written.error());
  return key;
}

// Descriptors that streams cannot have: most public ports are never opened.
std::size_t reserved_for(const edge::EdgeConfiguration& configuration) {
  constexpr std::size_t ports_max = 1000;
  std::size_t ports = 0;
  for (const edge::PortRange& range : configuration.public_ports)
    ports += std::size_t{range.high} - range.low + 1;
  return descriptors_reserved + std::min(ports, ports_max);
}

std::expected<std::size_t, std::string> streams_of(const edge::EdgeConfiguration& configuration,
                                                   const Log& log) {
  return streams_allowed({configuration.limits.streams, configuration.limits.has_streams},
                         reserved_for(configuration), log);
}

edge::EdgeSettings settings_of(const edge::EdgeConfiguration& configuration, std::size_t streams,
                               const tunnel::PrivateKey& key, std::size_t memory_limit_bytes) {
  // Beside the streams: control connections of the sidecars, and tries of other targets.
  constexpr std::size_t other_connections = 4096;
  edge::EdgeSettings settings;
  settings.version = control::program_version();
  settings.tickets.endpoints = configuration.endpoints;
  settings.tunnel.private_key = key;
  settings.tunnel.listen = configuration.listen;
  settings.tunnel.mtu = configuration.tunnel.mtu;
  settings.tunnel.tcp_limits = tunnel::tunnel_tcp_limits(configuration.tunnel.patience);
  settings.tunnel.tcp_limits.connections_max = streams + other_connections;
  settings.tunnel.tcp_limits.memory_bytes_max =
      tcp_memory_that_fits(settings.tunnel.tcp_limits.memory_bytes_max, memory_limit_bytes);
  settings.honours_bans = configuration.honours_bans;
  settings.drain_time = configuration.program.grace;
  settings.public_address = configuration.public_address;
  settings.public_ports = configuration.public_ports;
  settings.accepting = edge::with_files_in(configuration.router, configuration.program.state);
  settings.router.admission.streams_max = streams;
  settings.router.admission.streams_per_client_max = configuration.limits.per_client;
  settings.router.opening.hello_time = configuration.limits.hello_timeout;
  return settings;
}

// Of the files that the router reads, and of the socket where it hands streams over.
void add_folders(const edge::RouterSettings& router, SandboxFolders& folders) {
  const auto add = [&](const std::string& file) {
    if (!file.empty()) folders.write.push_back(std::filesystem::path(file).parent_path().string());
  };
  add(edge::file_of(router));
  if (const edge::RouterInletSettings* inlet = edge::inlet_of(router)) add(inlet->unix_path);
  if (const auto* nginx = std::get_if<edge::NginxSettings>(&router))
    folders.read.push_back(std::filesystem::path(nginx->pid_file).parent_path().string());
}

control::HttpResponse json_response(std::string body) {
  control::HttpResponse response;
  response.fields = {{"content-type", "application/json"}};
  response.body = std::move(body);
  return response;
}

// A ticket is said once, and leaves nothing behind.
control::HttpResponse ticket_response(const SecretText& ticket) {
  control::InviteAnswer answer{std::string(ticket.reveal())};
  control::HttpResponse response = json_response(serialize(answer));
  wipe_text(answer.ticket);
  wipe_stack();
  return response;
}

control::HttpResponse answer_admin(edge::Edge& edge, const control::HttpRequest& request) {
  const WipeFreedMemory wiping;
  if (request.method == "POST" && request.target == control::invite_target) {
    const auto message = control::parse_invite_request(request.body);
    if (!message) return control::error_response(400, "bad_message", message.error());
    const auto ticket = edge.invite(message->name, message->allow);
    if (!ticket) return control::error_response(409, "not_invited", ticket.error());
    return ticket_response(*ticket);
  }
  if (request.method == "POST" && request.target == control::revoke_target) {
    const auto message = control::parse_revoke_request(request.body);
    if (!message) return control::error_response(400, "bad_message", message.error());
    const auto revoked = edge.revoke(message->name);
    if (!revoked) return control::error_response(409, "not_revoked", revoked.error());
    return json_response(serialize(control::RevokeAnswer{revoked->endpoints, revoked->streams}));
  }
  return control::error_response(404, "not_found", "there is no such thing on an edge");
}

int complain(Console& console, const std::string& what, int code) {
  console.complain("sidestream edge: " + what + "\n");
  return code;
}

// `running` is what the edge was started with; of keys that need a restart its values count.
void reload(edge::Edge& edge, const edge::EdgeConfiguration& running, const EdgeOptions& options,
            const StateFolder& state, const Log& log) {
  if (edge.handing_over() || edge.handed_over())
    return tell_not_reloaded(log, {"another process takes over; it has read its own file"});
  const WipeFreedMemory wiping;
  const auto file = load_configuration(options.config, edge_file_default);
  if (!file) return tell_not_reloaded(log, {file.error()});
  auto configuration = edge::read_edge_configuration(*file, process_variables(*file));
  if (!configuration) return tell_not_reloaded(log, configuration.error().lines());
  const auto after_restart = edge::keys_for_restart(running, *configuration);
  configuration->network = running.network;
  auto registry = read_registry(*configuration, state);
  if (!registry) return tell_not_reloaded(log, {registry.error()});
  const auto streams = streams_of(*configuration, log);
  if (!streams) return tell_not_reloaded(log, {streams.error()});
  edge.reload(settings_of(*configuration, *streams, {}, 0), std::move(*registry));
  tell_reloaded(log, after_restart);
}

}  // namespace

int run_edge(const EdgeOptions& options, Console& console) {
  Background background;
  if (options.background)
    if (const auto code = background.begin()) return *code;
  protect_memory();
  std::optional<WipeFreedMemory> wiping(std::in_place);
  auto file = load_configuration(options.config, edge_file_default);
  if (!file) return complain(console, file.error(), wrong_usage);
  SandboxFolders folders;
  const auto configuration =
      edge::read_edge_configuration(*file, process_variables(*file, &folders.read));
  if (!configuration) {
    for (const std::string& line : configuration.error().lines()) console.complain(line + "\n");
    return wrong_usage;
  }
  forget_content(*file);
  wiping.reset();

  const Log log(configuration->program.log);
  asio::io_context io;
  KernelNetwork network(io);
  if (auto inherited = inherit_sockets(network); !inherited)
    return complain(console, inherited.error(), failed);
  std::optional<TakeOver> take_over;
  if (options.take_over) {
    auto begun = begin_taking_over(admin_socket_of(configuration->program), network);
    if (!begun) return complain(console, begun.error(), failed);
    take_over.emplace(std::move(*begun));
  }
  const StateFolder state(configuration->program.state);
  if (auto prepared = state.prepare(); !prepared)
    return complain(console, prepared.error() + std::string(control::state_folder_advice), failed);
  const auto streams = streams_of(*configuration, log);
  if (!streams) return complain(console, streams.error(), failed);
  const auto key = edge_key(state, network.random());
  if (!key) return complain(console, key.error(), failed);
  auto registry = read_registry(*configuration, state);
  if (!registry) return complain(console, registry.error(), failed);

  const MemoryMeter memory(configuration->limits.memory_bytes);
  edge::EdgeSettings settings = settings_of(*configuration, *streams, *key, memory.limit_bytes());
  settings.held_ports = network.inherited_ports();
  settings.make_tunnel =
      tunnel_maker(configuration->tunnel, log, control::control_port, options.take_over);
  folders.write = {configuration->program.state};
  add_folders(settings.accepting, folders);
  std::unique_ptr<edge::Edge> edge;
  try {
    edge = std::make_unique<edge::Edge>(network, std::move(settings), std::move(*registry), &state,
                                        log);
  } catch (const system_error& error) {
    return complain(console,
                    "cannot listen on UDP " + configuration->listen.text() + ": " +
                        explain_listen_failure(error.code(), configuration->listen.port) +
                        " (tunnel.listen); if that is a running edge, --take-over replaces it",
                    failed);
  } catch (const std::runtime_error& error) {
    return complain(console, "tunnel.mode: " + std::string(error.what()), failed);
  }
  if (take_over) {
    if (auto taken = finish_taking_over(*take_over, network, *edge); !taken)
      return complain(console, taken.error(), failed);
    take_over.reset();
  }
  const auto tailnet = watch_tailnet(network, configuration->program.tailscale, {}, log);
  RunningProgram program{
      .role = "edge",
      .run = beside_tailnet(network, edge->run(), tailnet.get()),
      .stop = [&] { edge->stop(); },
      .reload = [&] { reload(*edge, *configuration, options, state, log); },
      .admin = {.status = [&] { return serialize(with(tailnet.get(), edge->status())); },
                .health = [] { return control::HealthAnswer{true, ""}; },
                .metrics =
                    [&](auto& page) {
                      edge->write_metrics(page);
                      add_tailnet_metrics(page, tailnet.get());
                    },
                .other =
                    [&](const control::HttpRequest& request) {
                      return answer_admin(*edge, request);
                    }},
      .memory = {.meter = &memory,
                 .obey =
                     [&](const MemoryOrders& orders) {
                       return edge->obey_memory(orders.new_streams, orders.shed);
                     }},
      .folders = std::move(folders),
      .handover = handover_source(*edge, network),
      .background = &background};
  return run_program(io, network, std::move(program), configuration->program, log);
}

}  // namespace sidestream::cli
