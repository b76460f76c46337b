// Follows the containers of an engine for as long as the sidecar runs. Whatever becomes of the
// engine's socket, what was known last stays until something else is known.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/http_client_io.h"
#include "control/status_messages.h"
#include "sidecar/discovery.h"
#include "sidecar/engine_requests.h"
#include "streams/backoff.h"
#include "streams/event_io.h"
#include "streams/log_io.h"
#include "streams/network_io.h"

namespace sidestream::sidecar {

struct DiscoverySettings {
  EngineAddress socket;
  std::string own_container;  // as for Discovery
  bool in_container = false;
};

// Where this process runs, by the files of the system.
[[nodiscard]] DiscoverySettings discovery_settings(EngineAddress socket);

struct DiscoveryTiming {
  Duration answer = 10s;              // for one answer
  Duration settle = 100ms;            // after an event, for those that come with it
  Duration look_again = 30s;          // without an event, in case one was lost
  Duration look_without_events = 2s;  // while the engine has not begun to tell any
  BackoffLimits backoff{.first = 250ms, .longest = 2s};
};

class LabelDiscovery {
 public:
  // `changed` is called when something may have changed. `network` and `log` outlive it.
  LabelDiscovery(Network& network, DiscoverySettings settings, const Log& log,
                 std::function<void()> changed, const DiscoveryTiming& timing = {});

  // Until it is cancelled. Throws for nothing else.
  Task<> run();

  // The services as they are known now; what is newly wrong with labels is logged.
  [[nodiscard]] std::vector<ServiceConfiguration> services(
      const std::vector<ServiceConfiguration>& of_file);
  [[nodiscard]] control::DiscoveryStatus status() const;

 private:
  // All of these return why they ended.
  Task<std::string> session();
  Task<std::string> follow_events();
  Task<std::string> keep_in_step();
  // Nothing: everything that was to be asked has been.
  Task<std::optional<std::string>> ask_everything();
  Task<std::optional<std::string>> ask_list();
  Task<> ask_container(const std::string& id);

  Task<control::HttpResponse> ask(control::HttpRequest request, std::size_t answer_bytes_max);
  Task<std::unique_ptr<Stream>> connect();
  Task<> wait_wake(std::uint64_t seen);
  void wake();
  void tell_connected();
  void tell_lost(const std::string& why);

  Network& network_;
  const DiscoverySettings settings_;
  const Log& log_;
  std::function<void()> changed_;
  const DiscoveryTiming timing_;
  Discovery machine_;
  Backoff backoff_;
  std::string prefix_;  // of targets: the API's version
  bool ask_list_ = true;
  bool has_events_ = false;
  bool known_ = false;  // everything was asked once
  bool connected_ = false;
  std::string problem_;  // why it is not connected
  LabelServices told_;
  std::uint64_t wakes_ = 0;
  Event woken_;
};

}  // namespace sidestream::sidecar
