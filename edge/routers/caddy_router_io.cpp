#include "edge/routers/caddy_router_io.h"

#include <utility>

#include "control/http_client_io.h"
#include "streams/deadline_io.h"

namespace sidestream::edge {
namespace {

constexpr std::size_t told_bytes_max = 300;

std::string inlet_text(const RouterInletSettings& inlet) {
  return inlet.unix_path.empty() ? inlet.listen.text() : "unix/" + inlet.unix_path;
}

}  // namespace

CaddyDriver::CaddyDriver(Network& network, CaddySettings settings, const CaddyLimits& limits)
    : network_(network),
      settings_(std::move(settings)),
      limits_(limits),
      inlet_(inlet_text(settings_.inlet)) {}

Task<RouterReport> CaddyDriver::synchronise(RouterWish wish) {
  RouterReport report;
  Task<> working = work(wish, report);
  const std::string problem =
      co_await problem_of(std::move(working), [this](const system_error& failure) {
        return "its admin API on " + settings_.admin_text() + " cannot be asked (" +
               failure.code().message() + "); is it running?";
      });
  if (!problem.empty()) report.standing.problem = "Caddy: " + problem;
  co_return report;
}

Task<> CaddyDriver::work(const RouterWish& wish, RouterReport& report) {
  CaddyView view = co_await look();
  for (const control::Endpoint& endpoint : wish.endpoints)
    report.standing.ports.try_emplace(
        endpoint.port,
        view.http.contains(endpoint.port)
            ? "Caddy's own web server listens there, and cannot share the port: let it listen on "
              "another one, and let a layer4 server send it what is not sidestream's "
              "(docs/edges/caddy.md)"
            : "");
  std::string why_not;
  for (CaddyRequest& change : caddy_requests(view, wish.endpoints, wish.keep_others, inlet_)) {
    const std::string what = change.method + " " + change.target;
    const control::HttpResponse answer = co_await ask(std::move(change));
    ++report.changes;
    if (answer.status != 200)
      why_not = "it does not take " + what + ": " + answer.body.substr(0, told_bytes_max) +
                " (does it have the module layer4?)";
  }
  if (report.changes > 0) view = co_await look();
  report.standing.held = caddy_held(view, wish.endpoints, inlet_);
  if (!why_not.empty()) throw RouterProblem(why_not);
}

Task<CaddyView> CaddyDriver::look() {
  CaddyRequest question{.method = "GET", .target = "/config/", .body = ""};
  const control::HttpResponse answer = co_await ask(std::move(question));
  auto view = answer.status == 200 ? parse_caddy_configuration(answer.body) : std::nullopt;
  if (!view)
    throw RouterProblem("what answers on " + settings_.admin_text() + " is not its admin API");
  co_return std::move(*view);
}

Task<control::HttpResponse> CaddyDriver::ask(CaddyRequest question) {
  std::unique_ptr<Stream> stream;
  if (settings_.admin_path.empty())
    stream = co_await network_.connect(settings_.admin, limits_.answer_time);
  else
    stream = co_await network_.connect_unix(settings_.admin_path, limits_.answer_time);
  control::HttpRequest request;
  request.method = std::move(question.method);
  request.target = std::move(question.target);
  request.body = std::move(question.body);
  // Caddy lets nobody in who names another host.
  request.fields = {{"host", settings_.admin_path.empty() ? settings_.admin.text() : "127.0.0.1"},
                    {"content-type", "application/json"}};
  request.keep_alive = false;
  control::HttpLimits limits;
  limits.body_bytes_max = limits_.answer_bytes_max;
  Task<control::HttpResponse> asking = control::fetch(*stream, std::move(request), limits);
  co_return co_await with_timeout(network_.timers(), limits_.answer_time, std::move(asking));
}

}  // namespace sidestream::edge
