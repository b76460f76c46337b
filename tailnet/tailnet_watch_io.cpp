#include "tailnet/tailnet_watch_io.h"

#include <array>
#include <utility>

#include "control/http_client_io.h"
#include "streams/join_io.h"
#include "tailnet/local_api_requests.h"

namespace sidestream::tailnet {
namespace {

constexpr unsigned http_good = 200;

// What is no answer of the daemon's ends a session as a failed connection does.
[[noreturn]] void throw_bad_answer() {
  throw_error(make_error_code(boost::system::errc::bad_message), "an answer of the daemon");
}

}  // namespace

TailnetWatch::TailnetWatch(Network& network, LocalApi& api, std::function<void()> changed,
                           const TailnetWatchTiming& timing)
    : network_(network),
      api_(api),
      changed_(std::move(changed)),
      timing_(timing),
      backoff_(timing.backoff) {}

Task<> TailnetWatch::run() {
  for (;;) {
    try {
      co_await session();
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      // A bus that ends is a daemon that restarts as a rule; what it is the next try tells.
      if (!std::exchange(has_bus_, false)) handle_failure(error.code());
    }
    has_bus_ = false;
    std::array<std::uint8_t, 4> random{};
    network_.random().fill(random);
    std::uint32_t bits = 0;
    for (const std::uint8_t byte : random) bits = bits << 8 | byte;
    co_await network_.timers().sleep_for(backoff_.next(bits));
  }
}

void TailnetWatch::handle_failure(const error_code& error) {
  if (is_absence(error))
    standing_.handle_absent();
  else
    standing_.handle_no_answer(error.message());
  changed_();
}

Task<> TailnetWatch::session() {
  co_await ask_status();
  backoff_.reset();
  co_await first_of(keep_asking(), follow_bus());
}

Task<> TailnetWatch::ask_status() {
  const control::HttpResponse answer = co_await api_.ask(status_request());
  auto status = parse_status(answer.body);
  if (answer.status != http_good || !status) throw_bad_answer();
  const control::HttpResponse preferences = co_await api_.ask(preferences_request());
  if (preferences.status == http_good)
    if (auto read = parse_preferences(preferences.body))
      standing_.handle_preferences(std::move(*read));
  standing_.handle_status(std::move(*status));
  changed_();
}

Task<> TailnetWatch::keep_asking() {
  for (;;) {
    const std::uint64_t seen = wakes_;
    const Duration wait = has_bus_ ? timing_.look_again : timing_.look_without_bus;
    co_await first_of(network_.timers().sleep_for(wait), wait_wake(seen));
    if (wakes_ != seen) co_await network_.timers().sleep_for(timing_.settle);
    co_await ask_status();
  }
}

Task<> TailnetWatch::follow_bus() {
  const auto stream = co_await api_.connect();
  control::HttpLimits limits;
  limits.body_bytes_max = LocalApiLimits::bus_line_bytes_max;
  control::HttpReading reading(*stream, limits);
  co_await reading.begin(bus_request());
  // An old daemon, or one that lets us read nothing: asking goes on.
  while (reading.status() != http_good) co_await woken_.wait();
  has_bus_ = true;
  ++sessions_;
  std::string lines;
  std::size_t searched = 0;
  for (;;) {
    const std::string piece = co_await reading.read_some();
    if (piece.empty()) throw_error(asio::error::eof, "the bus of the daemon");
    lines += piece;
    std::size_t begin = 0;
    for (std::size_t end = lines.find('\n', searched); end != std::string::npos;
         end = lines.find('\n', begin)) {
      handle_line(std::string_view(lines).substr(begin, end - begin));
      begin = end + 1;
    }
    lines.erase(0, begin);
    searched = lines.size();
    if (searched > LocalApiLimits::bus_line_bytes_max) throw_bad_answer();
  }
}

void TailnetWatch::handle_line(std::string_view line) {
  if (line.empty() || line == "\r") return;
  const auto message = parse_bus_message(line);
  if (!message) throw_bad_answer();
  if (standing_.handle_bus(*message)) {
    ++wakes_;
    woken_.notify_all();
  } else if (message->warnings) {
    changed_();
  }
}

Task<> TailnetWatch::wait_wake(std::uint64_t seen) {
  while (wakes_ == seen) co_await woken_.wait();
}

}  // namespace sidestream::tailnet
