#include "sidecar/health.h"

#include <utility>

namespace sidestream::sidecar {

std::string_view LineProbe::greeting() const {
  if (kind_ != HealthKind::electrum) return {};
  // The first message of every Electrum session; 1.4 is what wallets of the last years speak.
  return R"({"id":0,"method":"server.version","params":["sidestream","1.4"]})"
         "\n";
}

LineProbe::Verdict LineProbe::feed(Bytes received) {
  for (const std::uint8_t byte : received) {
    if (++received_bytes_ > answer_bytes_max) return fail("its answer does not end");
    if (byte != '\n') {
      line_.push_back(static_cast<char>(byte));
      continue;
    }
    const std::string line = std::exchange(line_, {});
    const Verdict verdict =
        kind_ == HealthKind::ssh ? judge_ssh_line(line) : judge_electrum_line(line);
    if (verdict != Verdict::need_more) return verdict;
  }
  return Verdict::need_more;
}

LineProbe::Verdict LineProbe::feed_end() {
  return fail(received_bytes_ == 0 ? "it closed the connection without a word"
                                   : "it closed the connection in the middle of its answer");
}

LineProbe::Verdict LineProbe::fail(std::string reason) {
  reason_ = std::move(reason);
  return Verdict::unhealthy;
}

LineProbe::Verdict LineProbe::judge_ssh_line(std::string_view line) {
  if (line.starts_with("SSH-2.0-") || line.starts_with("SSH-1.99-")) return Verdict::healthy;
  // A server may send other lines before its identification.
  if (!line.starts_with("SSH-")) return Verdict::need_more;
  return fail("it speaks an SSH version that nobody should use");
}

LineProbe::Verdict LineProbe::judge_electrum_line(std::string_view line) {
  // Notifications have no id; the answer to our id 0 has a result or an error.
  if (line.find("\"result\"") != std::string_view::npos &&
      line.find("\"error\":{") == std::string_view::npos)
    return Verdict::healthy;
  if (line.find("\"error\"") != std::string_view::npos)
    return fail("it answered server.version with an error");
  if (line.find("\"method\"") != std::string_view::npos) return Verdict::need_more;
  return fail("its answer is not of the Electrum protocol");
}

HealthJudge::HealthJudge(HealthKind kind, const HealthLimits& limits) : limits_(limits) {
  if (kind == HealthKind::none) state_ = State::healthy;
}

bool HealthJudge::record_success() {
  failures_in_a_row_ = 0;
  ++successes_in_a_row_;
  if (state_ == State::unhealthy && successes_in_a_row_ < limits_.successes_until_healthy)
    return false;
  reason_.clear();
  return move_to(State::healthy);
}

bool HealthJudge::record_failure(std::string reason) {
  reason_ = std::move(reason);
  successes_in_a_row_ = 0;
  ++failures_in_a_row_;
  if (state_ == State::healthy && failures_in_a_row_ < limits_.failures_until_unhealthy)
    return false;
  return move_to(State::unhealthy);
}

void HealthJudge::adopt(const HealthJudge& other) {
  state_ = other.state_;
  reason_ = other.reason_;
  successes_in_a_row_ = other.successes_in_a_row_;
  failures_in_a_row_ = other.failures_in_a_row_;
}

bool HealthJudge::move_to(State state) {
  return std::exchange(state_, state) != state;
}

Duration HealthJudge::until_next_probe() const {
  const bool steady = state_ == State::healthy && failures_in_a_row_ == 0;
  return steady ? limits_.interval : limits_.interval_unhealthy;
}

std::string_view text_of(HealthJudge::State state) {
  switch (state) {
    case HealthJudge::State::unknown:
      return "unknown";
    case HealthJudge::State::healthy:
      return "healthy";
    case HealthJudge::State::unhealthy:
      return "unhealthy";
  }
  return "unknown";
}

}  // namespace sidestream::sidecar
