#include "edge/routers/haproxy_router_io.h"

#include <algorithm>
#include <array>
#include <boost/system/errc.hpp>
#include <filesystem>
#include <utility>

#include "edge/routers/haproxy_map.h"
#include "streams/deadline_io.h"
#include "streams/message_text.h"

namespace sidestream::edge {
namespace {

namespace errc = boost::system::errc;

constexpr std::string_view see = "docs/edges/haproxy.md has the lines";

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// HAProxy may see the file in another folder than we do (a container), and may have been told of it
// by a relative path.
std::string find_map(const HaproxyView& view, const std::string& path) {
  std::vector<std::string> ids;
  for (const HaproxyView::Map& map : view.maps) {
    if (map.path == path) return map.id;
    if (file_name(map.path) == file_name(path)) ids.push_back(map.id);
  }
  if (ids.size() == 1) return ids.front();
  if (ids.empty())
    throw RouterProblem("its configuration does not use the map " + path + "; " + std::string(see) +
                        " that it needs, then reload it");
  throw RouterProblem("its configuration uses several maps called " + file_name(path) +
                      "; give ours a name of its own (router.haproxy.map)");
}

// The words of HAProxy, without the empty lines that end answers.
std::string words_of(const std::string& answer) {
  const std::size_t begin = answer.find_first_not_of("\n ");
  if (begin == std::string::npos) return {};
  return printable(std::string_view(answer).substr(begin, answer.find('\n', begin) - begin));
}

bool is_out_of_use(const std::string& status) {
  return status.starts_with("MAINT") || status.starts_with("DRAIN") || status.starts_with("NOLB");
}

std::string why_not_open(const HaproxyView& view, std::uint16_t port) {
  if (view.tcp_ports.contains(port)) return {};
  if (!view.tells_ports)
    return "HAProxy does not tell on which ports it listens; write `option socket-stats` into the "
           "frontends that serve sidestream, and reload it";
  return "HAProxy does not listen there; it cannot open a port while it runs: add `bind :" +
         std::to_string(port) + "` to a frontend of mode tcp, and reload it";
}

}  // namespace

HaproxyDriver::HaproxyDriver(Network& network, HaproxySettings settings,
                             const HaproxyLimits& limits)
    : network_(network), settings_(std::move(settings)), limits_(limits), file_(settings_.map) {}

Task<RouterReport> HaproxyDriver::synchronise(RouterWish wish) {
  RouterReport report;
  std::string& problem = report.standing.problem;
  Task<> working = work(wish, report);
  problem = co_await problem_of(std::move(working),
                                [this](const system_error& failure) { return explain(failure); });
  if (!problem.empty()) problem = "HAProxy: " + problem;
  // HAProxy may come back with what the file says.
  keep_file(wish, report);
  if (!report.standing.problem.empty()) report.standing.held.clear();
  co_return report;
}

Task<> HaproxyDriver::work(const RouterWish& wish, RouterReport& report) {
  HaproxyView view = co_await look(report);
  const std::string map = find_map(view, settings_.map);
  if (const std::string command = server_command(view); !command.empty()) {
    (void)co_await ask(command);
    ++report.changes;
    view = co_await look(report);
  }
  check_server(view);

  const std::string show_map = "show map #" + map + "\n";
  std::vector<HaproxyEntry> entries = parse_haproxy_map(co_await ask(show_map));
  const HaproxyCommands commands =
      haproxy_map_commands(map, entries, haproxy_keys(wish.endpoints), wish.keep_others);
  for (const std::string& line : commands.lines) {
    const std::string said = words_of(co_await ask(line));
    if (said.contains("ermission denied"))
      throw RouterProblem(
          "it does not let us change its map; write `level admin` behind its `stats "
          "socket`, and reload it");
  }
  if (commands.entries > 0) entries = parse_haproxy_map(co_await ask(show_map));
  report.changes += commands.entries;
  report.standing.held = haproxy_held(entries, wish.endpoints);
  for (const control::Endpoint& endpoint : wish.endpoints)
    report.standing.ports.try_emplace(endpoint.port, why_not_open(view, endpoint.port));
}

Task<HaproxyView> HaproxyDriver::look(RouterReport& report) {
  const auto view = parse_haproxy_view(co_await ask(std::string(haproxy_view_command) + "\n"));
  if (!view)
    throw RouterProblem(settings_.socket +
                        " does not answer as HAProxy's Runtime API does; is it the " +
                        "`stats socket`, with `level admin`?");
  if (view->pid != pid_ || view->uptime_seconds < uptime_seconds_) ++starts_;
  pid_ = view->pid;
  uptime_seconds_ = view->uptime_seconds;
  report.process = std::to_string(starts_);
  report.version = view->version;
  co_return *view;
}

// What brings the server in order; empty: nothing is to be done, or can be.
std::string HaproxyDriver::server_command(const HaproxyView& view) const {
  const std::string name = settings_.backend + "/" + settings_.server;
  const SocketAddress& inlet = settings_.inlet.listen;
  const std::string& path = settings_.inlet.unix_path;
  const HaproxyView::Server* server = find_server(view);
  const bool has_address = !path.empty() || !inlet.address.is_unspecified();
  if (server == nullptr) {
    if (!view.backends.contains(settings_.backend) || !has_address) return {};
    const std::string address = path.empty() ? inlet.text() : "unix@" + path;
    return "add server " + name + " " + address + " send-proxy-v2;enable server " + name + "\n";
  }
  if (!leads_home(*server) && path.empty() && has_address && server->address != "unix")
    return "set server " + name + " addr " + inlet.address.text() + " port " +
           std::to_string(inlet.port) + "\n";
  if (is_out_of_use(server->status)) return "set server " + name + " state ready\n";
  return {};
}

void HaproxyDriver::check_server(const HaproxyView& view) const {
  const std::string name = settings_.backend + "/" + settings_.server;
  const HaproxyView::Server* server = find_server(view);
  if (server == nullptr)
    throw RouterProblem("it has no server " + name + "; " + std::string(see) +
                        " of the backend, then reload it");
  if (!leads_home(*server))
    throw RouterProblem("its server " + name + " leads to " + printable(server->address) +
                        " and not to " + settings_.inlet.text() +
                        "; change that line of its configuration, or " +
                        "router.haproxy.listen, and reload it");
  if (server->status.starts_with("DOWN") || is_out_of_use(server->status))
    throw RouterProblem("its server " + name + " is " + printable(server->status) +
                        "; its log says why");
}

const HaproxyView::Server* HaproxyDriver::find_server(const HaproxyView& view) const {
  const auto server = std::ranges::find_if(view.servers, [this](const auto& one) {
    return one.backend == settings_.backend && one.name == settings_.server;
  });
  return server == view.servers.end() ? nullptr : &*server;
}

// An inlet on all addresses may be known to HAProxy by any of them.
bool HaproxyDriver::leads_home(const HaproxyView::Server& server) const {
  if (!settings_.inlet.unix_path.empty()) return server.address == "unix";
  if (!settings_.inlet.listen.address.is_unspecified())
    return server.address == settings_.inlet.listen.text();
  return server.address.ends_with(":" + std::to_string(settings_.inlet.listen.port));
}

void HaproxyDriver::keep_file(const RouterWish& wish, RouterReport& report) {
  std::string& problem = report.standing.problem;
  const auto before = file_.read();
  std::string why = before ? "" : before.error();
  if (before) {
    const std::string text =
        haproxy_map_file(before->value_or(""), haproxy_keys(wish.endpoints), wish.keep_others);
    if (*before && **before == text) return;
    if (const auto written = file_.write(text); !written) why = written.error();
  }
  if (!why.empty() && problem.empty())
    problem = why + "; HAProxy would begin with an old map: give the folder of " + settings_.map +
              " to the program's user, or set router.haproxy.map to another file";
}

// ---- the socket --------------------------------------------------------------------------------

Task<std::string> HaproxyDriver::ask(std::string command) {
  auto stream = co_await network_.connect_unix(settings_.socket, limits_.connect_time);
  Task<std::string> reading = read_answer(*stream, std::move(command));
  co_return co_await with_timeout(network_.timers(), limits_.answer_time, std::move(reading));
}

// One line, whose answer HAProxy ends by closing. Our direction stays open: some commands of newer
// versions take its end for an interruption.
Task<std::string> HaproxyDriver::read_answer(Stream& stream, std::string command) {
  co_await stream.write_all(bytes_of(command));
  std::string answer;
  std::array<std::uint8_t, 16384> chunk;
  while (const std::size_t count = co_await stream.read_some(chunk)) {
    answer += text_of(Bytes(chunk).first(count));
    if (answer.size() > limits_.answer_bytes_max)
      throw RouterProblem("its answer on " + settings_.socket + " has no end");
  }
  co_return answer;
}

std::string HaproxyDriver::explain(const system_error& failure) const {
  const error_code error = failure.code();
  const std::string socket = "unix:" + settings_.socket;
  if (error == errc::no_such_file_or_directory || error == errc::connection_refused)
    return "nobody serves " + socket + "; is it running, and is that its `stats socket`?";
  if (error == errc::permission_denied)
    return "this user may not use " + socket +
           "; add it to the socket's group, or write `mode 660 group sidestream` behind the `stats "
           "socket`";
  if (error == asio::error::timed_out) return "it does not answer on " + socket;
  return socket + ": " + error.message();
}

}  // namespace sidestream::edge
