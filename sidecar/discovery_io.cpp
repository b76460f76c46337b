#include "sidecar/discovery_io.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "sidecar/backend_io.h"
#include "streams/deadline_io.h"
#include "streams/join_io.h"
#include "streams/message_text.h"

namespace sidestream::sidecar {
namespace {

constexpr unsigned http_good = 200;
constexpr unsigned http_bad_request = 400;
constexpr unsigned http_not_found = 404;

// Of requests that end; the body is what matters.
Task<control::HttpResponse> ask_over(Network& network, BackendAddress socket,
                                     control::HttpRequest request, std::size_t answer_bytes_max,
                                     Duration timeout) {
  const auto stream = co_await dial_backend(network, std::move(socket), timeout);
  control::HttpLimits limits;
  limits.body_bytes_max = answer_bytes_max;
  co_return co_await control::fetch(*stream, std::move(request), limits);
}

}  // namespace

DiscoverySettings discovery_settings(EngineAddress socket) {
  DiscoverySettings settings{
      .socket = std::move(socket), .own_container = "", .in_container = false};
  std::error_code ignored;
  settings.in_container = std::filesystem::exists("/.dockerenv", ignored) ||
                          std::filesystem::exists("/run/.containerenv", ignored);
  std::ifstream file("/proc/self/mountinfo");
  std::stringstream mounts;
  mounts << file.rdbuf();
  if (auto id = container_in_mounts(mounts.str())) {
    settings.in_container = true;
    settings.own_container = std::move(*id);
  } else if (settings.in_container) {
    // Unless it was given another one, a container's host name is the beginning of its ID.
    std::array<char, 65> name{};
    if (gethostname(name.data(), name.size() - 1) == 0) settings.own_container = name.data();
  }
  if (!is_engine_name(settings.own_container)) settings.own_container.clear();
  return settings;
}

LabelDiscovery::LabelDiscovery(Network& network, DiscoverySettings settings, const Log& log,
                               std::function<void()> changed, const DiscoveryTiming& timing)
    : network_(network),
      settings_(std::move(settings)),
      log_(log),
      changed_(std::move(changed)),
      timing_(timing),
      machine_(settings_.own_container, settings_.in_container),
      backoff_(timing.backoff) {}

Task<> LabelDiscovery::run() {
  for (;;) {
    std::string why;
    try {
      why = co_await session();
    } catch (const system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      why = error.code().message();
    }
    // Proxies end an answer that was quiet for long; that is worth a word when the next try fails.
    if (!std::exchange(has_events_, false)) tell_lost(why);
    std::array<std::uint8_t, 4> random{};
    network_.random().fill(random);
    std::uint32_t bits = 0;
    for (const std::uint8_t byte : random) bits = bits << 8 | byte;
    co_await network_.timers().sleep_for(backoff_.next(bits));
  }
}

Task<std::string> LabelDiscovery::session() {
  const control::HttpResponse ping = co_await ask(ping_request(), ContainerLimits::ping_bytes_max);
  if (ping.status != http_good) co_return refusal("/_ping", ping.status, ping.body);
  prefix_ = api_prefix(ping.fields);
  ask_list_ = true;
  auto ended = co_await first_of(keep_in_step(), follow_events());
  co_return ended.index() == 0 ? std::get<0>(std::move(ended)) : std::get<1>(std::move(ended));
}

// ---- events ------------------------------------------------------------------------------------

Task<std::string> LabelDiscovery::follow_events() {
  // Not before the version is known for sure.
  while (ask_list_) co_await wait_wake(wakes_);
  const auto stream = co_await connect();
  control::HttpLimits limits;
  limits.body_bytes_max = ContainerLimits::event_bytes_max;
  control::HttpReading reading(*stream, limits);
  co_await reading.begin(events_request(prefix_));
  if (reading.status() != http_good)
    co_return refusal("/events", reading.status(), co_await reading.read_some());
  // What happened before this is in the list; what happens after it is told.
  has_events_ = true;
  ask_list_ = true;
  wake();
  std::string lines;
  for (;;) {
    const std::string piece = co_await reading.read_some();
    if (piece.empty()) co_return "it ended its events";
    lines += piece;
    std::size_t begin = 0;
    for (std::size_t end = lines.find('\n'); end != std::string::npos;
         end = lines.find('\n', begin)) {
      const std::string_view line = std::string_view(lines).substr(begin, end - begin);
      begin = end + 1;
      if (line.empty() || line == "\r") continue;
      const auto wants_list = machine_.handle_event(line);
      if (!wants_list) co_return "an event of it cannot be read: " + wants_list.error();
      if (*wants_list) ask_list_ = true;
      if (*wants_list || machine_.has_questions()) wake();
    }
    lines.erase(0, begin);
    if (lines.size() > ContainerLimits::event_bytes_max) co_return "an event of it has no end";
  }
}

// ---- questions ---------------------------------------------------------------------------------

Task<std::string> LabelDiscovery::keep_in_step() {
  for (;;) {
    const std::uint64_t seen = wakes_;
    if (auto failure = co_await ask_everything()) co_return *failure;
    known_ = true;
    tell_connected();
    changed_();
    if (wakes_ == seen) {
      const Duration wait = has_events_ ? timing_.look_again : timing_.look_without_events;
      co_await first_of(network_.timers().sleep_for(wait), wait_wake(seen));
    }
    if (wakes_ == seen)
      ask_list_ = true;
    else
      co_await network_.timers().sleep_for(timing_.settle);
  }
}

Task<std::optional<std::string>> LabelDiscovery::ask_everything() {
  if (ask_list_) {
    if (auto failure = co_await ask_list()) co_return failure;
  }
  while (const auto id = machine_.poll_question()) co_await ask_container(*id);
  co_return std::nullopt;
}

Task<std::optional<std::string>> LabelDiscovery::ask_list() {
  control::HttpResponse list = co_await ask(list_request(prefix_), ContainerLimits::list_bytes_max);
  // A newer engine may know our version no more; its own choice has what we need.
  if (list.status == http_bad_request && !prefix_.empty()) {
    prefix_.clear();
    list = co_await ask(list_request(prefix_), ContainerLimits::list_bytes_max);
  }
  if (list.status != http_good) co_return refusal("/containers/json", list.status, list.body);
  if (const auto taken = machine_.handle_list(list.body); !taken)
    co_return "its list of containers cannot be read: " + taken.error();
  ask_list_ = false;
  if (!has_events_) {
    ++wakes_;
    woken_.notify_all();
  }
  co_return std::nullopt;
}

// What cannot be asked now keeps its last state, and is asked again with the next list.
Task<> LabelDiscovery::ask_container(const std::string& id) {
  const control::HttpResponse answer =
      co_await ask(container_request(prefix_, id), ContainerLimits::container_bytes_max);
  if (answer.status == http_not_found) co_return machine_.handle_gone(id);
  const auto taken =
      answer.status == http_good
          ? machine_.handle_container(id, answer.body)
          : std::unexpected(refusal("/containers/ID/json", answer.status, answer.body));
  if (!taken) log_.warn("container not understood", {{"container", id}, {"why", taken.error()}});
}

Task<control::HttpResponse> LabelDiscovery::ask(control::HttpRequest request,
                                                std::size_t answer_bytes_max) {
  co_return co_await with_timeout(
      network_.timers(), timing_.answer,
      ask_over(network_, settings_.socket, std::move(request), answer_bytes_max, timing_.answer));
}

Task<std::unique_ptr<Stream>> LabelDiscovery::connect() {
  return dial_backend(network_, settings_.socket, timing_.answer);
}

void LabelDiscovery::wake() {
  ++wakes_;
  woken_.notify_all();
}

Task<> LabelDiscovery::wait_wake(std::uint64_t seen) {
  while (wakes_ == seen) co_await woken_.wait();
}

// ---- what has come of it -----------------------------------------------------------------------

void LabelDiscovery::tell_connected() {
  backoff_.reset();
  if (std::exchange(connected_, true)) return;
  problem_.clear();
  log_.info("containers are read", {{"socket", settings_.socket.text()},
                                    {"with_labels", std::uint64_t{machine_.labelled()}}});
}

void LabelDiscovery::tell_lost(const std::string& why) {
  if (std::exchange(connected_, false) || why != problem_)
    log_.warn("containers cannot be read, what was known of them stays",
              {{"socket", settings_.socket.text()}, {"why", why}});
  problem_ = why;
}

std::vector<ServiceConfiguration> LabelDiscovery::services(
    const std::vector<ServiceConfiguration>& of_file) {
  if (!known_) return {};
  LabelServices now = machine_.services(of_file);
  const auto is_new = [](const std::vector<std::string>& before, const std::string& line) {
    return std::ranges::find(before, line) == before.end();
  };
  for (const std::string& line : now.problems)
    if (is_new(told_.problems, line)) log_.warn("label not understood", {{"what", line}});
  for (const std::string& line : now.waiting)
    if (is_new(told_.waiting, line)) log_.info("container not healthy", {{"what", line}});
  told_ = std::move(now);
  return told_.services;
}

control::DiscoveryStatus LabelDiscovery::status() const {
  control::DiscoveryStatus status;
  status.socket = settings_.socket.text();
  status.connected = connected_;
  status.problem = connected_ || !problem_.empty() ? problem_ : "it has not answered yet";
  status.containers = machine_.labelled();
  constexpr std::size_t line_bytes_max = 900;
  for (const auto* lines : {&told_.problems, &told_.waiting})
    for (const std::string& line : *lines)
      status.problems.push_back(printable(line, line_bytes_max));
  return status;
}

}  // namespace sidestream::sidecar
