// The sending half of a connection: from written bytes to segments, within the peer's window, the
// congestion window and the pace; zero-window probes; the user timeout. What is lost and how much
// may be in flight is LossRecovery's business.
#pragma once

#include <optional>

#include "streams/bytes.h"
#include "tunnel/loss_recovery.h"
#include "tunnel/send_buffer.h"

namespace sidestream::tunnel {

// What the scheduler of a peer's streams lets one of them send. The default is for one that has the
// line for itself.
struct SendTurn {
  bool text = true;          // false: only what cannot wait (probes, a timer's retransmission)
  bool thin = false;         // as in Macroflow::may_send
  bool others_wait = false;  // for their turn
};

class TcpSender {
 public:
  // Both must outlive the sender.
  TcpSender(const TcpLimits& limits, ChunkPool& pool);

  struct Start {
    Sequence initial;  // ISS
    std::size_t mss;   // payload of a full segment
    bool sack;
    std::optional<TimestampClock> timestamps;
    std::size_t acknowledged = 0;    // of the text that went with the SYN
    Macroflow* macroflow = nullptr;  // as in LossRecovery::Start
    std::unique_ptr<CongestionControl> congestion{};
  };
  // Before that, `bytes_max` may be written already, to go with the SYN.
  void open(Sequence initial, std::size_t bytes_max);
  // The SYN has left; nothing more goes with it. How much does.
  std::size_t close_syn_text();
  [[nodiscard]] std::size_t syn_text_bytes() const { return buffer_.size(); }
  // The handshake is done: the SYN is acknowledged, and so much of what went with it.
  void start(Instant now, Start start);
  void set_mss(std::size_t mss);

  // ---- user -----------------------------------------------------------------------------------
  // Takes what there is room for.
  std::size_t write(Bytes from);
  // True once after write took less than offered, when there is a good deal of room again.
  bool take_writable();
  // A FIN follows what was written.
  void close();

  // ---- peer -----------------------------------------------------------------------------------
  // `sequence`: SEG.SEQ, for the order of window updates. `window` in bytes.
  void on_acknowledged(Instant now, Acknowledgment acknowledgment, Sequence sequence,
                       std::size_t window);
  // False: the user timeout is over.
  bool handle_timeout(Instant now);
  // As in LossRecovery; for window probes as well.
  void on_path_restored(Instant now);
  [[nodiscard]] bool waits_for_path() const {
    return recovery_.rtt().backoffs() > 0 || persist_backoffs_ > 0;
  }

  // ---- to the wire ----------------------------------------------------------------------------
  struct Transmission {
    Sequence begin;
    std::size_t payload_bytes = 0;
    bool fin = false;
    bool push = false;
  };
  // The next segment that is due, which counts as sent with this call. A segment without payload
  // and FIN is a window probe.
  std::optional<Transmission> poll_transmit(Instant now, const SendTurn& turn = {});
  // What kept back, in the last poll_transmit, a segment that was ready.
  enum class Held : std::uint8_t { no, turn, window, pace };
  [[nodiscard]] Held held() const { return held_; }
  void read(Sequence at, MutableBytes into) const { buffer_.read(at, into); }

  // ---- what is known --------------------------------------------------------------------------
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] Sequence unacknowledged() const { return recovery_.unacknowledged(); }  // SND.UNA
  [[nodiscard]] Sequence next() const { return recovery_.next(); }                      // SND.NXT
  [[nodiscard]] std::size_t window() const { return window_; }                          // SND.WND
  [[nodiscard]] std::size_t window_max() const { return window_max_; }
  [[nodiscard]] std::size_t mss() const { return mss_; }
  [[nodiscard]] bool fin_sent() const { return closed_ && next() > buffer_.end(); }
  [[nodiscard]] bool fin_acknowledged() const {
    return closed_ && unacknowledged() > buffer_.end();
  }
  // Nothing is written and not acknowledged.
  [[nodiscard]] bool idle() const { return buffer_.size() == 0 && !recovery_.outstanding(); }
  [[nodiscard]] std::size_t unacknowledged_bytes() const { return buffer_.size(); }
  [[nodiscard]] std::uint64_t sent_bytes() const;
  [[nodiscard]] const LossRecovery& recovery() const { return recovery_; }
  [[nodiscard]] LossRecovery& recovery() { return recovery_; }

  // Nothing will be sent any more; gives the memory back.
  void stop();

 private:
  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] std::size_t unsent_bytes() const;
  [[nodiscard]] bool has_unsent() const { return unsent_bytes() > 0 || (closed_ && !fin_sent()); }
  [[nodiscard]] Sequence window_end() const { return unacknowledged() + window_; }
  // What of the unsent the peer's window lets go now: {begin, begin}: nothing.
  struct Offer {
    std::size_t payload_bytes = 0;
    bool fin = false;
    [[nodiscard]] std::size_t size() const { return payload_bytes + fin; }
  };
  [[nodiscard]] Offer offer() const;
  [[nodiscard]] bool may_send(Instant now, std::size_t bytes);
  std::optional<Transmission> send_again(Instant now);
  std::optional<Transmission> send_new(Instant now);
  std::optional<Transmission> probe_window();
  Transmission transmission(SequenceRange range) const;
  void arm_persist(Instant now);

  const TcpLimits* limits_;
  SendBuffer buffer_;
  LossRecovery recovery_;
  Sequence initial_;
  std::size_t mss_ = 0;
  std::size_t syn_text_room_ = 0;
  std::size_t window_ = 0;          // SND.WND
  std::size_t window_max_ = 0;      // MAX.SND.WND
  Sequence window_sequence_;        // SND.WL1
  Sequence window_acknowledgment_;  // SND.WL2
  bool closed_ = false;
  bool writer_waits_ = false;
  bool memory_short_ = false;  // until an acknowledgment gives some back
  SendTurn turn_;              // of the poll_transmit that is going on
  Held held_ = Held::no;
  bool probe_window_ = false;
  bool send_what_fits_ = false;  // overrides silly window avoidance (RFC 1122 section 4.2.3.4)
  unsigned persist_backoffs_ = 0;
  Instant persist_at_ = Instant::max();
  Instant progress_at_{};  // since when the user timeout runs
};

}  // namespace sidestream::tunnel
