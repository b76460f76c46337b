#include "tunnel/peer_timers.h"

#include <utility>

namespace sidestream::tunnel {
namespace {

bool take_due(Instant& timer, Instant now) {
  if (now < timer) return false;
  timer = PeerTimers::never;
  return true;
}

}  // namespace

Duration PeerTimers::jitter() {
  const auto range = std::chrono::duration_cast<std::chrono::microseconds>(rekey_jitter_max);
  return std::chrono::microseconds(random_.below(static_cast<std::uint32_t>(range.count()) + 1));
}

void PeerTimers::on_initiation_sent(Instant now) {
  last_handshake_sent_ = now;
  deferred_at_ = never;
  retry_at_ = now + rekey_timeout + jitter();
  on_authenticated_sent(now);
}

void PeerTimers::on_response_sent(Instant now) {
  last_handshake_sent_ = now;
  on_authenticated_sent(now);
}

void PeerTimers::on_session_derived(Instant now) {
  zero_keys_at_ = now + zero_keys_after_time;
}

void PeerTimers::on_handshake_completed() {
  retry_at_ = never;
  deferred_at_ = never;
  retries_ = 0;
}

void PeerTimers::on_transport_sent(Instant now, bool data) {
  on_authenticated_sent(now);
  if (data && new_handshake_at_ == never)
    new_handshake_at_ = now + keepalive_timeout + rekey_timeout + jitter();
}

void PeerTimers::on_transport_received(Instant now, bool data) {
  on_authenticated_received(now);
  if (!data) return;
  if (keepalive_at_ == never)
    keepalive_at_ = now + keepalive_timeout;
  else
    another_keepalive_ = true;
}

void PeerTimers::on_handshake_received(Instant now) {
  on_authenticated_received(now);
}

void PeerTimers::set_persistent_keepalive(Duration interval) {
  persistent_keepalive_ = interval;
  persistent_keepalive_at_ = interval > Duration::zero() ? Instant{} : never;
}

void PeerTimers::on_sessions_dropped() {
  retry_at_ = deferred_at_ = new_handshake_at_ = keepalive_at_ = zero_keys_at_ = never;
  last_handshake_sent_.reset();
  retries_ = 0;
  another_keepalive_ = false;
}

void PeerTimers::on_authenticated_sent(Instant now) {
  keepalive_at_ = never;
  another_keepalive_ = false;
  on_traffic(now);
}

void PeerTimers::on_authenticated_received(Instant now) {
  new_handshake_at_ = never;
  on_traffic(now);
}

void PeerTimers::on_traffic(Instant now) {
  if (persistent_keepalive_ > Duration::zero())
    persistent_keepalive_at_ = now + persistent_keepalive_;
}

bool PeerTimers::handshake_is_recent(Instant now, Duration pause) const {
  return last_handshake_sent_ && now - *last_handshake_sent_ < pause;
}

void PeerTimers::defer_handshake(Duration pause) {
  const Instant at = *last_handshake_sent_ + pause;
  if (at >= deferred_at_) return;
  deferred_at_ = at;
  deferred_pause_ = pause;
}

bool PeerTimers::request_handshake(Instant now, Duration pause) {
  retries_ = 0;
  if (!handshake_is_recent(now, pause)) return true;
  if (!handshake_series_running()) defer_handshake(pause);
  return false;
}

PeerTimers::Due PeerTimers::handle_timeout(Instant now) {
  Due due;
  if (take_due(retry_at_, now)) {
    if (retries_ > handshake_retries_max) {
      due.give_up = true;
      retries_ = 0;
      keepalive_at_ = never;
      another_keepalive_ = false;
      if (zero_keys_at_ == never) zero_keys_at_ = now + zero_keys_after_time;
    } else if (handshake_is_recent(now, rekey_timeout)) {
      // We answered the peer's own initiation meanwhile; that session is probably the better one.
      defer_handshake(rekey_timeout);
    } else {
      ++retries_;
      due.retry_handshake = true;
    }
  }
  if (take_due(deferred_at_, now)) {
    due.deferred_handshake = !handshake_is_recent(now, deferred_pause_);
    if (!due.deferred_handshake) defer_handshake(deferred_pause_);
  }
  due.new_handshake = take_due(new_handshake_at_, now);
  if (take_due(keepalive_at_, now)) {
    due.keepalive = true;
    if (std::exchange(another_keepalive_, false)) keepalive_at_ = now + keepalive_timeout;
  }
  if (take_due(persistent_keepalive_at_, now)) {
    due.keepalive = true;
    on_traffic(now);
  }
  due.zero_keys = take_due(zero_keys_at_, now);
  return due;
}

}  // namespace sidestream::tunnel
