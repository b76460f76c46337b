// Reliability and congestion of one direction: measures the round trip, finds out what is lost
// (RACK and tail loss probes, RFC 8985; the retransmission timer, RFC 6298; duplicate
// acknowledgments when the peer has no SACK, RFC 6582), tells the congestion control, and takes a
// verdict back that timestamps (RFC 3522, 4015) or DSACK (RFC 3708) prove wrong.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "tunnel/macroflow.h"
#include "tunnel/rack.h"
#include "tunnel/sack_scoreboard.h"
#include "tunnel/tcp_rtt.h"
#include "tunnel/tcp_segment.h"
#include "tunnel/timestamp_clock.h"

namespace sidestream::tunnel {

// What a segment says about what we sent.
struct Acknowledgment {
  Sequence number;                      // SEG.ACK, in [SND.UNA, SND.NXT]
  std::span<const SackBlock> sack{};    //
  std::optional<std::uint32_t> echo{};  // TSecr
  bool may_be_duplicate = false;        // RFC 5681: no data, no FIN, window unchanged
};

class LossRecovery {
 public:
  // `limits` must outlive the object.
  explicit LossRecovery(const TcpLimits& limits);
  ~LossRecovery();

  struct Start {
    Sequence first;  // of the data: ISS + 1
    std::size_t mss;
    bool sack;
    std::optional<TimestampClock> timestamps;
    // The one shared with others, which must outlive the object; null: one of its own around …
    Macroflow* macroflow = nullptr;
    std::unique_ptr<CongestionControl> congestion{};  // … this
  };
  void start(Instant now, Start start);
  void set_mss(std::size_t mss);

  // ---- what happened ------------------------------------------------------------------------
  void on_sent(SequenceRange range, Instant now);
  void on_sent_again(SentSegment& segment, Instant now);
  void on_acknowledged(Instant now, const Acknowledgment& acknowledgment);
  // The peer's, after an acknowledgment. When it shuts over what is in flight there was no memory
  // for that: it is sent again when the window opens, or one segment when the timer goes off, and
  // tells nothing of the path.
  void on_window(Instant now, std::size_t bytes);
  // The window kept us from sending more.
  void on_window_limited() { limited_at_ = next_; }
  // Neither window nor pacing did: there was nothing to send.
  void on_application_limited();
  void on_handshake_rtt(Instant now, Duration rtt) { rtt_.on_sample(now, rtt, 1); }
  void on_handshake_without_rtt() { rtt_.on_handshake_without_sample(); }
  // Timers that are due. `unsent`: a tail loss probe could be new data.
  void handle_timeout(Instant now, bool unsent);
  // A path that was dead carries again: what a retransmission timer would send when its doubled
  // time is over is sent again now, as far as window and pacing let it.
  void on_path_restored(Instant now);
  // Nothing will be sent any more.
  void stop();

  // ---- what to do -----------------------------------------------------------------------------
  // The next segment to send again; null: none. Forced: whatever window and pacing say.
  [[nodiscard]] SentSegment* due(bool& forced);
  // A probe of new data is wanted, whatever window and pacing say.
  [[nodiscard]] bool wants_new_text_probe() const { return probe_ == Probe::new_text; }
  // New data cannot be sent after all.
  void probe_with_last_segment() { probe_ = Probe::last_segment; }
  [[nodiscard]] Instant deadline() const;

  // ---- what is known --------------------------------------------------------------------------
  [[nodiscard]] Sequence unacknowledged() const { return acknowledged_; }  // SND.UNA
  [[nodiscard]] Sequence next() const { return next_; }                    // SND.NXT
  [[nodiscard]] bool started() const { return macroflow_ != nullptr; }
  [[nodiscard]] bool outstanding() const { return !scoreboard_.empty(); }
  [[nodiscard]] std::size_t segment_count() const { return scoreboard_.count(); }
  [[nodiscard]] std::size_t in_flight_bytes() const;
  // The timer went off and nothing was acknowledged since.
  [[nodiscard]] bool timed_out() const { return rtt_.backoffs() > 0; }
  // And something was sent again: one segment at a time, when it goes off.
  [[nodiscard]] bool silent() const { return timed_out() && in_flight_bytes() > 0; }
  [[nodiscard]] Macroflow& macroflow() { return *macroflow_; }
  [[nodiscard]] const Macroflow& macroflow() const { return *macroflow_; }
  [[nodiscard]] bool shares_macroflow() const { return own_macroflow_ == nullptr; }
  [[nodiscard]] const RttEstimator& rtt() const { return rtt_; }
  [[nodiscard]] std::uint64_t retransmitted_segments() const { return retransmitted_segments_; }

