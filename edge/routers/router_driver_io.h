// One router outside of this program, as far as it is ours to change. Each kind of router has a
// driver; ForeignRouter (foreign_router_io.h) decides when it works.
#pragma once

#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "control/endpoint.h"
#include "edge/routers/router_standing.h"
#include "streams/asio_io.h"

namespace sidestream::edge {

struct RouterWish {
  std::set<control::Endpoint> endpoints = {};
  // Right after the edge's start, when the sidecars have not had time to publish: what is there of
  // ours beside the wish stays.
  bool keep_others = false;

  bool operator==(const RouterWish&) const = default;
};

struct RouterReport {
  RouterStanding standing = {};
  std::string version = {};  // of the router; empty: not known
  // Changes when the router was started again; empty: not known.
  std::string process = {};
  std::size_t changes = 0;  // how many of our entries had to be made, changed or removed
};

// What is wrong with a router and what to do about it, as its driver finds out.
class RouterProblem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Does the work and says what went wrong; empty: nothing. `explain` makes a sentence of a failed
// call. Throws only when it is cancelled.
template <typename Explain>
Task<std::string> problem_of(Task<> work, Explain explain) {
  try {
    co_await std::move(work);
  } catch (const system_error& failure) {
    if (failure.code() == asio::error::operation_aborted) throw;
    co_return explain(failure);
  } catch (const RouterProblem& found) {
    co_return found.what();
  }
  co_return "";
}

class RouterDriver {
 public:
  RouterDriver() = default;
  RouterDriver(const RouterDriver&) = delete;
  RouterDriver& operator=(const RouterDriver&) = delete;
  virtual ~RouterDriver() = default;

  // `haproxy`, `nginx`, …
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Compares what the router has with the wish, changes what is ours and differs, nothing else, and
  // reads back what it has then. What goes wrong is told in the report; throws only when it is
  // cancelled, which may leave a part of the changes done. Ends by itself within seconds.
  virtual Task<RouterReport> synchronise(RouterWish wish) = 0;
  // What it does beside that; may go on until it is cancelled.
  virtual Task<> run() { co_return; }
};

}  // namespace sidestream::edge
