#include "control/control_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sidestream::control {
namespace {

constexpr auto retry_after_default = std::chrono::seconds(1);

std::chrono::seconds retry_after(const HttpResponse& response) {
  const std::string* field = find_field(response.fields, "retry-after");
  unsigned seconds = 0;
  if (field == nullptr) return retry_after_default;
  const auto [end, error] = std::from_chars(field->data(), field->data() + field->size(), seconds);
  if (error != std::errc() || end != field->data() + field->size()) return retry_after_default;
  return std::chrono::seconds(std::clamp(seconds, 1U, 5U));
}

}  // namespace

ControlClient::ControlClient(Self self, RandomSource& random, const ControlClientTiming& timing)
    : self_(std::move(self)), random_(random), timing_(timing) {}

ClientAction ControlClient::resume(Instant now, ClientEvent event) {
  if (step_ == Step::ended && actions_.empty()) return client_action::Done{};
  // Before the waiting action was given out, nothing can have become of it.
  const bool is_outcome = std::holds_alternative<client_event::Connected>(event) ||
                          std::holds_alternative<client_event::Responded>(event) ||
                          std::holds_alternative<client_event::Failed>(event) ||
                          std::holds_alternative<client_event::TimedOut>(event);
  if (actions_.empty() || !is_outcome) {
    std::visit([this, now](auto& happened) { on(now, happened); }, event);
  }
  ClientAction action = std::move(actions_.front());
  actions_.pop_front();
  return action;
}

void ControlClient::on(Instant now, const client_event::Started&) {
  if (step_ != Step::idle) return wait_on();
  connect(now);
}

void ControlClient::on(Instant, const client_event::Proceed&) {
  if (actions_.empty()) wait_on();
}

void ControlClient::on(Instant now, const client_event::Connected&) {
  if (step_ != Step::connecting) return wait_on();
  connected_ = true;
  send_next(now);
}

void ControlClient::on(Instant now, client_event::ServicesChanged& event) {
  if (stopping_) return wait_on();
  wanted_ = std::move(event.wanted);
  publish_soon(now);
}

void ControlClient::on(Instant now, client_event::BansChanged& event) {
  if (stopping_) return wait_on();
  bans_ = std::move(event.bans);
  publish_soon(now);
}

void ControlClient::publish_soon(Instant now) {
  if (wanted_ != sent_ || bans_ != sent_bans_) unpublished_ = true;
  if (step_ != Step::resting || !actions_.empty()) return wait_on();
  rest(now);
}

std::vector<BannedNetwork> ControlClient::bans_left(Instant now) const {
  std::vector<BannedNetwork> left;
  for (const Ban& ban : bans_)
    if (now < ban.until && left.size() < BanLimits{}.bans_told_max)
      left.push_back({ban.network, std::chrono::ceil<std::chrono::seconds>(ban.until - now)});
  return left;
}

void ControlClient::on(Instant now, const client_event::AskNow&) {
  if (stopping_ || step_ == Step::idle || step_ == Step::ended) return wait_on();
  // After a refusal the pause is meant, after a broken connection it is only caution.
  const bool refused = step_ == Step::pausing && standing_.reachable;
  ask_now_ = !refused;
  const bool waits = step_ == Step::resting || step_ == Step::pausing;
  if (!waits || refused || !actions_.empty()) return wait_on();
  send_next(now);
}

void ControlClient::on(Instant now, const client_event::Stop&) {
  if (stopping_) return wait_on();
  stopping_ = true;
  stop_deadline_ = now + timing_.stop_timeout;
  deadline_ = std::min(deadline_, stop_deadline_);
  if (in_flight()) return wait_on();
  if (step_ == Step::ended) return;
  actions_.clear();
  send_next(now);
}

void ControlClient::on(Instant, const client_event::Cancelled&) {
  actions_.clear();
  finish();
}

void ControlClient::on(Instant now, const client_event::TimedOut&) {
  switch (step_) {
    case Step::connecting:
    case Step::opening:
    case Step::publishing:
    case Step::beating:
      if (stopping_) return finish();
      connected_ = false;
      standing_.reachable = standing_.no_control = false;
      note_problem(now, "the edge does not answer through the tunnel");
      ++failures_;
      if (++misses_ % timing_.misses_before_handshake == 0) {
        actions_.emplace_back(client_action::ForceHandshake{});
      }
      return connect(now);
    case Step::resting:
    case Step::pausing:
      return send_next(now);
    case Step::idle:
    case Step::ended:
      return wait_on();
  }
}

void ControlClient::on(Instant now, const client_event::Failed& event) {
  if (!in_flight()) {
    // The idle connection broke; the next request finds out what the edge thinks of it.
    connected_ = false;
    return wait_on();
  }
  if (step_ == Step::connecting && event.nobody_listens && !answered_) return on_no_control(now);
  on_lost_connection(now, event.why);
}

