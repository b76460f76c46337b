#include "edge/routers/nginx_router_io.h"

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <expected>
#include <fstream>
#include <iterator>
#include <utility>

#include "edge/routers/tcp_table.h"
#include "streams/deadline_io.h"
#include "streams/message_text.h"

namespace sidestream::edge {
namespace {

constexpr std::string_view see = "docs/edges/nginx.md has the lines that it needs";

// A file of /proc, or a short one; empty when it cannot be read.
std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return {digits.data(), end.ptr};
}

// The master process, or why it is none that we would signal.
std::expected<pid_t, std::string> master_of(const std::string& pid_file) {
  const std::string text = content_of(pid_file);
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (pid <= 1)
    return std::unexpected("no process stands in " + pid_file +
                           "; is it running, and is that its `pid` (router.nginx.reload)?");
  if (!content_of("/proc/" + std::to_string(pid) + "/comm").starts_with("nginx"))
    return std::unexpected("process " + std::to_string(pid) + " of " + pid_file +
                           " is not NGINX; is that its `pid` (router.nginx.reload)?");
  return pid;
}

}  // namespace

NginxDriver::NginxDriver(Network& network, NginxSettings settings, const NginxLimits& limits)
    : network_(network), settings_(std::move(settings)), limits_(limits), file_(settings_.file) {}

Task<RouterReport> NginxDriver::synchronise(RouterWish wish) {
  RouterReport report;
  Task<> working = work(wish, report);
  const std::string problem =
      co_await problem_of(std::move(working), [this](const system_error& failure) {
        return "nobody answers on " + settings_.answers.text() + " (" + failure.code().message() +
               "); is it running with the lines of docs/edges/nginx.md?";
      });
  if (!problem.empty()) report.standing.problem = "NGINX: " + problem;
  co_return report;
}

Task<> NginxDriver::work(const RouterWish& wish, RouterReport& report) {
  std::string why_not;
  if (keep_file(wish, report)) why_not = reload();
  Loaded loaded = co_await ask();
  report.version = loaded.version;
  if (loaded.generation != generation_) {
    // It may have been down when it was asked, or somebody else's file was loaded.
    const bool again = !asked_ || network_.timers().now() >= *asked_ + limits_.ask_again_after;
    if (again) why_not = reload();
    loaded = co_await wait_for_generation();
    if (loaded.generation == generation_) reloaded_ = network_.timers().now();
  }
  look_at_ports(wish, report);
  if (const auto known = generations_.find(loaded.generation); known != generations_.end())
    std::ranges::set_intersection(known->second, wish.endpoints,
                                  std::inserter(report.standing.held, report.standing.held.end()));
  if (!why_not.empty()) throw RouterProblem(why_not);
  if (loaded.generation != generation_)
    throw RouterProblem("it has not loaded the last file; `nginx -t` says whether it can, and " +
                        std::string(see) + " to reload it");
}

// Writes the file when it is not as it should be; true: NGINX has to load it.
bool NginxDriver::keep_file(const RouterWish& wish, RouterReport& report) {
  const auto before = file_.read();
  if (!before) throw RouterProblem(before.error());
  const auto there = *before ? NginxFile::parse(**before) : std::nullopt;
  NginxFile wanted{.endpoints = wish.endpoints, .target = settings_.inlet.text(), .generation = {}};
  if (there && wish.keep_others)
    wanted.endpoints.insert(there->endpoints.begin(), there->endpoints.end());
  if (there) {
    remember(*there);
    wanted.generation = there->generation;
    if (*there == wanted) return false;
    // Changes of the next seconds are one reload.
    const bool is_soon = reloaded_ && network_.timers().now() < *reloaded_ + limits_.reload_every;
    if (is_soon) return false;
  }
  wanted.generation = hexadecimal(network_.random().u64());
  if (const auto written = file_.write(wanted.text()); !written)
    throw RouterProblem(written.error() + "; give its folder to the program's user, or set " +
                        "router.nginx.file to another one");
  remember(wanted);
  report.changes = 1;
  return true;
}

void NginxDriver::remember(const NginxFile& file) {
  generation_ = file.generation;
  if (generations_.size() >= limits_.generations_kept && !generations_.contains(file.generation))
    generations_.clear();
  generations_[file.generation] = file.endpoints;
}

std::string NginxDriver::reload() {
  asked_ = network_.timers().now();
  if (settings_.pid_file.empty()) return {};  // somebody watches the file
  const auto master = master_of(settings_.pid_file);
  if (!master) return master.error();
  if (::kill(*master, SIGHUP) == 0) return {};
  return "this user may not reload it (" + std::string(std::strerror(errno)) +
         "); let systemd do it: `reload: watched` and the units of docs/edges/nginx.md";
}

Task<NginxDriver::Loaded> NginxDriver::wait_for_generation() {
  const Instant until = network_.timers().now() + limits_.reload_time;
  Loaded loaded = co_await ask();
  while (loaded.generation != generation_ && network_.timers().now() < until) {
    co_await network_.timers().sleep_for(limits_.ask_every);
    loaded = co_await ask();
  }
  if (loaded.generation == generation_) co_await network_.timers().sleep_for(limits_.handover_time);
  co_return loaded;
}

// Where NGINX is on another host than we are, its ports cannot be seen.
void NginxDriver::look_at_ports(const RouterWish& wish, RouterReport& report) const {
  const bool is_here = settings_.answers.address.is_loopback();
  std::set<std::uint16_t> open;
  for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"})
    open.merge(listening_ports(content_of(table)));
  for (const control::Endpoint& endpoint : wish.endpoints) {
    const bool is_open = !is_here || open.contains(endpoint.port);
    report.standing.ports.try_emplace(
        endpoint.port, is_open ? ""
                               : "NGINX does not listen there; add `listen " +
                                     std::to_string(endpoint.port) +
                                     ";` to a server of its stream section, and reload it");
  }
}

// ---- the server that tells
// -----------------------------------------------------------------------

Task<NginxDriver::Loaded> NginxDriver::ask() {
  auto stream = co_await network_.connect(settings_.answers, limits_.answer_time);
  Task<std::string> reading = read_answer(*stream);
  const std::string answer =
      co_await with_timeout(network_.timers(), limits_.answer_time, std::move(reading));
  const std::size_t blank = answer.find(' ');
  if (blank == std::string::npos)
    throw RouterProblem("what answers on " + settings_.answers.text() + " says " +
                        in_quotes(answer) + "; " + std::string(see));
  co_return Loaded{.generation = answer.substr(0, blank), .version = answer.substr(blank + 1)};
}

Task<std::string> NginxDriver::read_answer(Stream& stream) {
  constexpr std::size_t answer_bytes_max = 128;
  std::string answer;
  std::array<std::uint8_t, answer_bytes_max> chunk;
  while (answer.size() < answer_bytes_max) {
    const std::size_t count = co_await stream.read_some(chunk);
    if (count == 0) break;
    answer += text_of(Bytes(chunk).first(count));
  }
  co_return answer;
}

}  // namespace sidestream::edge
