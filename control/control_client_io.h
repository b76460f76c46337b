// Runs the dialogue with one edge over a tunnel.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/control_client.h"
#include "streams/event_io.h"
#include "streams/network_io.h"
#include "streams/task_group_io.h"
#include "tunnel/tunnel_io.h"

namespace sidestream::control {

class ControlClientRunner {
 public:
  // `network` and `tunnel` outlive it. `edge_address` is the edge's, inside the tunnel. `run` is
  // that of the process that this one goes on for; empty: it begins one.
  ControlClientRunner(Network& network, tunnel::Tunnel& tunnel, IpAddress edge_address,
                      std::string run = {}, const ControlClientTiming& timing = {});

  // Called by run(), outside of the dialogue: standing() has changed; the tunnel to the edge does
  // not carry anything, shake hands anew. Set before run().
  void on_report(std::function<void()> callback) { on_report_ = std::move(callback); }
  void on_force_handshake(std::function<void()> callback) {
    on_force_handshake_ = std::move(callback);
  }

  // What is to be published from now on, the whole of it. May be called at any time.
  void set_wanted(std::vector<WantedEndpoint> wanted);
  // Whose streams the edge need not send, all of them. May be called at any time.
  void set_bans(std::vector<Ban> bans);
  // The tunnel shook hands anew, or leaves by another address: asks the edge now, not when the next
  // heartbeat is due. May be called at any time.
  void ask_now();

  // Publishes and renews until it is cancelled or stopped. Once.
  Task<> run();
  // Withdraws everything and ends run(); returns when that has happened, within
  // ControlClientTiming::stop_timeout. Returns at once when run() does not run.
  Task<> stop();

  [[nodiscard]] const ControlStanding& standing() const { return client_.standing(); }
  [[nodiscard]] const std::string& run_id() const { return run_; }

 private:
  // What goes on beside the dialogue: a connect or an exchange.
  struct Operation {
    explicit Operation(const asio::any_io_executor& executor) : group(executor) {}
    std::optional<ClientEvent> outcome;
    TaskGroup group;
  };

  Task<> work();
  Task<> finish();
  Task<ClientEvent> next_event();
  void begin(Task<> task);
  Task<> end_operation();
  Task<> connect(Instant deadline);
  Task<> send(HttpRequest request);
  void wake();
  Task<> wait_wake(std::uint64_t seen);

  Network& network_;
  tunnel::Tunnel& tunnel_;
  const SocketAddress edge_;
  const std::string run_;
  ControlClient client_;
  std::function<void()> on_report_;
  std::function<void()> on_force_handshake_;

  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Operation> operation_;  // none: nothing goes on
  Instant deadline_{};                    // of what the dialogue waits for
  std::optional<std::vector<WantedEndpoint>> new_wanted_;
  std::optional<std::vector<Ban>> new_bans_;
  bool ask_wanted_ = false;
  bool stop_wanted_ = false;
  bool stop_told_ = false;
  bool running_ = false;
  std::uint64_t wakes_ = 0;
  Event woken_;
  Event ended_;
};

}  // namespace sidestream::control
