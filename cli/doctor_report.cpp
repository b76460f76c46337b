#include "cli/doctor_report.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace sidestream::cli {
namespace {

using Kind = Finding::Kind;
using Findings = std::vector<Finding>;

constexpr std::array<std::string_view, 3> words{"good", "warning", "problem"};

void add_endpoints(const control::ServiceStatus& service, Findings& findings) {
  using control::PublishState;
  for (const control::ServiceEndpointStatus& one : service.endpoints) {
    const std::string what = one.endpoint + " at " + one.edge + ": ";
    const std::string state =
        std::string(control::text_of(one.state)) + (one.reason.empty() ? "" : ", " + one.reason);
    if (one.state == PublishState::published || one.state == PublishState::by_name)
      findings.push_back({Kind::good, what + state});
    else if (one.state == PublishState::waiting)
      findings.push_back({Kind::warning, what + state});
    else
      findings.push_back({Kind::problem, what + state});
  }
}

void add_service(const control::ServiceStatus& service, Findings& findings) {
  const std::string what = service.name + ": ";
  const bool healthy = service.health == "healthy";
  findings.push_back({healthy ? Kind::good : Kind::problem,
                      what + "the backend " + service.backend + " is " + service.health +
                          (service.health_reason.empty() ? "" : ": " + service.health_reason)});
  if (service.certificate) {
    const control::CertificateStatus& certificate = *service.certificate;
    for (const auto& chain : certificate.chains)
      findings.push_back({Kind::good, what + "certificate (" + certificate.source + ") for " +
                                          chain.names + " until " + chain.until});
    if (!certificate.problem.empty())
      findings.push_back(
          {certificate.chains.empty() ? Kind::problem : Kind::warning,
           what + "certificate (" + certificate.source + "): " + certificate.problem});
  }
  add_endpoints(service, findings);
}

void add_tailnet(const std::optional<control::TailnetStatus>& tailnet, Findings& findings) {
  if (!tailnet) return;
  const std::string what = "tailnet " + tailnet->name + ": ";
  if (tailnet->problem.empty())
    findings.push_back({Kind::good, what + tailnet->state + ", Tailscale " + tailnet->version});
  else
    findings.push_back({Kind::warning, what + tailnet->problem});
  for (const control::TailnetPathStatus& path : tailnet->paths)
    if (!path.relay.empty())
      findings.push_back({Kind::warning, what + "the path to " + path.peer + " is relayed by " +
                                             path.relay + ", which is slow; is UDP let through?"});
  for (const std::string& warning : tailnet->warnings)
    findings.push_back({Kind::warning, what + warning});
}

Findings findings_of_sidecar(const control::SidecarStatus& status) {
  Findings findings;
  for (const control::SidecarEdgeStatus& edge : status.edges) {
    const bool up = edge.tunnel_state == "up";
    findings.push_back({up ? Kind::good : Kind::problem,
                        "tunnel to " + edge.edge + ": " + edge.tunnel_state +
                            (up || !edge.problem.empty()
                                 ? ""
                                 : "; do UDP packets reach it, and is the ticket still good?")});
    if (!edge.problem.empty())
      findings.push_back({Kind::problem, "edge " + edge.edge + ": " + edge.problem});
    if (!edge.edge_version.empty() && edge.edge_version != status.version)
      findings.push_back({Kind::warning, "edge " + edge.edge + " has version " + edge.edge_version +
                                             ", this sidecar " + status.version});
  }
  for (const control::ServiceStatus& service : status.services) add_service(service, findings);
  add_tailnet(status.tailnet, findings);
  if (!status.docker) return findings;
  if (!status.docker->connected)
    findings.push_back(
        {Kind::problem, "docker " + status.docker->socket + ": " + status.docker->problem});
  for (const std::string& problem : status.docker->problems)
    findings.push_back({Kind::warning, problem});
  return findings;
}

Findings findings_of_edge(const control::EdgeStatus& status) {
  Findings findings;
  add_tailnet(status.tailnet, findings);
  if (status.sidecars.empty())
    findings.push_back(
        {Kind::warning, "no sidecar is enrolled; `sidestream invite` makes a ticket"});
  for (const control::EdgeSidecarStatus& sidecar : status.sidecars) {
    findings.push_back({sidecar.present ? Kind::good : Kind::warning,
                        "sidecar " + sidecar.name + (sidecar.present ? " is here" : " is away")});
    for (const control::EdgeEndpointStatus& one : sidecar.endpoints)
      if (one.state == control::EndpointState::refused)
        findings.push_back(
            {Kind::problem, one.endpoint + " of " + sidecar.name + " is refused: " + one.reason});
  }
  return findings;
}

}  // namespace

Findings findings_of(const control::Status& status) {
  if (const auto* edge = std::get_if<control::EdgeStatus>(&status)) return findings_of_edge(*edge);
  return findings_of_sidecar(std::get<control::SidecarStatus>(status));
}

std::string report_text(std::span<const Finding> findings) {
  std::string text;
  std::array<std::size_t, 3> counts{};
  for (const Kind kind : {Kind::good, Kind::warning, Kind::problem}) {
    const std::string_view word = words.at(std::to_underlying(kind));
    for (const Finding& one : findings) {
      if (one.kind != kind) continue;
      ++counts.at(std::to_underlying(kind));
      text.append(word).append(": ").append(one.text).append("\n");
    }
  }
  const auto count = [&](Kind kind) { return std::to_string(counts.at(std::to_underlying(kind))); };
  return text + count(Kind::problem) + " problems, " + count(Kind::warning) + " warnings, " +
         count(Kind::good) + " good\n";
}

}  // namespace sidestream::cli
