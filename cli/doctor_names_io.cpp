#include "cli/doctor_names_io.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "sidecar/acme_client_io.h"
#include "streams/state_file_io.h"

namespace sidestream::cli {
namespace {

using Kind = Finding::Kind;

std::string text_of_all(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& one : addresses) text += (text.empty() ? "" : ", ") + one.text();
  return text;
}

std::optional<ServerName> parent_of(const ServerName& name) {
  const std::size_t dot = name.text().find('.');
  if (dot == std::string::npos) return std::nullopt;
  auto parent = ServerName::parse(name.text().substr(dot + 1));
  return parent ? std::optional(std::move(*parent)) : std::nullopt;
}

bool is_from_authority(const sidecar::ServiceConfiguration& service) {
  return service.tls == sidecar::TlsMode::terminate &&
         service.tls_settings.certificate.kind == sidecar::CertificateSource::Kind::acme;
}

}  // namespace

CaaWish caa_wish(const sidecar::SidecarConfiguration& configuration) {
  CaaWish wish;
  if (configuration.acme.dns_hook) wish.method = "dns-01";
  if (configuration.acme.by_http) wish.method = "http-01";
  const StateFolder state(configuration.program.state);
  const auto kept = state.read(sidecar::account_facts_file(configuration.acme.directory));
  if (!kept || !*kept) return wish;
  if (auto facts = sidecar::parse_account_facts(**kept)) {
    wish.account = std::move(facts->url);
    wish.issuers = std::move(facts->issuers);
  }
  return wish;
}

void NameDoctor::tell(Kind kind, std::string text) {
  findings_.push_back({kind, std::move(text)});
}

Task<std::expected<std::vector<IpAddress>, std::string>> NameDoctor::addresses_of(ServerName name) {
  std::vector<IpAddress> all;
  for (const DnsType type : {DnsType::a, DnsType::aaaa}) {
    const auto answer = co_await client_.ask(name, type);
    if (!answer) co_return std::unexpected(answer.error());
    all.insert(all.end(), answer->addresses.begin(), answer->addresses.end());
  }
  co_return std::move(all);
}

Task<> NameDoctor::find_edges(const sidecar::SidecarConfiguration& configuration) {
  for (const sidecar::EdgeEntry& edge : configuration.edges)
    for (const HostPort& endpoint : edge.endpoints) {
      if (const auto address = IpAddress::parse(endpoint.host)) {
        edges_.push_back(*address);
        continue;
      }
      const auto name = ServerName::parse(endpoint.host);
      if (!name) continue;
      const auto found = co_await addresses_of(*name);
      if (found) edges_.insert(edges_.end(), found->begin(), found->end());
    }
}

Task<> NameDoctor::examine_address(ServerName name) {
  const auto found = co_await addresses_of(name);
  if (!found) {
    tell(Kind::problem, name.text() + ": " + found.error());
    co_return;
  }
  const bool leads_here = std::ranges::any_of(
      *found, [&](const IpAddress& one) { return std::ranges::find(edges_, one) != edges_.end(); });
  if (found->empty())
    tell(Kind::problem, name.text() + " has no address in DNS; let it lead to the edge" +
                            (edges_.empty() ? "" : ", " + text_of_all(edges_)));
  else if (leads_here)
    tell(Kind::good, name.text() + " leads to the edge, " + text_of_all(*found));
  else
    tell(Kind::warning,
         name.text() + " leads to " + text_of_all(*found) +
             (edges_.empty() ? "; the address of the edge is not known"
                             : ", and sidecars dial the edge at " + text_of_all(edges_) +
                                   "; is that the same host?"));
}

// The records that count are those of the name or of the first parent that has any (RFC 8659
// section 3).
Task<> NameDoctor::examine_caa(ServerName name) {
  CaaWish wish = wish_;
  wish.name = name.text();
  std::vector<CaaRecord> records;
  for (std::optional<ServerName> at = name; at && records.empty(); at = parent_of(*at)) {
    auto answer = co_await client_.ask(*at, DnsType::caa);
    if (answer && answer->code != 0 && answer->code != DnsAnswer::no_such_name)
      answer = std::unexpected("its name servers answer with an error (" +
                               std::to_string(answer->code) + ")");
    if (!answer) {
      tell(Kind::problem, at->text() +
                              ": whether there is a CAA record cannot be found out, and an "
                              "authority gives nothing then: " +
                              answer.error());
      co_return;
    }
    records = std::move(answer->caa);
  }
  const CaaJudgement judgement = judge_caa(records, wish);
  const std::string advice =
      wish.account.empty()
          ? "; what to write is known after the first certificate"
          : "; write into its zone: " + caa_line(wish) +
                (wish.issuers.empty() ? " (AUTHORITY: as yours says for CAA)" : "");
  const bool closed = judgement.kind == CaaJudgement::Kind::closed;
  const bool forbidden = judgement.kind == CaaJudgement::Kind::forbidden;
  tell(closed      ? Kind::good
       : forbidden ? Kind::problem
                   : Kind::warning,
       wish.name + " " + judgement.why + (closed ? "" : advice));
}

Task<std::vector<Finding>> NameDoctor::examine(const sidecar::SidecarConfiguration& configuration) {
  co_await find_edges(configuration);
  std::vector<ServerName> seen;
  for (const sidecar::ServiceConfiguration& service : configuration.services)
    for (const control::Endpoint& endpoint : service.publish) {
      if (!endpoint.name || endpoint.name->is_wildcard()) continue;
      if (std::ranges::find(seen, *endpoint.name) != seen.end()) continue;
      seen.push_back(*endpoint.name);
      co_await examine_address(*endpoint.name);
      if (is_from_authority(service)) co_await examine_caa(*endpoint.name);
    }
  co_return std::move(findings_);
}

}  // namespace sidestream::cli
