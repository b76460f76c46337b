#include "sidecar/acme_order_dialogue.h"

#include <algorithm>
#include <utility>

#include "control/json.h"
#include "streams/base64.h"
#include "streams/message_text.h"
#include "streams/quantity.h"

namespace sidestream::sidecar {
namespace {

using control::HttpResponse;
using control::Json;
using control::JsonArray;
using control::JsonObject;

constexpr unsigned client_error = 400;
constexpr unsigned too_many_requests = 429;
constexpr unsigned server_error = 500;
constexpr std::string_view nothing = "{}";
// An authority that wants more than this does not mean us.
constexpr std::int64_t retry_seconds_max = 30L * 24 * 3600;

std::string field(const HttpResponse& response, std::string_view name) {
  const std::string* value = control::find_field(response.fields, name);
  return value == nullptr ? "" : *value;
}

bool is_over(const std::string& status) {
  return status != "pending" && status != "processing" && status != "ready";
}

}  // namespace

std::optional<Duration> retry_after_of(const HttpResponse& response) {
  const auto seconds = parse_whole_number(field(response, "retry-after"));
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, retry_seconds_max));
}

AcmeOrderDialogue::AcmeOrderDialogue(AcmeOrderWish wish, const TlsAccountKey& account,
                                     Bytes request, const AcmeOrderLimits& limits)
    : wish_(std::move(wish)), account_(account), request_(request), limits_(limits) {}

AcmeAction AcmeOrderDialogue::fail(std::string why, AcmeFailure::Kind kind) {
  return {.kind = AcmeAction::Kind::failed,
          .failure = {.kind = kind, .why = std::move(why), .retry_after = std::nullopt}};
}

AcmeAction AcmeOrderDialogue::resume(Event event) {
  switch (event.kind) {
    case Event::Kind::unreachable:
      return fail("the authority does not answer: " + event.why, AcmeFailure::Kind::unreachable);
    case Event::Kind::not_shown:
      return fail(event.why, AcmeFailure::Kind::unreachable);
    case Event::Kind::response:
      return handle_response(event.response);
    case Event::Kind::carried_out:
      break;
  }
  if (!std::exchange(begun_, true)) return enter(Step::directory);
  return step_ == Step::show ? enter(Step::challenge) : ask();
}

// ---- requests ----------------------------------------------------------------------------------

AcmeAction AcmeOrderDialogue::enter(Step step) {
  step_ = step;
  polls_ = 0;
  return ask();
}

// The request of the step; asked again, it is the next poll.
AcmeAction AcmeOrderDialogue::ask() {
  switch (step_) {
    case Step::directory:
      return {.kind = AcmeAction::Kind::get, .url = wish_.directory};
    case Step::account:
      return post(directory_.new_account, account_payload());
    case Step::order:
      return post(directory_.new_order, order_payload());
    case Step::authorization:
      return post(order_.authorizations[index_], "");
    case Step::show:
      break;
    case Step::challenge:
      return post(pending_[index_].authorization.challenge, std::string(nothing));
    case Step::poll_authorization:
      return post(pending_[index_].url, "");
    case Step::finalize:
      return post(order_.finalize,
                  serialize_json(JsonObject{{"csr", serialize_base64url(request_)}}));
    case Step::poll_order:
      return post(order_url_, "");
    case Step::certificate:
      return post(order_.certificate, "");
  }
  AcmeAction action{.kind = AcmeAction::Kind::show};
  for (const Pending& one : pending_) {
    const std::string key_authorization = one.authorization.token + '.' + account_.thumbprint();
    action.challenges.push_back({.name = one.authorization.name,
                                 .digest = sha256_of(key_authorization),
                                 .token = one.authorization.token,
                                 .key_authorization = key_authorization});
  }
  return action;
}

AcmeAction AcmeOrderDialogue::post(std::string url, std::string payload) {
  url_ = std::move(url);
  payload_ = std::move(payload);
  return seal();
}

