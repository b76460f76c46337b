// The receiving half of a connection: which segments are acceptable, reassembly, when to
// acknowledge (RFC 9293 section 3.8.6, RFC 5681 section 4.2), which SACK and DSACK blocks to report
// (RFC 2018, RFC 2883), and how much window to promise.
#pragma once

#include <array>
#include <optional>

#include "streams/bytes.h"
#include "tunnel/chunk_pool.h"
#include "tunnel/receive_buffer.h"
#include "tunnel/receive_window.h"
#include "tunnel/tcp_segment.h"

namespace sidestream::tunnel {

class TcpReceiver {
 public:
  // Both must outlive the receiver.
  TcpReceiver(const TcpLimits& limits, ChunkPool& pool);

  struct Start {
    Sequence initial;           // IRS
    std::size_t mss;            // that we announced
    std::uint8_t window_scale;  // ours
    bool sack;
  };
  // The peer's SYN is known.
  void start(Start start);

  // ---- peer -----------------------------------------------------------------------------------
  // RFC 9293 section 3.10.7.4, first check.
  [[nodiscard]] bool acceptable(Sequence at, std::size_t length) const;
  // Text and FIN of a segment.
  void accept(Instant now, Sequence at, Bytes text, bool fin);
  // A segment was not acceptable; it may have been a duplicate, which DSACK reports.
  void on_unacceptable(Sequence at, std::size_t text_bytes);
  void on_rtt(Duration rtt) { receive_window_.on_rtt(rtt); }
  [[nodiscard]] bool has_rtt() const { return receive_window_.has_rtt(); }

  // ---- user -----------------------------------------------------------------------------------
  std::size_t read(Instant now, MutableBytes into);
  [[nodiscard]] std::size_t readable() const { return buffer_.readable(); }
  // The FIN arrived and everything before it too.
  [[nodiscard]] bool ended() const { return ended_; }

  // ---- acknowledgments ------------------------------------------------------------------------
  void acknowledge_now() { acknowledge_now_ = true; }
  [[nodiscard]] bool wants_acknowledgment(Instant now) const {
    return acknowledge_now_ || duplicates_owed_ > 0 || now >= delayed_until_;
  }
  // The same, whenever it may be.
  [[nodiscard]] bool owes_acknowledgment() const {
    return acknowledge_now_ || duplicates_owed_ > 0 || delayed_until_ != Instant::max();
  }
  // SACK blocks are waiting that do not fit into segments with data.
  [[nodiscard]] bool wants_pure_acknowledgment() const {
    return (acknowledge_now_ && !buffer_.out_of_order().empty()) || duplicate_ || duplicates_owed_;
  }
  [[nodiscard]] Instant deadline() const { return delayed_until_; }
  // Adds what SACK has to say, as far as there is room beside the options that are set.
  void report(TcpOptions& options);
  // The window field of the segment that is about to leave, and with it the promise.
  std::uint16_t announce();
  // The same for a SYN, whose window is not scaled (RFC 7323 section 2.2).
  std::uint16_t announce_unscaled();
  // A segment left that acknowledges everything up to next().
  void on_acknowledgment_sent();
  // The window that the peer may rely on.
  [[nodiscard]] std::size_t window() const { return announced_end_.since(next()); }

  [[nodiscard]] Sequence initial() const { return initial_; }
  [[nodiscard]] Sequence next() const { return buffer_.next() + ended_; }       // RCV.NXT
  [[nodiscard]] Sequence last_acknowledgment() const { return acknowledged_; }  // Last.ACK.sent
  [[nodiscard]] std::uint64_t received_bytes() const { return buffer_.next().since(initial_ + 1); }
  // Gives the memory back; what was not read is lost.
  void stop();

 private:
  void store(Instant now, Sequence at, Bytes text);
  void on_in_order(Instant now, std::size_t bytes, bool filled_hole);
  void note_duplicate(SequenceRange range);
  void note_recent(Sequence at);
  [[nodiscard]] Sequence window_goal() const;
  // The least advance of the window worth telling (RFC 9293 section 3.8.6.2.2).
  [[nodiscard]] std::size_t worthwhile_advance() const;

  const TcpLimits* limits_;
  ChunkPool* pool_;
  ReceiveBuffer buffer_;
  ReceiveWindow receive_window_;
  Sequence initial_;
  Sequence announced_end_;  // right edge of the window promised; never moves left
  Sequence acknowledged_;
  std::optional<Sequence> fin_at_;
  std::size_t mss_ = 0;
  std::size_t peer_segment_bytes_ = 0;  // the largest that came: what the peer calls full
  std::size_t unacknowledged_bytes_ = 0;
  std::size_t told_ahead_ = 0;  // to the receive window, of bytes that are not read yet
  Instant delayed_until_ = Instant::max();
  std::optional<SequenceRange> duplicate_;          // for DSACK
  std::array<Sequence, sack_blocks_max> recent_{};  // places in the ranges changed last
  std::uint8_t recent_count_ = 0;
  std::uint8_t duplicates_owed_ = 0;  // acknowledgments to a peer that counts them, without SACK
  std::uint8_t window_scale_ = 0;
  bool sack_ = false;
  bool ended_ = false;
  bool acknowledge_now_ = false;
  // There was no memory for what the window had promised: until there is, it is said to be shut, or
  // one chunk when nothing waits for the reader. What comes all the same is taken if it can be.
  bool withdrawn_ = false;
};

}  // namespace sidestream::tunnel
