#include "cli/status_table.h"

#include <algorithm>
#include <ranges>
#include <utility>
#include <variant>

#include "cli/text_table.h"

namespace sidestream::cli {
namespace {

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string ago_text(const std::optional<Duration>& time) {
  return time ? amount_text(*time) + " ago" : "never";
}

std::string round_trip_text(const std::optional<Duration>& time) {
  return time ? amount_text(*time) : "-";
}

std::string heading(const std::string& program, const std::string& version, Duration uptime) {
  return "sidestream " + program + ' ' + version + ", up " + amount_text(uptime);
}

std::string plural(std::uint64_t count, const std::string& thing) {
  return count_text(count) + ' ' + thing + (count == 1 ? "" : "s");
}

// What concerns all endpoints of an edge stands in the edge's line.
std::string short_reason(const control::SidecarStatus& status,
                         const control::ServiceEndpointStatus& endpoint) {
  const auto edge =
      std::ranges::find(status.edges, endpoint.edge, &control::SidecarEdgeStatus::edge);
  const bool is_its_problem =
      edge != status.edges.end() && !edge->problem.empty() && edge->problem == endpoint.reason;
  return is_its_problem ? "see PROBLEM above" : endpoint.reason;
}

void add_refused(std::string& text, const control::EdgeStatus& status) {
  std::string list;
  for (const auto& [reason, streams] : status.refused) {
    if (streams == 0) continue;
    list += list.empty() ? "" : ", ";
    list += count_text(streams) + ' ' + reason;
  }
  if (!list.empty()) text += "refused: " + list + '\n';
}

void add_discovery(std::string& text, const control::DiscoveryStatus& docker) {
  text += "\nLabels of " + count_text(docker.containers) +
          (docker.containers == 1 ? " container at " : " containers at ") + docker.socket;
  if (!docker.connected) text += ", which cannot be read now: " + docker.problem;
  text += '\n';
  for (const std::string& problem : docker.problems) text += "  " + problem + '\n';
}

void add_predecessors(std::string& text,
                      const std::vector<control::PredecessorStatus>& predecessors) {
  for (const control::PredecessorStatus& one : predecessors)
    text += "process " + std::to_string(one.process) + ", version " + one.version +
            ", has handed over and still has " + plural(one.streams, "stream") + '\n';
}

std::string path_text(const control::TailnetPathStatus& path) {
  const std::string where = !path.endpoint.empty() ? "direct, " + path.endpoint
                            : !path.relay.empty()  ? "relayed by " + path.relay
                            : path.problem.empty() ? "not known yet"
                                                   : path.problem;
  return where + (path.round_trip ? ", " + amount_text(*path.round_trip) : "");
}

void add_tailnet(std::string& text, const std::optional<control::TailnetStatus>& tailnet) {
  if (!tailnet) return;
  text += "tailnet node " + or_dash(tailnet->name) + ", " + tailnet->state;
  for (const std::string& address : tailnet->addresses) text += ", " + address;
  if (tailnet->userspace) text += ", in user space";
  if (!tailnet->key_expiry.empty()) text += ", key until " + tailnet->key_expiry;
  text += '\n';
  if (!tailnet->problem.empty()) text += "TAILNET PROBLEM: " + tailnet->problem + '\n';
  for (const control::TailnetPathStatus& path : tailnet->paths)
    text += "tailnet path to " + path.peer + ": " + path_text(path) + '\n';
  for (const std::string& warning : tailnet->warnings) text += "tailnet warning: " + warning + '\n';
}

}  // namespace

std::string status_table(const control::Status& status) {
  return std::visit([](const auto& one) { return status_table(one); }, status);
}

std::string status_table(const control::EdgeStatus& status) {
  std::string text = heading("edge", status.version, status.uptime) + ", router " + status.router +
                     ", sidecars dial " + status.endpoint + '\n';
  text += "public key " + status.public_key + '\n';
  if (!status.tunnel_mode.empty()) text += "tunnel: " + status.tunnel_mode + '\n';
  text += "public " + status.public_address + " ports " + or_dash(status.public_ports) + ", " +
          plural(status.streams, "stream") + " open, " + count_text(status.streams_in_all) +
          " since the start\n";
  if (!status.router_problem.empty()) text += "ROUTER PROBLEM: " + status.router_problem + '\n';
  add_refused(text, status);
  add_predecessors(text, status.predecessors);
  add_tailnet(text, status.tailnet);

  if (status.sidecars.empty()) {
    return text +
           "\nNo sidecar is enrolled: `sidestream invite NAME --allow ENDPOINT` makes a "
           "ticket.\n";
  }
  TextTable sidecars({"SIDECAR", "STATE", "TUNNEL", "FROM", "HANDSHAKE", "HEARTBEAT", "ROUND TRIP",
                      "STREAMS", "RECEIVED", "SENT"});
  TextTable endpoints({"ENDPOINT", "SIDECAR", "SERVICE", "STATE", "WHY"});
  for (const control::EdgeSidecarStatus& sidecar : status.sidecars) {
    const control::TunnelStatus& tunnel = sidecar.tunnel;
    sidecars.add({sidecar.name, sidecar.present ? "here" : "away", sidecar.tunnel_address,
                  or_dash(tunnel.remote), ago_text(tunnel.last_handshake_ago),
                  ago_text(tunnel.last_heartbeat_ago), round_trip_text(tunnel.round_trip),
                  count_text(sidecar.streams), amount_text(tunnel.bytes_received),
                  amount_text(tunnel.bytes_sent)});
    for (const control::EdgeEndpointStatus& endpoint : sidecar.endpoints) {
      endpoints.add({endpoint.endpoint, sidecar.name, endpoint.service,
                     std::string(text_of(endpoint.state)), endpoint.reason});
    }
  }
  text += '\n' + sidecars.text();
  if (endpoints.empty()) return text + "\nNo sidecar publishes anything at the moment.\n";
  return text + '\n' + endpoints.text();
}

namespace {

// Where a service has several, for its line: `3 backends`, `2 of 3 healthy`.
std::string backend_cell(const control::ServiceStatus& service) {
  return service.backends.size() < 2 ? service.backend : plural(service.backends.size(), "backend");
}

std::string health_cell(const control::ServiceStatus& service) {
  if (service.backends.size() < 2) return service.health;
  const auto healthy =
      std::ranges::count(service.backends, "healthy", &control::BackendStatus::health);
  return count_text(static_cast<std::uint64_t>(healthy)) + " of " +
         count_text(service.backends.size()) + " healthy";
}

void add_backends(std::string& text, const control::SidecarStatus& status) {
  TextTable table({"BACKENDS OF", "BACKEND", "HEALTH", "STREAMS", "WHY"});
  for (const control::ServiceStatus& service : status.services) {
    if (service.backends.size() < 2) continue;
    std::string name = service.name;
    for (const control::BackendStatus& one : service.backends)
      table.add({std::exchange(name, ""), one.backend, one.health, count_text(one.streams),
                 one.health_reason});
  }
  if (!table.empty()) text += '\n' + table.text();
}

void add_certificates(std::string& text, const control::SidecarStatus& status) {
  TextTable table({"CERTIFICATE OF", "FROM", "NAMES", "VALID UNTIL", "SHA-256", "PROBLEM"});
  for (const control::ServiceStatus& service : status.services) {
    if (!service.certificate) continue;
    std::string problem = service.certificate->problem;
    if (service.certificate->chains.empty())
      table.add({service.name, service.certificate->source, "-", "-", "-", problem});
    for (const auto& chain : service.certificate->chains)
      table.add({service.name, service.certificate->source, chain.names, chain.until, chain.sha256,
                 std::exchange(problem, "")});
  }
  if (!table.empty()) text += '\n' + table.text();
}

// The document in JSON has all of them.
void add_bans(std::string& text, const std::vector<control::BannedNetwork>& bans) {
  constexpr std::size_t shown_max = 20;
  TextTable table({"BANNED", "FOR ANOTHER"});
  for (const control::BannedNetwork& one : bans | std::views::take(shown_max))
    table.add({one.network.text(), amount_text(Duration(one.left))});
  if (table.empty()) return;
  text += '\n' + table.text();
  if (bans.size() > shown_max) text += "and " + count_text(bans.size() - shown_max) + " more\n";
}

}  // namespace

std::string status_table(const control::SidecarStatus& status) {
  std::string text = heading("sidecar", status.version, status.uptime) + '\n';
  add_predecessors(text, status.predecessors);
  add_tailnet(text, status.tailnet);

  // A program of before there were any says nothing.
  const bool has_modes =
      std::ranges::any_of(status.edges, [](const auto& edge) { return !edge.tunnel_mode.empty(); });
  TextTable edges({"EDGE", "TUNNEL", has_modes ? "MODE" : "", "ADDRESS", "HANDSHAKE", "HEARTBEAT",
                   "ROUND TRIP", "RECEIVED", "SENT", "PROBLEM"});
  for (const control::SidecarEdgeStatus& edge : status.edges) {
    const control::TunnelStatus& tunnel = edge.tunnel;
    edges.add({edge.edge, edge.tunnel_state, has_modes ? or_dash(edge.tunnel_mode) : "",
               or_dash(tunnel.remote), ago_text(tunnel.last_handshake_ago),
               ago_text(tunnel.last_heartbeat_ago), round_trip_text(tunnel.round_trip),
               amount_text(tunnel.bytes_received), amount_text(tunnel.bytes_sent), edge.problem});
  }
  text += '\n' + (edges.empty() ? std::string("No edge is configured.\n") : edges.text());

  const bool several_edges = status.edges.size() > 1;
  TextTable services({"SERVICE", "BACKEND", "HEALTH", "STREAMS", "ENDPOINT",
                      several_edges ? "EDGE" : "", "STATE", "WHY"});
  for (const control::ServiceStatus& service : status.services) {
    std::vector<std::string> first{service.name, backend_cell(service), health_cell(service),
                                   count_text(service.streams)};
    if (service.endpoints.empty()) {
      first.insert(first.end(), {"-", "", "-", service.health_reason});
      services.add(std::move(first));
      continue;
    }
    for (const control::ServiceEndpointStatus& endpoint : service.endpoints) {
      // What concerns the service stands in its first line only.
      std::vector<std::string> cells = std::exchange(first, std::vector<std::string>(4));
      cells.insert(cells.end(),
                   {endpoint.endpoint, several_edges ? endpoint.edge : "",
                    std::string(text_of(endpoint.state)), short_reason(status, endpoint)});
      services.add(std::move(cells));
    }
  }
  const std::string none = status.docker ? "No container offers a service at the moment.\n"
                                         : "No service is configured.\n";
  text += '\n' + (services.empty() ? none : services.text());
  add_backends(text, status);
  add_certificates(text, status);
  if (status.docker) add_discovery(text, *status.docker);
  add_bans(text, status.bans);
  return text;
}

}  // namespace sidestream::cli
