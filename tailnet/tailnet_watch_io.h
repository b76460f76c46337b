// Follows the Tailscale daemon for as long as the program runs: it may come, go, be an old one, or
// be started again at any time.
#pragma once

#include <functional>
#include <string>

#include "streams/backoff.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "tailnet/local_api_io.h"
#include "tailnet/tailnet_standing.h"

namespace sidestream::tailnet {

struct TailnetWatchTiming {
  Duration settle = 50ms;          // after a line of the bus, for those that come with it
  Duration look_again = 30s;       // without one, in case it was lost
  Duration look_without_bus = 5s;  // while the daemon has none
  // A socket that appears is found within the longest.
  BackoffLimits backoff{.first = 250ms, .longest = 4s};
};

class TailnetWatch {
 public:
  // `changed` is called after each answer and each failure that may have changed the standing.
  // `network` and `api` outlive it.
  TailnetWatch(Network& network, LocalApi& api, std::function<void()> changed,
               const TailnetWatchTiming& timing = {});

  // Until it is cancelled. Throws for nothing else.
  Task<> run();

  [[nodiscard]] TailnetStanding& standing() { return standing_; }
  [[nodiscard]] const TailnetStanding& standing() const { return standing_; }
  // How often the bus was opened.
  [[nodiscard]] std::uint64_t sessions() const { return sessions_; }

 private:
  Task<> session();
  Task<> follow_bus();
  Task<> keep_asking();
  Task<> ask_status();
  Task<> wait_wake(std::uint64_t seen);
  void handle_line(std::string_view line);
  void handle_failure(const error_code& error);

  Network& network_;
  LocalApi& api_;
  std::function<void()> changed_;
  const TailnetWatchTiming timing_;
  TailnetStanding standing_;
  Backoff backoff_;
  bool has_bus_ = false;
  std::uint64_t sessions_ = 0;
  std::uint64_t wakes_ = 0;
  Event woken_;
};

}  // namespace sidestream::tailnet
