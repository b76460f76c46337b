// How the Tailscale node stands, by what its daemon said and how it could be reached.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/tailnet_status.h"
#include "tailnet/local_api_messages.h"

namespace sidestream::tailnet {

class TailnetStanding {
 public:
  enum class Reach : std::uint8_t {
    not_asked,
    absent,     // there is no socket
    no_answer,  // there is one, and nobody or nonsense behind it
    answers,
  };

  void handle_absent();
  void handle_no_answer(std::string why);
  void handle_status(DaemonStatus status);
  void handle_preferences(Preferences preferences) { preferences_ = std::move(preferences); }
  // Whether more is to be asked for: the status is not what it was.
  bool handle_bus(const BusMessage& message);

  [[nodiscard]] Reach reach() const { return reach_; }
  // Of the last answer, as long as the daemon answers.
  [[nodiscard]] BackendState state() const;
  // The daemon's last answer, whatever has become of it since.
  [[nodiscard]] const DaemonStatus& status() const { return status_; }
  [[nodiscard]] const Preferences& preferences() const { return preferences_; }
  // What its health is about, without what a daemon that has just started always says.
  [[nodiscard]] std::vector<HealthWarning> warnings() const;

  // The node is in its tailnet: streams can come and go.
  [[nodiscard]] bool ready() const { return problem().empty(); }
  // Why it is not, and what to do; one sentence.
  [[nodiscard]] std::string problem() const;
  // That its key expires soon, once a day; none: not now.
  std::optional<std::string> poll_key_warning(WallTime now);

  [[nodiscard]] control::TailnetStatus document(const std::string& socket) const;

 private:
  [[nodiscard]] std::string problem_of_state() const;

  Reach reach_ = Reach::not_asked;
  std::string why_;
  DaemonStatus status_;
  Preferences preferences_;
  std::vector<HealthWarning> warnings_;
  std::optional<WallTime> key_warned_;
};

}  // namespace sidestream::tailnet
