// RACK (RFC 8985 section 6): a segment is lost when one that was sent sufficiently later has been
// delivered. Time, not duplicate acknowledgments, tells loss from reordering, so lost
// retransmissions are found as well as lost tails.
#pragma once

#include <optional>

#include "streams/time.h"
#include "tunnel/sack_scoreboard.h"
#include "tunnel/tcp_rtt.h"

namespace sidestream::tunnel {

class Rack {
 public:
  // `segment` was acknowledged, cumulatively or selectively. `original`: the timestamp echo shows
  // that this was not its last retransmission.
  void on_delivered(Instant now, const SentSegment& segment, bool original, Duration rtt_minimum);
  // An acknowledgment carried a DSACK: the window was too small (section 6.2 step 4).
  void on_duplicate_reported(Sequence acknowledged, Sequence next);
  void on_recovery_ended();

  // Marks what is lost. The result is when to look again: set while something may be lost but
  // could also just be late.
  std::optional<Instant> detect(Instant now, SackScoreboard& scoreboard, const RttEstimator& rtt,
                                bool recovering);
  // The retransmission timer expired (section 6.3): the first segment is lost, and whatever was
  // sent so long ago that it should have been acknowledged.
  void mark_lost_on_timeout(Instant now, SackScoreboard& scoreboard, const RttEstimator& rtt);

 private:
  [[nodiscard]] Duration reordering_window(const SackScoreboard& scoreboard,
                                           const RttEstimator& rtt, bool recovering) const;

  Instant sent_at_{};  // of the segment delivered that was sent last: RACK.xmit_ts
  Sequence end_;       // its end: RACK.end_seq
  Duration rtt_{0};    // its round trip: RACK.rtt
  Sequence forward_;   // the highest end delivered: RACK.fack
  bool any_delivered_ = false;
  bool reordering_seen_ = false;
  unsigned window_factor_ = 1;          // RACK.reo_wnd_mult
  unsigned window_factor_persist_ = 0;  // recoveries until it is forgotten
  std::optional<Sequence> duplicate_round_;
};

}  // namespace sidestream::tunnel
