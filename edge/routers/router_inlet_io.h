// Where a router outside of this program hands over the streams that it has accepted: a listener
// beside it, on loopback or a Unix socket, for streams that begin with a PROXY header. The header
// says who the client is and to which port it came; everything else the EdgeRouter finds out
// itself, as for streams that it accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>

#include "edge/edge_router_io.h"
#include "edge/routers/router_settings.h"
#include "streams/introduction_io.h"
#include "streams/log_io.h"
#include "streams/network_io.h"
#include "streams/task_group_io.h"

namespace sidestream::edge {

struct RouterInletLimits {
  IntroductionLimits introduction{};
  std::size_t unintroduced_max = 4096;  // streams whose header is not there yet
  unsigned socket_mode = 0660;
  Duration accept_pause{100ms};
};

class RouterInlet {
 public:
  // All outlive it. stop() must have returned, or run() never have been called, before it dies.
  RouterInlet(Network& network, EdgeRouter& streams, RouterInletSettings settings, const Log& log,
              const RouterInletLimits& limits = {});

  // Listens, so that whoever connects waits; what was open already stays. The error is a sentence.
  std::expected<void, std::string> open();
  // What it listens on, by port.
  [[nodiscard]] std::map<std::uint16_t, int> listeners() const;
  // Accepts until it is cancelled or closed.
  Task<> run();
  void close();
  // Cuts those who are not introduced yet.
  Task<> stop();

  [[nodiscard]] const RouterInletSettings& settings() const { return settings_; }

 private:
  Task<> introduce(std::unique_ptr<Stream> stream);
  [[nodiscard]] bool may_hand_over(const Stream& stream) const;

  Network& network_;
  EdgeRouter& streams_;
  const RouterInletSettings settings_;
  const Log log_;
  const RouterInletLimits limits_;
  std::unique_ptr<Listener> listener_;
  TaskGroup tasks_;
};

}  // namespace sidestream::edge
