// The order of one sidecar's control messages, so that an old one cannot undo a new one. The edge
// hands out session numbers that only grow; within a session every message has a greater sequence
// number than the one before. Opening a session changes nothing: it takes over with its first
// state, so that a late copy of an opening request is harmless.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/control_codes.h"

namespace sidestream::edge {

// What a sidecar sees as an opaque text. The epoch is random for each run of the edge: a session of
// an earlier run is unknown, never mistaken for one of this run.
struct SessionId {
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  // from 1

  [[nodiscard]] std::string text() const;
  // The same for all sessions of one run.
  [[nodiscard]] std::string run_text() const;
  static std::optional<SessionId> parse(std::string_view text);
  bool operator==(const SessionId&) const = default;
};

class SessionOrder {
 public:
  // `number` is greater than all before it.
  void open(std::uint64_t number) { at_.opened = number; }

  // Why the message must be refused; none when it may be accepted. Only a state may be the first
  // message of a session.
  [[nodiscard]] std::optional<control::Refusal> check(std::uint64_t number, std::uint64_t sequence,
                                                      bool is_state) const;
  // After check() has found nothing. Returns whether this began the session.
  bool accept(std::uint64_t number, std::uint64_t sequence);
  // The current session is over; its number is never accepted again.
  void end() { at_.active = false; }

  [[nodiscard]] bool active() const { return at_.active; }

  // All that there is, for a process that goes on where this one stops.
  struct Place {
    bool active = false;
    std::uint64_t current = 0;  // stays when the session is over
    std::uint64_t sequence = 0;
    std::uint64_t opened = 0;
    bool operator==(const Place&) const = default;
  };
  [[nodiscard]] const Place& place() const { return at_; }
  void go_on_at(const Place& place) { at_ = place; }

 private:
  Place at_;
};

}  // namespace sidestream::edge
