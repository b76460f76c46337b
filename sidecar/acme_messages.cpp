#include "sidecar/acme_messages.h"

#include <utility>

#include "control/json.h"
#include "sidecar/acme_settings.h"
#include "streams/message_text.h"
#include "streams/rfc3339.h"

namespace sidestream::sidecar {
namespace {

using control::Json;
using control::JsonArray;
using control::JsonObject;

constexpr std::size_t detail_bytes_max = 300;
constexpr std::size_t issuers_max = 16;
constexpr std::string_view error_prefix = "urn:ietf:params:acme:error:";

std::expected<Json, std::string> parse_object(std::string_view body) {
  auto json = control::parse_json(body, {.bytes_max = AcmeLimits::body_bytes_max});
  if (!json) return std::unexpected("is no JSON: " + json.error().what);
  if (json->object() == nullptr) return std::unexpected("is no JSON object");
  return std::move(*json);
}

const Json* member(const Json& json, std::string_view name) {
  return json.object() == nullptr ? nullptr : json.object()->find(name);
}

std::string text_at(const Json& json, std::string_view name) {
  const Json* value = member(json, name);
  return value != nullptr && value->text() != nullptr ? *value->text() : "";
}

// An address that may be asked; empty: there is none.
std::string url_at(const Json& json, std::string_view name) {
  std::string url = text_at(json, name);
  return parse_acme_url(url) ? url : "";
}

// Texts of a list, as far as they are texts.
std::vector<std::string> texts_at(const Json& json, std::string_view name) {
  std::vector<std::string> texts;
  const Json* value = member(json, name);
  const JsonArray* all = value == nullptr ? nullptr : value->array();
  if (all == nullptr) return texts;
  for (const Json& one : *all)
    if (one.text() != nullptr && texts.size() < issuers_max)
      texts.push_back(printable(*one.text(), detail_bytes_max));
  return texts;
}

std::string detail_of(const Json& problem) {
  return printable(text_at(problem, "detail"), detail_bytes_max);
}

std::string problem_at(const Json& json) {
  const Json* problem = member(json, "error");
  return problem == nullptr ? "" : detail_of(*problem);
}

}  // namespace

std::expected<AcmeDirectory, std::string> parse_directory(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  AcmeDirectory directory;
  directory.new_nonce = url_at(*json, "newNonce");
  directory.new_account = url_at(*json, "newAccount");
  directory.new_order = url_at(*json, "newOrder");
  directory.renewal_url = url_at(*json, "renewalInfo");
  if (directory.new_nonce.empty() || directory.new_account.empty() || directory.new_order.empty())
    return std::unexpected("is no directory of ACME (RFC 8555 section 7.1.1)");
  if (const Json* meta = member(*json, "meta")) {
    const Json* required = member(*meta, "externalAccountRequired");
    directory.binding_required =
        required != nullptr && required->boolean() != nullptr && *required->boolean();
    directory.issuers = texts_at(*meta, "caaIdentities");
    const Json* profiles = member(*meta, "profiles");
    if (profiles != nullptr && profiles->object() != nullptr)
      for (const auto& [name, explanation] : profiles->object()->members())
        directory.profiles.push_back(name);
  }
  return directory;
}

std::expected<AcmeOrder, std::string> parse_order(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  AcmeOrder order;
  order.status = text_at(*json, "status");
  order.finalize = url_at(*json, "finalize");
  order.certificate = url_at(*json, "certificate");
  order.problem = problem_at(*json);
  const Json* authorizations = member(*json, "authorizations");
  const JsonArray* all = authorizations == nullptr ? nullptr : authorizations->array();
  if (order.status.empty() || order.finalize.empty() || all == nullptr ||
      all->size() > AcmeLimits::authorizations_max)
    return std::unexpected("is no order of ACME (RFC 8555 section 7.1.3)");
  for (const Json& one : *all) {
    std::string url = url_at(Json(JsonObject{{"url", one}}), "url");
    if (url.empty()) return std::unexpected("names an authorization that cannot be asked");
    order.authorizations.push_back(std::move(url));
  }
  return order;
}

std::expected<AcmeAuthorization, std::string> parse_authorization(std::string_view body,
                                                                  std::string_view challenge) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  AcmeAuthorization authorization;
  authorization.status = text_at(*json, "status");
  if (const Json* identifier = member(*json, "identifier"))
    authorization.name = text_at(*identifier, "value");
  const Json* challenges = member(*json, "challenges");
  const JsonArray* all = challenges == nullptr ? nullptr : challenges->array();
  if (authorization.status.empty() || authorization.name.empty() || all == nullptr)
    return std::unexpected("is no authorization of ACME (RFC 8555 section 7.1.4)");
  for (const Json& one : *all) {
    if (std::string problem = problem_at(one); !problem.empty())
      authorization.problem = std::move(problem);
    if (text_at(one, "type") != challenge) continue;
    authorization.challenge = url_at(one, "url");
    authorization.token = text_at(one, "token");
  }
  return authorization;
}

AcmeProblem parse_problem(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return {.type = "", .detail = printable(body, detail_bytes_max)};
  std::string type = text_at(*json, "type");
  if (type.starts_with(error_prefix)) type.erase(0, error_prefix.size());
  AcmeProblem problem{.type = printable(type, detail_bytes_max), .detail = detail_of(*json)};
  // An order for several names says of each what is wrong with it (section 6.7.1).
  const Json* parts = member(*json, "subproblems");
  if (parts != nullptr && parts->array() != nullptr && !parts->array()->empty())
    problem.detail += "; " + detail_of(parts->array()->front());
  return problem;
}

std::expected<AcmeAccountFacts, std::string> parse_account_facts(std::string_view text) {
  const auto json = parse_object(text);
  if (!json) return std::unexpected(json.error());
  AcmeAccountFacts facts{.url = url_at(*json, "account"), .issuers = texts_at(*json, "issuers")};
  if (facts.url.empty()) return std::unexpected("names no account");
  return facts;
}

std::string serialize(const AcmeAccountFacts& facts) {
  JsonArray issuers;
  for (const std::string& one : facts.issuers) issuers.emplace_back(one);
  return serialize_json(JsonObject{{"account", facts.url}, {"issuers", std::move(issuers)}});
}

std::expected<AcmeRenewalWindow, std::string> parse_renewal(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return std::unexpected(json.error());
  const Json* window = member(*json, "suggestedWindow");
  const auto start = window == nullptr ? std::nullopt : parse_rfc3339(text_at(*window, "start"));
  const auto end = window == nullptr ? std::nullopt : parse_rfc3339(text_at(*window, "end"));
  if (!start || !end || *end <= *start)
    return std::unexpected("is no renewal information (RFC 9773 section 4.2)");
  return AcmeRenewalWindow{*start, *end};
}

}  // namespace sidestream::sidecar
