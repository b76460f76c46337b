#include "sidecar/service_acme_io.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "streams/base64.h"
#include "streams/join_io.h"
#include "streams/message_text.h"
#include "streams/quantity.h"
#include "streams/tls_request.h"
#include "streams/tls_self_signed.h"

namespace sidestream::sidecar {
namespace {

// The wall clock may jump, so it is looked at again and again.
constexpr Duration look_every = 1min;
constexpr Duration reachable_every = 1s;
// For the resolvers and edges of the world to know what was published just now.
constexpr Duration after_publishing = 2s;

std::string id_of(std::vector<std::string> names, const std::string& directory) {
  std::ranges::sort(names);
  std::string all = directory;
  for (const std::string& name : names) all += '\n' + name;
  constexpr std::size_t shown = 16;
  return serialize_base64url(sha256_of(all)).substr(0, shown);
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

ServiceAcme::ServiceAcme(Network& network, AcmeClient& client, const StateFolder& state,
                         TlsServer& server, std::vector<std::string> names, std::string directory,
                         Callbacks callbacks)
    : network_(network),
      client_(client),
      state_(state),
      server_(server),
      names_(std::move(names)),
      id_(id_of(names_, directory)),
      callbacks_(std::move(callbacks)) {}

// `acme-NAME-ID.pem`: the name is for people.
std::string ServiceAcme::file(std::string_view kind) const {
  std::string file = "acme-" + names_.front() + '-' + id_ + std::string(kind);
  std::ranges::replace(file, '*', '_');
  return file;
}

std::expected<std::optional<TlsCertificate>, std::string> ServiceAcme::load() const {
  auto kept = state_.read(file(".pem"));
  if (!kept) return std::unexpected(kept.error());
  if (!*kept) return std::nullopt;
  const SecretText pem(std::move(**kept));
  auto certificate = TlsCertificate::parse(pem.reveal(), pem.reveal());
  // Another one can be had, so that this is no reason to stop.
  if (!certificate) return std::nullopt;
  return std::optional<TlsCertificate>(std::move(*certificate));
}

void ServiceAcme::set_problem(std::string problem) {
  if (problem == problem_) return;
  problem_ = std::move(problem);
  callbacks_.changed();
}

void ServiceAcme::hurry() {
  hurried_ = true;
  hurry_.notify_all();
}

Task<> ServiceAcme::pause(Duration time) {
  if (hurried_) co_return;
  Task<> sleeping = network_.timers().sleep_for(time);
  Task<> hurrying = hurry_.wait();
  co_await first_of(std::move(sleeping), std::move(hurrying));
}

// ---- when --------------------------------------------------------------------------------------

void ServiceAcme::plan() {
  const auto kept = load();
  due_.reset();
  renewal_name_.clear();
  if (!kept) {
    set_problem(kept.error());
  } else if (*kept) {
    const TlsCertificateFacts& facts = (*kept)->facts();
    life_ = facts.not_after - facts.not_before;
    due_ = renewal_time(facts.not_before, facts.not_after, network_.random());
    renewal_name_ = renewal_name(**kept);
  }
  ask_at_ = network_.timers().now();
}

// Restarting is no way around the authority's limits.
std::expected<void, std::string> ServiceAcme::keep_pause(WallTime until, unsigned failures) const {
  return state_.write(file(".pause"),
                      std::to_string(seconds_of(until)) + ' ' + std::to_string(failures) + '\n');
}

void ServiceAcme::restore_pause() {
  const auto kept = state_.read(file(".pause"));
  if (!kept || !*kept) return;
  const std::string& text = **kept;
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return;
  const auto until = parse_whole_number(std::string_view(text).substr(0, space));
  const auto failures = parse_whole_number(without_final_newline(text.substr(space + 1)));
  constexpr std::int64_t failures_max = 100;
  if (!until || !failures) return;
  failures_ = static_cast<unsigned>(std::min(*failures, failures_max));
  const WallTime now = network_.timers().wall_now();
  const WallTime end{std::chrono::seconds(*until)};
  // A clock that was wrong then must not hold us up for years.
  constexpr Duration pause_max = std::chrono::days(31);
  if (end > now && end < now + pause_max) {
    paused_ = end;
    if (failures_ > 0)
      set_problem("an earlier attempt failed; the next one is at " + minute_text(end));
  }
}

void ServiceAcme::handle_failure(const AcmeFailure& failure) {
  ++failures_;
  const Duration delay = retry_delay(failure, failures_, network_.random());
  paused_ = network_.timers().wall_now() + delay;
  (void)keep_pause(*paused_, failures_);
  set_problem(failure.why + "; the next attempt is at " + minute_text(*paused_));
}

Task<> ServiceAcme::ask_when_to_renew() {
  if (renewal_name_.empty() || network_.timers().now() < ask_at_) co_return;
  const auto answer = co_await client_.ask_renewal(renewal_name_);
  ask_at_ = network_.timers().now() + ask_delay(answer.ask_again);
  if (answer.window) due_ = renewal_time(*answer.window, network_.random());
}

Task<> ServiceAcme::wait_until_due() {
  for (;;) {
    co_await ask_when_to_renew();
    const WallTime now = network_.timers().wall_now();
    const bool due = !due_ || now >= *due_;
    const bool may = !paused_ || now >= *paused_;
    const bool hurried = std::exchange(hurried_, false);
    if (due && (may || hurried)) co_return;
    const WallTime next = std::max(due_.value_or(now), paused_.value_or(now));
    co_await pause(std::clamp<Duration>(next - now, 1s, look_every));
  }
}

Task<> ServiceAcme::wait_reachable() {
  if (client_.proves_by_dns() || callbacks_.reachable()) co_return;
  while (!callbacks_.reachable()) co_await network_.timers().sleep_for(reachable_every);
  co_await network_.timers().sleep_for(after_publishing);
}

// ---- what --------------------------------------------------------------------------------------

void ServiceAcme::show(const std::vector<AcmeChallenge>& challenges) {
  std::vector<TlsCertificate> certificates;
  for (const AcmeChallenge& one : challenges) {
    std::array<std::uint8_t, 16> serial{};
    network_.random().fill(serial);
    const SecretText pem =
        make_challenge(one.name, one.digest, network_.timers().wall_now(), serial);
    if (auto made = TlsCertificate::parse(pem.reveal(), pem.reveal()))
      certificates.push_back(std::move(*made));
  }
  server_.set_challenges(std::move(certificates));
}

Task<> ServiceAcme::order() {
  // A program that dies on the way, again and again, does not ask each time; nor is anything asked
  // for that could not be kept.
  const AcmeFailure died{.kind = AcmeFailure::Kind::unreachable};
  const Duration delay = retry_delay(died, failures_ + 1, network_.random());
  const auto noted = keep_pause(network_.timers().wall_now() + delay, failures_ + 1);
  if (!noted) {
    handle_failure({.kind = AcmeFailure::Kind::unreachable, .why = noted.error()});
    co_return;
  }
  AcmeClient::ShowChallenges showing = std::bind_front(&ServiceAcme::show, this);
  auto obtaining = client_.obtain(names_, renewal_name_, std::move(showing));
  auto certificate = co_await std::move(obtaining);
  if (!certificate) {
    handle_failure(certificate.error());
    co_return;
  }
  if (const auto written = state_.write(file(".pem"), certificate->pem.reveal()); !written) {
    handle_failure({.kind = AcmeFailure::Kind::refused, .why = written.error()});
    co_return;
  }
  failures_ = 0;
  problem_.clear();
  plan();
  paused_ = network_.timers().wall_now() + rest_after(life_);
  (void)keep_pause(*paused_, failures_);
  callbacks_.obtained(certificate->account_url);
  callbacks_.changed();
}

Task<> ServiceAcme::run() {
  plan();
  restore_pause();
  for (;;) {
    co_await wait_until_due();
    co_await wait_reachable();
    co_await order();
  }
}

}  // namespace sidestream::sidecar