void ControlClient::on(Instant now, client_event::Responded& event) {
  if (!in_flight() || step_ == Step::connecting) return wait_on();
  const Step step = std::exchange(step_, Step::resting);
  const HttpResponse& response = event.response;
  if (!response.keep_alive) connected_ = false;
  misses_ = 0;
  ask_now_ = false;  // it is there
  answered_ = true;
  standing_.last_answer = now;
  standing_.no_control = false;
  standing_.round_trip = now - request_sent_;
  if (response.status != 200) return on_refusal(now, response);
  const bool understood = step == Step::opening      ? take_session(response.body)
                          : step == Step::publishing ? take_state(response.body)
                                                     : take_heartbeat(response.body);
  if (!understood) return on_lost_connection(now, "its answer cannot be understood");
  send_next(now);
}

// What the edge's sentence means for the session, and when to try again.
void ControlClient::on_refusal(Instant now, const HttpResponse& response) {
  const RefusalAnswer answer = parse_refusal(response.body);
  standing_.reachable = true;
  const bool was_used = session_used_;
  switch (answer.refusal) {
    case Refusal::session_unknown:
      forget_session();
      // The edge has restarted: tell it everything at once. A session that never worked is another
      // matter and must not make us spin.
      if (was_used) return send_next(now);
      break;
    case Refusal::session_superseded:
      forget_session();
      failures_ = std::max(failures_, 4U);  // not a quick fight with the other one
      break;
    case Refusal::stale_sequence:
      forget_session();
      break;
    case Refusal::too_many_requests:
      note_problem(now, "edge: " + answer.sentence);
      return pause(now, retry_after(response));
    case Refusal::revoked:
      forget_session();
      standing_.revoked = true;
      note_problem(now, "edge: " + answer.sentence);
      return pause(now, timing_.revoked_interval);
    default:
      break;
  }
  note_problem(now, "edge: " + answer.sentence);
  ++failures_;
  pause(now, next_backoff());
}

void ControlClient::on_lost_connection(Instant now, std::string why) {
  if (stopping_) return finish();
  connected_ = false;
  standing_.reachable = false;
  note_problem(now, "the edge's control port failed: " + why);
  if (std::exchange(ask_now_, false)) {
    failures_ = 0;
    return connect(now);
  }
  ++failures_;
  pause(now, next_backoff());
}

// An edge of ours listens there as soon as its tunnel is up. It may become one, so we keep asking.
void ControlClient::on_no_control(Instant now) {
  if (stopping_) return finish();
  misses_ = 0;  // it is an answer
  ask_now_ = false;
  standing_.no_control = true;
  standing_.last_answer = now;
  note_problem(now, "");
  ++failures_;
  pause(now, next_backoff());
}

// Also ends what the edge has certainly given up by now.
void ControlClient::note_problem(Instant now, std::string problem) {
  standing_.problem = std::move(problem);
  if (standing_.lease_end && *standing_.lease_end <= now) {
    standing_.lease_end.reset();
    standing_.published.clear();
    standing_.answers.clear();
    revision_ = 0;  // should the edge have heard us after all, it is to say everything again
  }
  actions_.emplace_back(client_action::Report{});
}

void ControlClient::forget_session() {
  session_.clear();
  session_used_ = false;
  sent_.clear();
  standing_.bans.reset();
  unpublished_ = true;
  standing_.lease_end.reset();
  standing_.published.clear();
  standing_.answers.clear();
}

bool ControlClient::take_session(const std::string& body) {
  auto answer = parse_session_answer(body);
  if (!answer || answer->session.empty()) return false;
  session_ = std::move(answer->session);
  session_used_ = false;
  sequence_ = 0;
  revision_ = 0;
  lease_ = answer->lease;
  standing_.edge_version = std::move(answer->version);
  if (answer->run == standing_.edge_run) return true;
  standing_.edge_run = std::move(answer->run);
  actions_.emplace_back(client_action::Report{});
  return true;
}

bool ControlClient::take_state(const std::string& body) {
  auto answer = parse_state_answer(body);
  if (!answer || answer->endpoints.size() != sent_.size()) return false;
  session_used_ = true;
  unpublished_ = wanted_ != sent_ || bans_ != sent_bans_;
  standing_.bans = answer->bans;
  take_answers(std::move(answer->endpoints), answer->revision, answer->lease);
  return true;
}

bool ControlClient::take_heartbeat(const std::string& body) {
  auto answer = parse_heartbeat_answer(body);
  if (!answer) return false;
  std::vector<EndpointAnswer> answers = standing_.answers;
  if (answer->endpoints) answers = std::move(*answer->endpoints);
  if (answers.size() != sent_.size()) return false;
  take_answers(std::move(answers), answer->revision, answer->lease);
  return true;
}

