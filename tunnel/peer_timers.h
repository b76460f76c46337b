// The timers of one peer (section 6): facts in, due actions out. What the paper leaves open is done
// as Linux does it.
#pragma once

#include <algorithm>
#include <optional>

#include "streams/random.h"
#include "streams/time.h"
#include "tunnel/wireguard_limits.h"

namespace sidestream::tunnel {

class PeerTimers {
 public:
  static constexpr Instant never = Instant::max();

  // `random` gives the jitter and must outlive it.
  explicit PeerTimers(RandomSource& random) : random_(random) {}

  // ---- facts -------------------------------------------------------------------------------
  void on_initiation_sent(Instant now);
  void on_response_sent(Instant now);
  // A session exists; it may still wait for its confirmation.
  void on_session_derived(Instant now);
  // Packets can flow in both directions.
  void on_handshake_completed();
  // Data messages: with content (`data`) or keepalives.
  void on_transport_sent(Instant now, bool data);
  void on_transport_received(Instant now, bool data);
  // A handshake message of the peer was good.
  void on_handshake_received(Instant now);
  // 0 switches it off, anything else begins with a keepalive at once.
  void set_persistent_keepalive(Duration interval);
  // Nothing is waited for any more, but for persistent keepalives.
  void on_sessions_dropped();

  // ---- asking for handshakes ----------------------------------------------------------------
  // Whether a new series of initiations may begin now: not within `pause` of the last handshake
  // message sent (section 5.1: of an initiation; Linux counts responses too). If not, it is due as
  // soon as it may.
  [[nodiscard]] bool request_handshake(Instant now, Duration pause = rekey_timeout);
  [[nodiscard]] bool handshake_series_running() const { return retry_at_ != never; }

  // ---- time --------------------------------------------------------------------------------
  struct Due {
    bool retry_handshake = false;     // send another initiation of this series
    bool new_handshake = false;       // data was not answered: begin a series
    bool deferred_handshake = false;  // begin the series that was asked for too early
    bool give_up = false;             // the series ended without an answer
    bool keepalive = false;
    bool zero_keys = false;
  };
  Due handle_timeout(Instant now);
  // `never` when nothing is due.
  [[nodiscard]] Instant next_deadline() const {
    return std::min({retry_at_, deferred_at_, new_handshake_at_, keepalive_at_,
                     persistent_keepalive_at_, zero_keys_at_});
  }

 private:
  void on_authenticated_sent(Instant now);
  void on_authenticated_received(Instant now);
  void on_traffic(Instant now);
  void defer_handshake(Duration pause);
  [[nodiscard]] bool handshake_is_recent(Instant now, Duration pause) const;
  Duration jitter();

  RandomSource& random_;
  Instant retry_at_ = never;
  Instant deferred_at_ = never;
  Duration deferred_pause_{0};
  Instant new_handshake_at_ = never;
  Instant keepalive_at_ = never;
  Instant persistent_keepalive_at_ = never;
  Instant zero_keys_at_ = never;
  Duration persistent_keepalive_{0};
  std::optional<Instant> last_handshake_sent_;
  unsigned retries_ = 0;
  bool another_keepalive_ = false;
};

}  // namespace sidestream::tunnel
