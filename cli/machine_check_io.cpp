#include "cli/machine_check_io.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "cli/admin_client_io.h"
#include "cli/admin_default_io.h"
#include "cli/edge_state_io.h"
#include "cli/tailnet_machine_io.h"
#include "control/admin_messages.h"
#include "edge/routers/router_reader.h"
#include "streams/ip_address.h"
#include "streams/kernel_network_io.h"
#include "streams/listen_failure.h"
#include "streams/task_group_io.h"

namespace sidestream::cli {
namespace {

namespace fs = std::filesystem;

using Findings = std::vector<std::string>;

bool is_usable(const fs::path& folder) {
  return ::access(folder.c_str(), R_OK | W_OK | X_OK) == 0;
}

// Whether this user can use a folder, or make it.
bool can_have_folder(const fs::path& folder) {
  std::error_code ignored;
  fs::path there = folder;
  while (!fs::exists(there, ignored) && there.has_parent_path() && there != there.parent_path())
    there = there.parent_path();
  return fs::is_directory(there, ignored) && is_usable(there);
}

// Those that are empty are not checked.
void check_folders(const control::ProgramConfiguration& program, Findings& findings) {
  if (!program.state.empty() && !can_have_folder(program.state))
    findings.push_back("state: this user cannot use or make the folder " + program.state +
                       "; give it to the program's user, or set `state` to another one");
  const std::string& socket = program.admin.unix_path;
  if (!socket.empty() && !can_have_folder(fs::path(socket).parent_path()))
    findings.push_back("admin: this user cannot make the socket " + socket +
                       ", by which status and health ask; give its folder to the program's user, "
                       "or set `admin` to another one");
}

// Whether the program that this configuration is for runs already.
bool is_running(const control::AdminAddresses& admin) {
  if (admin.unix_path.empty()) return false;
  control::HttpRequest request;
  request.method = "GET";
  request.target = control::health_target;
  request.keep_alive = false;
  return ask_program("unix:" + admin.unix_path, std::move(request)).has_value();
}

void check_state(const edge::EdgeConfiguration& configuration, Findings& findings) {
  std::error_code ignored;
  if (!fs::exists(configuration.program.state, ignored) || !is_usable(configuration.program.state))
    return;
  const StateFolder state(configuration.program.state);
  if (const auto key = read_edge_key(state); !key) findings.push_back("state: " + key.error());
  if (const auto registry = read_registry(configuration, state); !registry)
    findings.push_back("state: " + registry.error());
}

// Addresses of one key, by what is in their way.
using Obstacles = std::map<error_code, std::vector<SocketAddress>>;

template <typename Open>
void try_address(const SocketAddress& address, Obstacles& obstacles, const Open& open) {
  try {
    (void)open();
  } catch (const system_error& failure) {
    obstacles[failure.code()].push_back(address);
  }
}

void tell(const std::string& key, const Obstacles& obstacles, Findings& findings) {
  for (const auto& [error, addresses] : obstacles) {
    std::string where = addresses.front().text();
    if (addresses.size() > 1)
      where += " and on " + std::to_string(addresses.size() - 1) + " more of them";
    findings.push_back(key + ": cannot listen on " + where + ": " +
                       explain_listen_failure(error, addresses.front().port));
  }
}

void check_ports(const edge::EdgeConfiguration& configuration, const MachineCheckLimits& limits,
                 Findings& findings) {
  asio::io_context io;
  KernelNetwork network(io);
  Obstacles udp;
  try_address(configuration.listen, udp, [&] { return network.open_udp(configuration.listen); });
  tell("tunnel.listen", udp, findings);
  Obstacles tcp;
  if (!std::holds_alternative<edge::EmbeddedSettings>(configuration.router)) return;
  std::size_t tried = 0;
  for (const edge::PortRange& range : configuration.public_ports) {
    for (unsigned port = range.low; port <= range.high && tried < limits.ports_max; ++port) {
      const SocketAddress address{configuration.public_address, static_cast<std::uint16_t>(port)};
      try_address(address, tcp, [&] { return network.listen(address, {}); });
      ++tried;
    }
  }
  tell("public.ports", tcp, findings);
}

// What another program as the router needs of this machine.
void check_router(const edge::RouterSettings& router, bool runs, Findings& findings) {
  const std::string file = edge::file_of(router);
  if (!file.empty() && !can_have_folder(fs::path(file).parent_path()))
    findings.push_back("router: this user cannot write " + file +
                       "; give its folder to the program's user, or set another file");
  const auto* haproxy = std::get_if<edge::HaproxySettings>(&router);
  if (haproxy != nullptr && ::access(haproxy->socket.c_str(), R_OK | W_OK) != 0)
    findings.push_back("router.haproxy.socket: this user cannot use " + haproxy->socket +
                       "; is HAProxy running, and is that its `stats socket`, with `level admin` "
                       "and a group that this user is in?");
  const auto* nginx = std::get_if<edge::NginxSettings>(&router);
  if (nginx != nullptr && !nginx->pid_file.empty() && ::geteuid() != 0)
    findings.push_back(
        "router.nginx.reload: only root may reload NGINX as a rule; let systemd do " +
        std::string("it: `reload: watched` and the units of docs/edges/nginx.md"));
  const edge::RouterInletSettings* inlet = edge::inlet_of(router);
  if (inlet == nullptr || runs || !inlet->unix_path.empty()) return;
  asio::io_context io;
  KernelNetwork network(io);
  Obstacles obstacles;
  try_address(inlet->listen, obstacles, [&] { return network.listen(inlet->listen, {}); });
  tell("router", obstacles, findings);
}

// ---- names -------------------------------------------------------------------------------------

Task<> look_up(KernelNetwork& network, std::string host, Duration timeout) {
  (void)co_await network.resolve(std::move(host), 1, timeout);
}

// Hosts that are no addresses, each with the keys that name it; all are asked at once.
Findings check_names(const std::map<std::string, std::string>& keys_by_host,
                     const MachineCheckLimits& limits) {
  Findings findings;
  asio::io_context io;
  KernelNetwork network(io);
  TaskGroup lookups(network.executor());
  std::size_t asked = 0;
  for (const auto& [host, keys] : keys_by_host) {
    if (IpAddress::parse(host) || ++asked > limits.names_max) continue;
    lookups.spawn(look_up(network, host, limits.lookup_timeout),
                  [&, name = host, where = keys](const std::exception_ptr& failure) {
                    findings.push_back(where + ": " + name + " cannot be resolved here (" +
                                       code_of(failure).message() +
                                       "); is the name right, and known where the program runs?");
                  });
  }
  io.run();
  return findings;
}

// An authority looks at a name on port 443 and nowhere else (RFC 8737 section 3).
void check_names_for_acme(const sidecar::ServiceConfiguration& service, Findings& findings) {
  using Kind = sidecar::CertificateSource::Kind;
  if (service.tls != sidecar::TlsMode::terminate ||
      service.tls_settings.certificate.kind != Kind::acme)
    return;
  for (const control::Endpoint& endpoint : service.publish) {
    const bool found = std::ranges::any_of(service.publish, [&](const control::Endpoint& other) {
      return other.name == endpoint.name && other.port == control::Endpoint::default_port;
    });
    if (endpoint.name && !found)
      findings.push_back("services." + service.name + ".certificate: " + endpoint.name->text() +
                         " is not published on port 443, where an authority looks at it; publish "
                         "it there too, or write certificate: self-signed");
  }
}

// ---- a tailnet on the same machine -------------------------------------------------------------

void check_tailnet(const edge::EdgeConfiguration& configuration, const MachineCheckLimits& limits,
                   Findings& findings) {
  TailnetWishes wishes{.program = configuration.program,
                       .mtu = configuration.tunnel.mtu,
                       .edges = {},
                       .tunnel_port = configuration.listen.port,
                       .public_ports = {}};
  for (const edge::PortRange& range : configuration.public_ports)
    for (unsigned port = range.low;
         port <= range.high && wishes.public_ports.size() < limits.ports_max; ++port)
      wishes.public_ports.push_back(static_cast<std::uint16_t>(port));
  const Findings more = tailnet_findings(tailnet_facts(configuration.program.tailscale), wishes);
  findings.insert(findings.end(), more.begin(), more.end());
}

void check_tailnet(const sidecar::SidecarConfiguration& configuration, Findings& findings) {
  TailnetWishes wishes{.program = configuration.program,
                       .mtu = configuration.tunnel.mtu,
                       .edges = sidecar::edge_addresses(configuration),
                       .public_ports = {}};
  for (const sidecar::ServiceConfiguration& service : configuration.services)
    for (const auto& [backend, weight] : service.backends)
      if (backend.unix_path.empty() && !IpAddress::parse(backend.host_port.host))
        wishes.names_backends = true;
  const Findings more = tailnet_findings(tailnet_facts(configuration.program.tailscale), wishes);
  findings.insert(findings.end(), more.begin(), more.end());
}

}  // namespace

Findings machine_findings(const edge::EdgeConfiguration& configuration,
                          const MachineCheckLimits& limits) {
  Findings findings;
  control::ProgramConfiguration program = configuration.program;
  if (!program.has_admin) program.admin.unix_path = admin_socket_to_make();
  check_folders(program, findings);
  check_state(configuration, findings);
  const bool runs = is_running(program.admin);
  if (!runs) check_ports(configuration, limits, findings);
  check_router(edge::with_files_in(configuration.router, program.state), runs, findings);
  check_tailnet(configuration, limits, findings);
  return findings;
}

Findings machine_findings(const sidecar::SidecarConfiguration& configuration,
                          const MachineCheckLimits& limits) {
  Findings findings;
  std::map<std::string, std::string> keys_by_host;
  const auto note = [&](const std::string& host, const std::string& key) {
    std::string& keys = keys_by_host[host];
    keys += (keys.empty() ? "" : ", ") + key;
  };
  for (std::size_t i = 0; i < configuration.edges.size(); ++i)
    for (const HostPort& endpoint : configuration.edges[i].endpoints)
      note(endpoint.host, "edges[" + std::to_string(i) + "]");
  for (const sidecar::ServiceConfiguration& service : configuration.services) {
    if (!configuration.acme.dns_hook && !configuration.acme.by_http)
      check_names_for_acme(service, findings);
    const std::string key = "services." + service.name + ".backend";
    for (const auto& [backend, weight] : service.backends) {
      if (backend.unix_path.empty())
        note(backend.host_port.host, key);
      else if (::access(backend.unix_path.c_str(), R_OK | W_OK) != 0)
        findings.push_back(key + ": this user cannot use the socket " + backend.unix_path +
                           "; is the backend running, and its socket's mode right?");
    }
  }
  if (configuration.docker && configuration.docker->unix_path.empty())
    note(configuration.docker->host_port.host, "docker.socket");
  else if (configuration.docker &&
           ::access(configuration.docker->unix_path.c_str(), R_OK | W_OK) != 0)
    findings.push_back("docker.socket: this user cannot use " + configuration.docker->unix_path +
                       "; is the engine running, and this user in the socket's group?");
  // Without a state folder or an admin socket a sidecar works; who wrote them down wants them.
  control::ProgramConfiguration wanted = configuration.program;
  if (!wanted.has_state && !sidecar::needs_state(configuration)) wanted.state.clear();
  if (!wanted.has_admin) wanted.admin.unix_path.clear();
  check_folders(wanted, findings);
  check_tailnet(configuration, findings);
  const Findings names = check_names(keys_by_host, limits);
  findings.insert(findings.end(), names.begin(), names.end());
  return findings;
}

}  // namespace sidestream::cli