void ControlClient::take_answers(std::vector<EndpointAnswer> answers, std::uint64_t revision,
                                 std::chrono::seconds lease) {
  revision_ = revision;
  lease_ = lease;
  renewed_ = request_sent_;
  failures_ = 0;
  standing_.reachable = true;
  standing_.revoked = false;
  standing_.problem.clear();
  standing_.lease_end = request_sent_ + lease;
  standing_.published = sent_;
  standing_.answers = std::move(answers);
  actions_.emplace_back(client_action::Report{});
}

void ControlClient::connect(Instant now) {
  step_ = Step::connecting;
  connected_ = false;
  deadline_ = limit(now, misses_ == 1 ? timing_.answer_timeout_after_miss : timing_.answer_timeout);
  actions_.emplace_back(client_action::Connect{deadline_});
}

// The most urgent message, when it is due.
void ControlClient::send_next(Instant now) {
  if (stopping_ && (sent_.empty() || now >= stop_deadline_)) return finish();
  if (!connected_) return connect(now);
  if (session_.empty()) {
    const SessionRequest request{protocol_version, self_.version, self_.instance, self_.run};
    return send(now, Step::opening, "POST", session_target, serialize(request));
  }
  if (stopping_) wanted_.clear();
  const bool beat_due = ask_now_ || now >= renewed_ + heartbeat_interval();
  if (!unpublished_ && !stopping_ && !beat_due) return rest(now);
  if (unpublished_ || stopping_) {
    if (!stopping_ && state_sent_ && now < *state_sent_ + timing_.state_spacing) return rest(now);
    state_sent_ = now;
    sent_ = wanted_;
    sent_bans_ = bans_;
    const StateRequest request{session_, ++sequence_, sent_, bans_left(now)};
    return send(now, Step::publishing, "PUT", state_target, serialize(request));
  }
  ask_now_ = false;
  HeartbeatRequest request{session_, ++sequence_, revision_, std::nullopt};
  if (standing_.round_trip)
    request.round_trip = std::chrono::ceil<std::chrono::microseconds>(*standing_.round_trip);
  send(now, Step::beating, "POST", heartbeat_target, serialize(request));
}

void ControlClient::send(Instant now, Step step, std::string_view method, std::string_view target,
                         std::string body) {
  step_ = step;
  request_sent_ = now;
  deadline_ = limit(now, timing_.answer_timeout);
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.fields = {{"host", self_.host}, {"content-type", "application/json"}};
  request.body = std::move(body);
  actions_.emplace_back(client_action::SendRequest{std::move(request), deadline_});
}

void ControlClient::rest(Instant now) {
  step_ = Step::resting;
  deadline_ = renewed_ + heartbeat_interval();
  if (unpublished_) deadline_ = state_sent_ ? *state_sent_ + timing_.state_spacing : now;
  deadline_ = std::max(deadline_, now);
  actions_.emplace_back(client_action::SleepUntil{deadline_});
}

void ControlClient::pause(Instant now, Duration time) {
  if (stopping_) return finish();
  step_ = Step::pausing;
  deadline_ = now + time;
  actions_.emplace_back(client_action::SleepUntil{deadline_});
}

void ControlClient::finish() {
  step_ = Step::ended;
  connected_ = false;
  actions_.emplace_back(client_action::Done{});
}

// Nothing new: what was said last goes on.
void ControlClient::wait_on() {
  if (!actions_.empty()) return;
  if (in_flight()) {
    actions_.emplace_back(client_action::KeepWaiting{deadline_});
  } else {
    actions_.emplace_back(client_action::SleepUntil{deadline_});
  }
}

bool ControlClient::in_flight() const {
  return step_ == Step::connecting || step_ == Step::opening || step_ == Step::publishing ||
         step_ == Step::beating;
}

Instant ControlClient::limit(Instant now, Duration timeout) const {
  const Instant deadline = now + timeout;
  return stopping_ ? std::min(deadline, stop_deadline_) : deadline;
}

Duration ControlClient::heartbeat_interval() const {
  const bool opening = std::ranges::any_of(standing_.answers, [](const EndpointAnswer& answer) {
    return answer.reason == Reason::listener_opening;
  });
  const Duration interval = opening ? timing_.opening_interval : timing_.heartbeat_interval;
  return std::min<Duration>(interval, Duration(lease_) / 3);
}

// Between half and all of the doubled time, so that many sidecars do not come back at once.
Duration ControlClient::next_backoff() {
  Duration full = timing_.backoff_first;
  for (unsigned i = 1; i < failures_ && full < timing_.backoff_max; ++i) full *= 2;
  full = std::min(full, timing_.backoff_max);
  const auto half = std::chrono::floor<std::chrono::microseconds>(full / 2);
  return half +
         std::chrono::microseconds(random_.below(static_cast<std::uint32_t>(half.count()) + 1));
}

}  // namespace sidestream::control