AcmeAction AcmeOrderDialogue::seal() {
  fetching_nonce_ = nonce_.empty();
  if (fetching_nonce_) return {.kind = AcmeAction::Kind::get, .url = directory_.new_nonce};
  const std::string nonce = std::exchange(nonce_, {});
  return {
      .kind = AcmeAction::Kind::post,
      .url = url_,
      .body = seal_envelope(
          account_, {.url = url_, .nonce = nonce, .account = account_url_, .payload = payload_})};
}

std::string AcmeOrderDialogue::account_payload() const {
  JsonObject account{{"termsOfServiceAgreed", true}};
  if (!wish_.email.empty()) account.add("contact", JsonArray{Json("mailto:" + wish_.email)});
  if (wish_.binding)
    account.add("externalAccountBinding", *control::parse_json(seal_binding(
                                              *wish_.binding, account_, directory_.new_account)));
  return serialize_json(std::move(account));
}

std::string AcmeOrderDialogue::order_payload() const {
  JsonArray identifiers;
  for (const std::string& name : wish_.names)
    identifiers.emplace_back(JsonObject{{"type", "dns"}, {"value", name}});
  JsonObject order{{"identifiers", std::move(identifiers)}};
  if (!wish_.profile.empty()) order.add("profile", wish_.profile);
  // RFC 9773 section 5; an authority without it may refuse fields that it does not know.
  if (!wish_.replaces.empty() && !directory_.renewal_url.empty())
    order.add("replaces", wish_.replaces);
  return serialize_json(std::move(order));
}

// ---- responses ---------------------------------------------------------------------------------

AcmeAction AcmeOrderDialogue::handle_response(const HttpResponse& response) {
  if (std::string nonce = field(response, "replay-nonce"); !nonce.empty())
    nonce_ = std::move(nonce);
  if (response.status >= client_error) return handle_error(response);
  if (std::exchange(fetching_nonce_, false)) {
    if (nonce_.empty()) return fail("the authority gives no nonce");
    return seal();
  }
  bad_nonces_ = 0;
  switch (step_) {
    case Step::directory:
      return handle_directory(response.body);
    case Step::account:
      account_url_ = field(response, "location");
      if (account_url_.empty()) return fail("the authority does not name the account");
      return enter(Step::order);
    case Step::order:
      order_url_ = field(response, "location");
      if (order_url_.empty()) return fail("the authority does not name the order");
      return handle_order(response);
    case Step::authorization:
      return handle_authorization(response);
    case Step::show:
      break;
    case Step::challenge:
      if (++index_ < pending_.size()) return ask();
      index_ = 0;
      step_ = Step::poll_authorization;
      return wait_and_ask(response);
    case Step::poll_authorization:
      return handle_poll(response);
    case Step::finalize:
      step_ = Step::poll_order;
      return handle_order(response);
    case Step::poll_order:
      return handle_order(response);
    case Step::certificate:
      return {.kind = AcmeAction::Kind::done, .body = response.body};
  }
  return fail("the authority answers what nobody asked");
}

AcmeAction AcmeOrderDialogue::handle_error(const HttpResponse& response) {
  const AcmeProblem problem = parse_problem(response.body);
  const bool again = problem.type == "badNonce" && !fetching_nonce_ && step_ != Step::directory;
  if (again && ++bad_nonces_ <= limits_.bad_nonces_max) return seal();
  // What was proven a moment ago may not be known everywhere yet.
  if (problem.type == "orderNotReady" && step_ == Step::finalize && polls_ < limits_.polls_max)
    return wait_and_ask(response);
  const bool limited = response.status == too_many_requests || problem.type == "rateLimited";
  // What is replaced may have been replaced already, by a certificate that was lost on the way.
  const bool replaces = step_ == Step::order && !wish_.replaces.empty() && !fetching_nonce_;
  if (replaces && !again && !limited && response.status < server_error) {
    wish_.replaces.clear();
    return enter(Step::order);
  }
  const auto kind = limited                                    ? AcmeFailure::Kind::limited
                    : response.status >= server_error || again ? AcmeFailure::Kind::unreachable
                                                               : AcmeFailure::Kind::refused;
  AcmeAction action = fail(
      "the authority refuses: " +
          (problem.detail.empty() ? "status " + std::to_string(response.status) : problem.detail) +
          (problem.type.empty() ? "" : " (" + problem.type + ")"),
      kind);
  action.failure.retry_after = retry_after_of(response);
  return action;
}

