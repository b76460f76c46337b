#include "edge/routers/foreign_router_io.h"

#include <algorithm>
#include <utility>

#include "streams/deadline_io.h"
#include "streams/join_io.h"

namespace sidestream::edge {
namespace {

// Whether the event came before the time was over.
Task<bool> happens(Timers& timers, Event& event, Instant until) {
  Task<> waiting = event.wait();
  try {
    co_await with_deadline(timers, until, std::move(waiting));
  } catch (const system_error& failure) {
    if (failure.code() != asio::error::timed_out) throw;
    co_return false;
  }
  co_return true;
}

}  // namespace

ForeignRouter::ForeignRouter(Network& network, EdgeRouter& streams, LeaseTable& leases,
                             const Log& log, std::unique_ptr<RouterDriver> driver,
                             RouterInletSettings inlet, const ForeignRouterLimits& limits)
    : network_(network),
      leases_(leases),
      log_(log),
      limits_(limits),
      started_(network.timers().now()),
      driver_(std::move(driver)),
      inlet_(network, streams, std::move(inlet), log) {
  report_.standing.problem =
      "the edge has not asked " + std::string(driver_->name()) + " yet what it has";
  leases_.on_router_standing(report_.standing);
}

void ForeignRouter::set_routes(const std::vector<Route>& routes) {
  wanted_.clear();
  for (const Route& route : routes) wanted_.insert(route.endpoint);
  wanted_changed_.notify_all();
}

Task<> ForeignRouter::run() {
  Task<> cut = inlet_.stop();
  co_await with_cleanup(serve(), std::move(cut));
}

Task<> ForeignRouter::serve() {
  co_await both(both(accept(), driver_->run()), look_after());
}

Task<> ForeignRouter::accept() {
  // What is in its way may go, and look_after() says what it is.
  while (!inlet_.open()) co_await network_.timers().sleep_for(limits_.look_every);
  const Instant at_latest = started_ + limits_.time_to_publish;
  while (wanted_.empty() && network_.timers().now() < at_latest)
    (void)co_await happens(network_.timers(), wanted_changed_, at_latest);
  co_await inlet_.run();
}

Task<> ForeignRouter::look_after() {
  for (;;) {
    const Instant now = network_.timers().now();
    const RouterWish wish{.endpoints = wanted_,
                          .keep_others = now < started_ + limits_.keep_others_for};
    RouterReport report = co_await driver_->synchronise(wish);
    if (const auto open = inlet_.open(); !open) {
      report.standing.problem = open.error();
      report.standing.held.clear();
    }
    take(std::move(report), in_step_ && wish == wish_looked_at_);
    wish_looked_at_ = wish;
    looked_.notify_all();
    if (wanted_ != wish.endpoints) continue;
    (void)co_await happens(network_.timers(), wanted_changed_,
                           network_.timers().now() + limits_.look_every);
  }
}

Task<> ForeignRouter::settled() {
  const Instant until = network_.timers().now() + limits_.settle_time;
  while (wish_looked_at_.endpoints != wanted_)
    if (!co_await happens(network_.timers(), looked_, until)) co_return;
}

void ForeignRouter::take(RouterReport report, bool same_wish) {
  tell(report, same_wish);
  in_step_ = report.standing.problem.empty();
  const bool is_news = report.standing != report_.standing;
  report_ = std::move(report);
  if (!is_news) return;
  leases_.on_router_standing(report_.standing);
  if (on_change_) on_change_();
}

void ForeignRouter::tell(const RouterReport& report, bool same_wish) {
  const std::string_view name = driver_->name();
  const std::string& problem = report.standing.problem;
  if (!problem.empty()) {
    if (problem != report_.standing.problem)
      log_.error("router is not in step", {{"router", name}, {"why", problem}});
    return;
  }
  const std::uint64_t changes = report.changes;
  const bool is_new = !report_.process.empty() && report.process != report_.process;
  if (!in_step_)
    log_.info("router is in step", {{"router", name},
                                    {"version", report.version},
                                    {"endpoints", std::uint64_t{report.standing.held.size()}},
                                    {"changes", changes}});
  else if (is_new)
    log_.info("router was started again", {{"router", name}, {"changes", changes}});
  else if (same_wish && changes > 0)
    log_.warn("router had been changed by somebody else and was put right",
              {{"router", name}, {"changes", changes}});
}

std::string ForeignRouter::text() const {
  std::string text(driver_->name());
  if (!report_.version.empty()) text += " " + report_.version;
  return text;
}

Router::Ports ForeignRouter::ports() const {
  Ports count;
  for (const auto& [port, why] : report_.standing.ports)
    ++(why.empty() ? count.open : count.failed);
  return count;
}

}  // namespace sidestream::edge
