// BBR: sends as fast as the path delivers, with as much in flight as bandwidth and shortest round
// trip say, and takes loss alone for no sign of a full path (Cardwell, Cheng, Gunn, Yeganeh,
// Jacobson, "BBR: Congestion-Based Congestion Control", 2017; draft-cardwell-iccrg-bbr-congestion-
// control-00, whose names are kept, and Linux's compensation for bunched acknowledgments). Which
// version, and what is taken from the later ones, is in docs/decisions.
#pragma once

#include <array>

#include "tunnel/congestion_control.h"
#include "tunnel/windowed_maximum.h"

namespace sidestream::tunnel {

// Where the versions of BBR differ, so that they can be measured against each other.
struct BbrParameters {
  // PROBE_RTT: how often, when no shorter round trip was seen by itself, and what stays in flight
  // (bandwidth-delay products; 0: four segments).
  Duration probe_rtt_interval = 10s;
  double probe_rtt_gain = 0.5;
  // A round that loses more than this part of what it sent has filled the queue: startup ends, and
  // what is in flight is bounded. 1: never. In startup, which sends twice what the path takes when
  // it finds the end of the queue, and has few packets to judge by before, it must be more.
  double loss_threshold = 0.06;
  double startup_loss_threshold = 0.2;
  // How much of what was in flight then may be so again.
  double loss_beta = 0.7;
  // STARTUP: how much may be in flight, in bandwidth-delay products; and whether one round without
  // growth is enough to end it when the round trip shows a queue (three are, without).
  double startup_window_gain = 2;
  bool queue_ends_startup = true;
  // Whether a round with any loss lowers the bandwidth in use until the next probe (versions 2, 3).
  bool lower_bound = false;
};

class Bbr final : public CongestionControl {
 public:
  explicit Bbr(std::size_t mss, const BbrParameters& parameters = {});

  void on_ack(const AckSample& sample) override;
  void on_loss(Instant now, std::size_t in_flight_bytes) override;
  void on_recovered(Instant now) override;
  void on_timeout(Instant now, std::size_t in_flight_bytes) override;
  void on_spurious_loss(Instant now) override;
  void on_sent(std::size_t /*bytes*/) override {}
  void on_idle(Instant now, Duration idle, Duration rto) override;
  void set_mss(std::size_t mss) override;
  [[nodiscard]] bool models_path() const override { return true; }
  [[nodiscard]] std::size_t window() const override;
  [[nodiscard]] std::uint64_t pacing_rate() const override;

  enum class State : std::uint8_t { startup, drain, probe_bandwidth, probe_rtt };
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::uint64_t bandwidth() const;  // bytes per second

 private:
  void begin_round(const AckSample& sample);
  void end_round_of_losses(const AckSample& sample);
  void update_bandwidth(const AckSample& sample);
  void update_aggregation(const AckSample& sample);
  void update_cycle(const AckSample& sample);
  void check_full_pipe(const AckSample& sample);
  void check_drain(const AckSample& sample);
  void update_minimum_rtt(const AckSample& sample);
  void update_window(const AckSample& sample);
  void enter_startup_or_probe_bandwidth(Instant now);
  void enter_cycle_phase(Instant now, std::size_t phase);
  void save_window();
  void restore_window();

  // BBRInflight: bandwidth-delay product times gain, and what pacing in bursts needs.
  [[nodiscard]] double in_flight_for(double gain) const;
  [[nodiscard]] double product() const;
  [[nodiscard]] double send_quantum() const;
  [[nodiscard]] double window_min() const;
  [[nodiscard]] double pacing_gain() const;
  [[nodiscard]] double window_gain() const;

  const BbrParameters parameters_;
  double mss_;
  State state_ = State::startup;
  double window_;
  double prior_window_ = 0;

  // Rounds, by what was delivered.
  std::uint64_t round_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t next_round_delivered_ = 0;
  bool round_started_ = false;

  // The model: bandwidth (bytes per second) and shortest round trip.
  WindowedMaximum bandwidth_;
  double bandwidth_low_;
  Duration minimum_rtt_{0};
  Instant minimum_rtt_at_{};
  Duration smoothed_rtt_{0};
  std::uint64_t rate_ = 0;  // that is paced; startup never lowers it

  // Startup: bandwidth has not grown by a quarter for so many rounds.
  double full_bandwidth_ = 0;
  unsigned full_rounds_ = 0;
  bool full_pipe_ = false;

  // PROBE_BW.
  std::size_t phase_ = 0;
  Instant phase_began_{};
  // PROBE_RTT.
  std::optional<Instant> probe_rtt_done_;
  bool probe_rtt_round_done_ = false;
  bool idle_restart_ = false;

  // Recovery: in its first round one byte goes for each that was delivered.
  bool recovering_ = false;
  bool packet_conservation_ = false;

  // What acknowledgments brought beyond the bandwidth: maxima of two spans of rounds.
  Instant aggregation_began_{};
  double aggregation_bytes_ = 0;
  std::array<double, 2> aggregation_extra_{};
  unsigned aggregation_rounds_ = 0;

  // Loss, round by round.
  double round_lost_ = 0;
  double round_delivered_ = 0;
  double round_in_flight_ = 0;
  double round_rate_ = 0;
  unsigned round_loss_events_ = 0;
  Duration round_rtt_ = Duration::max();
  Duration last_round_rtt_{0};
  double in_flight_high_;  // infinity: not bounded
};

std::unique_ptr<CongestionControl> make_bbr(std::size_t mss);

}  // namespace sidestream::tunnel
