// Whether a backend is well: what a probe says on the wire and what its answers mean, and the
// judgement over several probes. The transport is not here.
#pragma once

#include <string>
#include <string_view>

#include "streams/bytes.h"
#include "streams/time.h"

namespace sidestream::sidecar {

// How a backend is asked. Text forms are those of `health:` in sidecar.yaml.
enum class HealthKind {
  tcp,       // it accepts a connection
  tls,       // it finishes a TLS handshake
  ssh,       // it greets as SSH does (RFC 4253 section 4.2)
  electrum,  // it answers server.version of the Electrum protocol
  none,      // always published
};

// The text part of a probe on a connected backend, for the kinds that talk in lines.
class LineProbe {
 public:
  enum class Verdict { need_more, healthy, unhealthy };
  static constexpr std::size_t answer_bytes_max = 16 * 1024;

  // `kind` is ssh or electrum.
  explicit LineProbe(HealthKind kind) : kind_(kind) {}

  // What is sent first; empty: the server speaks first.
  [[nodiscard]] std::string_view greeting() const;
  Verdict feed(Bytes received);
  // The peer ended its direction.
  Verdict feed_end();
  // Why unhealthy, for a person.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  Verdict fail(std::string reason);
  Verdict judge_ssh_line(std::string_view line);
  Verdict judge_electrum_line(std::string_view line);

  HealthKind kind_;
  std::string line_;
  std::size_t received_bytes_ = 0;
  std::string reason_;
};

struct HealthLimits {
  int successes_until_healthy = 1;   // of one that was unhealthy
  int failures_until_unhealthy = 2;  // of one that was healthy
  Duration interval = 5s;            // between probes of a healthy backend
  Duration interval_unhealthy = 2s;  // and of one that is not (yet)
  Duration timeout = 3s;             // of one probe, dialling included
};

// Judges a series of probes: so many successes in a row make a backend healthy, so many failures in
// a row make it unhealthy. Of one that nobody knows yet the first probe decides.
class HealthJudge {
 public:
  enum class State { unknown, healthy, unhealthy };

  explicit HealthJudge(HealthKind kind, const HealthLimits& limits = {});

  // Both return whether the state changed.
  bool record_success();
  bool record_failure(std::string reason);

  // The verdict of another one on the same backend.
  void adopt(const HealthJudge& other);

  [[nodiscard]] State state() const { return state_; }
  // Of the latest failure; empty while healthy, but for a failure that is forgiven.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] Duration until_next_probe() const;

 private:
  bool move_to(State state);

  HealthLimits limits_;
  State state_ = State::unknown;
  int successes_in_a_row_ = 0;
  int failures_in_a_row_ = 0;
  std::string reason_;
};

[[nodiscard]] std::string_view text_of(HealthJudge::State state);

}  // namespace sidestream::sidecar
