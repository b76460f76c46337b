#include "control/control_client_io.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "control/http_client_io.h"
#include "control/version.h"
#include "streams/base64.h"
#include "streams/join_io.h"

namespace sidestream::control {
namespace {

constexpr const char* nobody_listens =
    "nothing listens there; is the edge just starting, or another one than it was?";

// In a container this is its id, elsewhere the machine's name: enough to tell two apart.
std::string host_name() {
  std::array<char, 65> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unnamed";
  return name.data();
}

std::string new_run(RandomSource& random) {
  std::array<std::uint8_t, 12> bytes{};
  random.fill(bytes);
  return serialize_base64url(bytes);
}

HttpLimits answer_limits() {
  HttpLimits limits;
  limits.body_bytes_max = MessageLimits().answer_bytes_max;
  return limits;
}

}  // namespace

ControlClientRunner::ControlClientRunner(Network& network, tunnel::Tunnel& tunnel,
                                         IpAddress edge_address, std::string run,
                                         const ControlClientTiming& timing)
    : network_(network),
      tunnel_(tunnel),
      edge_{edge_address, control_port},
      run_(run.empty() ? new_run(network.random()) : std::move(run)),
      client_({edge_.text(), std::string(program_version()), host_name(), run_}, network.random(),
              timing) {}

void ControlClientRunner::set_wanted(std::vector<WantedEndpoint> wanted) {
  new_wanted_ = std::move(wanted);
  wake();
}

void ControlClientRunner::set_bans(std::vector<Ban> bans) {
  new_bans_ = std::move(bans);
  wake();
}

void ControlClientRunner::ask_now() {
  ask_wanted_ = true;
  wake();
}

void ControlClientRunner::wake() {
  ++wakes_;
  woken_.notify_all();
}

Task<> ControlClientRunner::wait_wake(std::uint64_t seen) {
  while (wakes_ == seen) co_await woken_.wait();
}

Task<> ControlClientRunner::run() {
  running_ = true;
  co_await with_cleanup(work(), finish());
}

Task<> ControlClientRunner::finish() {
  co_await end_operation();
  stream_.reset();
  running_ = false;
  ended_.notify_all();
}

Task<> ControlClientRunner::stop() {
  stop_wanted_ = true;
  wake();
  while (running_) co_await ended_.wait();
}

Task<> ControlClientRunner::work() {
  ClientEvent event = client_event::Started{};
  for (;;) {
    ClientAction action = client_.resume(network_.timers().now(), std::move(event));
    if (std::holds_alternative<client_action::Done>(action)) co_return;
    if (std::holds_alternative<client_action::Report>(action)) {
      if (on_report_) on_report_();
      event = client_event::Proceed{};
      continue;
    }
    if (std::holds_alternative<client_action::ForceHandshake>(action)) {
      if (on_force_handshake_) on_force_handshake_();
      event = client_event::Proceed{};
      continue;
    }
    if (const auto* to_connect = std::get_if<client_action::Connect>(&action)) {
      deadline_ = to_connect->deadline;
      stream_.reset();
      begin(connect(deadline_));
    } else if (auto* to_send = std::get_if<client_action::SendRequest>(&action)) {
      deadline_ = to_send->deadline;
      begin(send(std::move(to_send->request)));
    } else if (const auto* sleep = std::get_if<client_action::SleepUntil>(&action)) {
      deadline_ = sleep->deadline;
    } else if (const auto* waiting = std::get_if<client_action::KeepWaiting>(&action)) {
      deadline_ = waiting->deadline;
    }
    event = co_await next_event();
  }
}

Task<ClientEvent> ControlClientRunner::next_event() {
  for (;;) {
    const std::uint64_t seen = wakes_;
    if (operation_ && operation_->outcome) {
      ClientEvent outcome = std::move(*operation_->outcome);
      co_await end_operation();
      co_return outcome;
    }
    if (stop_wanted_ && !std::exchange(stop_told_, stop_wanted_)) co_return client_event::Stop{};
    if (new_wanted_) {
      client_event::ServicesChanged changed{*std::exchange(new_wanted_, std::nullopt)};
      co_return changed;
    }
    if (new_bans_) {
      client_event::BansChanged changed{*std::exchange(new_bans_, std::nullopt)};
      co_return changed;
    }
    if (std::exchange(ask_wanted_, false)) co_return client_event::AskNow{};
    if (network_.timers().now() >= deadline_) {
      if (operation_) {
        co_await end_operation();
        stream_.reset();
      }
      co_return client_event::TimedOut{};
    }
    co_await first_of(network_.timers().sleep_until(deadline_), wait_wake(seen));
  }
}

void ControlClientRunner::begin(Task<> task) {
  operation_ = std::make_unique<Operation>(network_.executor());
  // An outcome is there whenever the task ends by itself; a failure has become one.
  operation_->group.spawn(std::move(task), [](const std::exception_ptr&) {});
}

Task<> ControlClientRunner::end_operation() {
  if (!operation_) co_return;
  co_await operation_->group.stop();
  operation_.reset();
}

Task<> ControlClientRunner::connect(Instant deadline) {
  ClientEvent outcome = client_event::Connected{};
  try {
    stream_ = co_await tunnel_.connect(edge_, deadline - network_.timers().now());
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    const bool refused = error.code() == asio::error::connection_refused;
    outcome = client_event::Failed{refused ? nobody_listens : error.code().message(), refused};
    if (error.code() == asio::error::timed_out) outcome = client_event::TimedOut{};
  }
  operation_->outcome = std::move(outcome);
  wake();
}

Task<> ControlClientRunner::send(HttpRequest request) {
  ClientEvent outcome;
  try {
    HttpResponse response = co_await exchange(*stream_, std::move(request), answer_limits());
    outcome = client_event::Responded{std::move(response)};
  } catch (const system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    outcome = client_event::Failed{error.code().message()};
  }
  operation_->outcome = std::move(outcome);
  wake();
}

}  // namespace sidestream::control