 private:
  enum class Phase { open, recovery, loss };
  enum class Probe { none, new_text, last_segment };

  // What one acknowledgment has brought so far.
  struct Delivery {
    std::size_t bytes = 0;
    std::optional<Duration> rtt;
    Instant rtt_sent_at{};
    bool original_arrived = false;  // of a segment that the episode sent again
    bool duplicate_reported = false;
    bool spurious = false;
  };
  void count_delivered(Instant now, const SentSegment& segment, const Acknowledgment& ack,
                       Delivery& delivery);
  void read_sack(Instant now, const Acknowledgment& ack, Delivery& delivery);
  void on_duplicate_reported(SequenceRange range, Delivery& delivery);
  void count_duplicate_acknowledgments(const Acknowledgment& ack, std::size_t acknowledged_bytes,
                                       std::size_t acknowledged_segments);
  void process_probe(Instant now, const Acknowledgment& ack, bool duplicate);
  void begin_episode(Phase phase);
  void end_episode(Instant now);
  void undo_episode(Instant now);
  [[nodiscard]] bool shows_original(const Acknowledgment& ack, Instant sent_again_at) const {
    return timestamps_ && ack.echo && timestamp_before(*ack.echo, timestamps_->at(sent_again_at));
  }
  void take_rtt(Instant now, const Acknowledgment& ack, const Delivery& delivery,
                std::size_t acknowledged_bytes);
  // Returns how many bytes are lost that were not before.
  std::size_t find_losses(Instant now, std::size_t in_flight_before, std::size_t lost_before);
  void on_retransmission_timeout(Instant now);
  void mark_lost_on_timeout(Instant now);
  // How long a segment was on its way tells nothing of a path that was dead meanwhile, which is
  // when the timer went off again and again.
  [[nodiscard]] bool measures_path(Instant sent_at) const {
    return rtt_.backoffs() < 2 || sent_at >= timed_out_at_;
  }
  void arm_probe(Instant now);
  [[nodiscard]] AckSample sample_of(Instant now, std::size_t in_flight_before,
                                    std::size_t lost_bytes) const;
  [[nodiscard]] DeliveryMark mark_of_now(Instant now);
  // What a silent stream has sent is on its way no more, as far as anybody can tell, and takes no
  // room from the others.
  void count_in_flight() { macroflow_->set_in_flight(part_, silent() ? 0 : in_flight_bytes()); }

  const TcpLimits* limits_;
  SackScoreboard scoreboard_;
  Rack rack_;
  RttEstimator rtt_;
  std::unique_ptr<Macroflow> own_macroflow_;
  Macroflow* macroflow_ = nullptr;
  Macroflow::Part part_;
  std::optional<TimestampClock> timestamps_;
  std::size_t mss_ = 0;
  bool sack_ = false;

  Sequence acknowledged_;
  Sequence next_;
  Sequence round_end_;
  Sequence limited_at_;
  std::uint64_t retransmitted_segments_ = 0;

  // The episode: from a loss until all that was sent before it is acknowledged.
  Phase phase_ = Phase::open;
  Sequence episode_begin_;
  Sequence episode_end_;
  std::uint32_t episode_unproven_ = 0;  // retransmissions that no DSACK has called needless
  bool episode_retransmitted_ = false;
  bool episode_undoable_ = false;
  Instant episode_retransmitted_at_{};  // the first one
  bool forced_ = false;
  bool shut_ = false;        // the peer's window
  unsigned duplicates_ = 0;  // duplicate acknowledgments, when the peer has no SACK

  Probe probe_ = Probe::none;
  std::optional<Sequence> probe_end_;  // TLP.end_seq
  bool probe_was_retransmission_ = false;

  Instant timed_out_at_{};  // the last time
  Instant timeout_at_ = Instant::max();
  Instant probe_at_ = Instant::max();
  Instant reorder_at_ = Instant::max();
};

}  // namespace sidestream::tunnel