AcmeAction AcmeOrderDialogue::handle_directory(const std::string& body) {
  auto directory = parse_directory(body);
  if (!directory) return fail("what is at `directory` " + directory.error());
  directory_ = std::move(*directory);
  if (directory_.binding_required && !wish_.binding)
    return fail("the authority wants an account that it knows; write `eab` with what it gave you");
  const auto& known = directory_.profiles;
  if (!wish_.profile.empty() && std::ranges::find(known, wish_.profile) == known.end()) {
    std::string all;
    for (const std::string& one : known) all += (all.empty() ? "" : ", ") + printable(one, 100);
    return fail("the authority has no profile " + in_quotes(wish_.profile) +
                (all.empty() ? ", nor any other" : "; it has " + all));
  }
  return enter(Step::account);
}

AcmeAction AcmeOrderDialogue::handle_order(const HttpResponse& response) {
  auto order = parse_order(response.body);
  if (!order) return fail("the authority's answer " + order.error());
  order_ = std::move(*order);
  if (order_.status == "invalid")
    return fail("the authority refuses the order" +
                (order_.problem.empty() ? "" : ": " + order_.problem));
  if (order_.status == "valid") {
    if (order_.certificate.empty()) return fail("the authority does not say where the chain is");
    return enter(Step::certificate);
  }
  if (step_ == Step::poll_order) {
    // What was finalized a moment ago may still be called ready.
    if (polls_ >= limits_.polls_max)
      return fail("the authority makes no certificate", AcmeFailure::Kind::unreachable);
    return wait_and_ask(response);
  }
  index_ = 0;
  pending_.clear();
  if (order_.status == "ready" || order_.authorizations.empty()) return enter(Step::finalize);
  return enter(Step::authorization);
}

AcmeAction AcmeOrderDialogue::handle_authorization(const HttpResponse& response) {
  auto authorization = parse_authorization(response.body, wish_.challenge);
  if (!authorization) return fail("the authority's answer " + authorization.error());
  const std::string& name = authorization->name;
  if (authorization->status == "pending") {
    if (authorization->challenge.empty() || authorization->token.empty())
      return fail("the authority does not offer " + wish_.challenge + " for " +
                  printable(name, 253));
    pending_.push_back({order_.authorizations[index_], std::move(*authorization)});
  } else if (authorization->status != "valid") {
    return fail("the authorization of " + printable(name, 253) + " is " +
                printable(authorization->status, 20));
  }
  if (++index_ < order_.authorizations.size()) return ask();
  index_ = 0;
  return pending_.empty() ? enter(Step::finalize) : enter(Step::show);
}

AcmeAction AcmeOrderDialogue::handle_poll(const HttpResponse& response) {
  const auto authorization = parse_authorization(response.body, wish_.challenge);
  if (!authorization) return fail("the authority's answer " + authorization.error());
  if (!is_over(authorization->status)) {
    if (polls_ < limits_.polls_max) return wait_and_ask(response);
    return fail("the authority does not come to look at " + printable(authorization->name, 253),
                AcmeFailure::Kind::unreachable);
  }
  if (authorization->status != "valid")
    return fail("the authority could not see that " + printable(authorization->name, 253) +
                " is served here: " +
                (authorization->problem.empty() ? authorization->status : authorization->problem));
  polls_ = 0;
  if (++index_ < pending_.size()) return ask();
  return enter(Step::finalize);
}

AcmeAction AcmeOrderDialogue::wait_and_ask(const HttpResponse& response) {
  ++polls_;
  return {.kind = AcmeAction::Kind::wait,
          .wait = std::min(retry_after_of(response).value_or(limits_.poll_interval),
                           limits_.poll_interval_max)};
}

}  // namespace sidestream::sidecar
