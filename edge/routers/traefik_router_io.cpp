#include "edge/routers/traefik_router_io.h"

#include <utility>

#include "control/http_client_io.h"
#include "streams/deadline_io.h"
#include "streams/listen_failure.h"

namespace sidestream::edge {
namespace {}  // namespace

TraefikDriver::TraefikDriver(Network& network, TraefikSettings settings,
                             const TraefikLimits& limits)
    : network_(network), settings_(std::move(settings)), limits_(limits), file_(settings_.file) {}

Task<RouterReport> TraefikDriver::synchronise(RouterWish wish) {
  RouterReport report;
  Task<> working = work(wish, report);
  std::string problem =
      co_await problem_of(std::move(working), [this](const system_error& failure) {
        return "its API on " + settings_.api.text() + " cannot be asked (" +
               failure.code().message() + "); is it running, with `api: {insecure: true}`?";
      });
  if (!why_not_served_.empty()) problem = why_not_served_;
  if (!problem.empty()) report.standing.problem = "Traefik: " + problem;
  co_return report;
}

Task<> TraefikDriver::work(const RouterWish& wish, RouterReport& report) {
  const auto entry_points = parse_traefik_entry_points(co_await get("/api/entrypoints"));
  if (!entry_points)
    throw RouterProblem("what answers on " + settings_.api.text() + " is not its API");
  for (const control::Endpoint& endpoint : wish.endpoints)
    report.standing.ports.try_emplace(
        endpoint.port,
        entry_points->contains(endpoint.port)
            ? ""
            : "Traefik has no entry point there, and cannot add one while it runs: write one "
              "with `address: \":" +
                  std::to_string(endpoint.port) + "\"` into its configuration, and restart it");
  // Right after our start the sidecars are about to publish, and Traefik keeps what it has.
  if (!wish.keep_others || !wish.endpoints.empty()) {
    document_ = traefik_document(wish.endpoints, *entry_points, settings_.inlet.text());
    document_known_.notify_all();
    if (!settings_.file.empty()) keep_file(report);
  }
  const auto held = parse_traefik_held(co_await get("/api/rawdata"), wish.endpoints, *entry_points,
                                       settings_.file.empty() ? "http" : "file");
  if (!held) throw RouterProblem("what answers on " + settings_.api.text() + " is not its API");
  report.standing.held = *held;
}

void TraefikDriver::keep_file(RouterReport& report) {
  const auto before = file_.read();
  if (before && *before && **before == document_) return;
  const auto written = before ? file_.write(document_) : std::unexpected(before.error());
  if (!written)
    throw RouterProblem(written.error() + "; give its folder to the program's user, or set " +
                        "router.traefik.file to another one");
  report.changes = 1;
}

Task<std::string> TraefikDriver::get(std::string target) {
  auto stream = co_await network_.connect(settings_.api, limits_.answer_time);
  control::HttpRequest request;
  request.method = "GET";
  request.target = std::move(target);
  request.fields = {{"host", settings_.api.text()}};
  request.keep_alive = false;
  control::HttpLimits limits;
  limits.body_bytes_max = limits_.answer_bytes_max;
  Task<control::HttpResponse> asking = control::fetch(*stream, std::move(request), limits);
  control::HttpResponse response =
      co_await with_timeout(network_.timers(), limits_.answer_time, std::move(asking));
  if (response.status != 200)
    throw RouterProblem("its API on " + settings_.api.text() + " answers with status " +
                        std::to_string(response.status) + "; it must have `api: {insecure: true}`");
  co_return std::move(response.body);
}

// ---- the document ------------------------------------------------------------------------------

Task<> TraefikDriver::run() {
  while (settings_.file.empty()) {
    std::unique_ptr<Listener> listener;
    why_not_served_.clear();
    try {
      listener = network_.listen(settings_.provider, {});
    } catch (const system_error& failure) {
      why_not_served_ = "the edge cannot listen on " + settings_.provider.text() +
                        ", where it is asked what to route: " +
                        explain_listen_failure(failure.code(), settings_.provider.port);
    }
    if (listener) {
      control::HttpServer server(network_.executor(), network_.timers(), *listener, *this);
      co_await server.run();
    }
    co_await network_.timers().sleep_for(limits_.listen_again_after);
  }
}

Task<control::HttpResponse> TraefikDriver::respond(control::HttpRequest request, SocketAddress) {
  if (request.method != "GET" || request.target != document_target)
    co_return control::error_response(404, "not_found", "what to route is at /sidestream");
  const Instant until = network_.timers().now() + limits_.document_time;
  while (document_.empty() && network_.timers().now() < until) {
    Task<> waiting = document_known_.wait();
    try {
      co_await with_deadline(network_.timers(), until, std::move(waiting));
    } catch (const system_error& failure) {
      if (failure.code() != asio::error::timed_out) throw;
    }
  }
  if (document_.empty())
    co_return control::error_response(503, "not_yet", "the sidecars are about to publish");
  control::HttpResponse response;
  response.fields = {{"content-type", "application/json"}};
  response.body = document_;
  co_return response;
}

}  // namespace sidestream::edge
