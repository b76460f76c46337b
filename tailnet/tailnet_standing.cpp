#include "tailnet/tailnet_standing.h"

#include <algorithm>
#include <utility>

#include "streams/quantity.h"

namespace sidestream::tailnet {
namespace {

constexpr std::chrono::days warn_before{14};
constexpr std::chrono::days warn_every{1};
constexpr std::string_view warming_up = "warming-up";

bool has_code(const std::vector<HealthWarning>& warnings, std::string_view code) {
  return std::ranges::find(warnings, code, &HealthWarning::code) != warnings.end();
}

}  // namespace

void TailnetStanding::handle_absent() {
  reach_ = Reach::absent;
  warnings_.clear();
}

void TailnetStanding::handle_no_answer(std::string why) {
  reach_ = Reach::no_answer;
  why_ = std::move(why);
  warnings_.clear();
}

void TailnetStanding::handle_status(DaemonStatus status) {
  reach_ = Reach::answers;
  status_ = std::move(status);
}

bool TailnetStanding::handle_bus(const BusMessage& message) {
  if (message.warnings) warnings_ = *message.warnings;
  return message.state || message.self || message.auth_url || !message.error.empty();
}

BackendState TailnetStanding::state() const {
  return reach_ == Reach::answers ? status_.state : BackendState::unknown;
}

std::vector<HealthWarning> TailnetStanding::warnings() const {
  return has_code(warnings_, warming_up) ? std::vector<HealthWarning>() : warnings_;
}

std::string TailnetStanding::problem_of_state() const {
  switch (status_.state) {
    case BackendState::needs_login:
      return "the Tailscale node has to log in" +
             (status_.auth_url.empty() ? ": `tailscale up` there" : " at " + status_.auth_url);
    case BackendState::needs_machine_auth:
      return "the Tailscale node waits for an administrator of the tailnet to approve it";
    case BackendState::stopped:
      return "the Tailscale node is stopped; `tailscale up` starts it";
    case BackendState::in_use_other_user:
      return "the Tailscale daemon is in use by another user of that machine";
    case BackendState::no_state:
    case BackendState::starting:
      return "the Tailscale daemon is starting";
    case BackendState::running:
      return status_.self.addresses.empty() ? "the Tailscale node has no address yet" : "";
    case BackendState::unknown:
      break;
  }
  return "the Tailscale daemon is in a state that this version does not know";
}

std::string TailnetStanding::problem() const {
  if (reach_ == Reach::not_asked) return "the Tailscale daemon has not answered yet";
  if (reach_ == Reach::absent)
    return "there is no socket of a Tailscale daemon; is it running, and is the folder of its "
           "socket mounted here?";
  if (reach_ == Reach::no_answer) return "the Tailscale daemon does not answer: " + why_;
  if (status_.self.expired)
    return "the key of the Tailscale node has expired; `tailscale up --force-reauth` renews it";
  if (std::string problem = problem_of_state(); !problem.empty()) return problem;
  const std::vector<HealthWarning> now = warnings();
  const auto serious = std::ranges::find_if(now, &HealthWarning::impacts_connectivity);
  return serious == now.end() ? "" : "Tailscale says: " + serious->text;
}

std::optional<std::string> TailnetStanding::poll_key_warning(WallTime now) {
  const auto& expiry = status_.self.key_expiry;
  if (reach_ != Reach::answers || !expiry || status_.self.expired) return std::nullopt;
  if (*expiry - now > warn_before || *expiry < now) return std::nullopt;
  if (key_warned_ && now - *key_warned_ < warn_every && now >= *key_warned_) return std::nullopt;
  key_warned_ = now;
  return "the key of the Tailscale node expires at " + minute_text(*expiry) +
         "; renew it with `tailscale up --force-reauth`, or switch expiry off for this node";
}

control::TailnetStatus TailnetStanding::document(const std::string& socket) const {
  control::TailnetStatus document;
  document.socket = socket;
  document.state = text_of(state());
  document.problem = problem();
  document.version = status_.version;
  document.name = status_.self.name;
  for (const IpAddress& address : status_.self.addresses)
    document.addresses.push_back(address.text());
  document.userspace = !status_.tun;
  if (status_.self.key_expiry) document.key_expiry = minute_text(*status_.self.key_expiry);
  for (const HealthWarning& one : warnings())
    document.warnings.push_back(one.title.empty() ? one.text : one.title + ": " + one.text);
  return document;
}

}  // namespace sidestream::tailnet
