// One connection: the state diagram of RFC 9293 section 3.3.2 around a sender and a receiver.
// LISTEN is the stack's, and so is TIME-WAIT, which it takes over as soon as the connection says
// so.
#pragma once

#include <cstdint>
#include <optional>

#include "streams/bytes.h"
#include "tunnel/reply_queue.h"
#include "tunnel/tcp_ends.h"
#include "tunnel/tcp_receiver.h"
#include "tunnel/tcp_segment.h"
#include "tunnel/tcp_sender.h"
#include "tunnel/tcp_stack.h"
#include "tunnel/timestamp_echo.h"

namespace sidestream::tunnel {

// What all connections of a stack share. Outlives them.
struct TcpSurroundings {
  const TcpLimits& limits;
  ChunkPool& pool;
  ReplyQueue& replies;
  std::size_t mtu;
  MakeCongestionControl make_congestion_control;
};

enum class TcpState {
  syn_sent,
  syn_received,
  established,
  fin_wait_1,
  fin_wait_2,
  close_wait,
  closing,
  last_ack,
  time_wait,
  closed,
};

class TcpConnection {
 public:
  // What is chosen by the stack for each connection, unpredictable from outside (RFC 6528).
  struct Secrets {
    std::uint32_t initial_sequence;
    std::uint32_t timestamp_offset;
  };
  // Active open: SYN-SENT. `surroundings` must outlive the connection.
  TcpConnection(Instant now, const TcpSurroundings& surroundings, const TcpEnds& ends,
                Secrets secrets);
  // Passive open, by the SYN that a listener got: SYN-RECEIVED.
  TcpConnection(Instant now, const TcpSurroundings& surroundings, const TcpEnds& ends,
                Secrets secrets, const TcpSegment& syn);
  // Shares this with the other connections to the same peer once it is opened. Outlives it.
  void share(Macroflow& macroflow) { macroflow_ = &macroflow; }
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // Passive: takes the text of the SYN, and opens at once for the user.
  void open_early(Instant now, const TcpSegment& syn);

  // ---- the machine ----------------------------------------------------------------------------
  void handle_segment(Instant now, const TcpSegment& segment);
  // `mtu` of the path, as ICMP tells about the segment that began at `sequence`.
  void handle_packet_too_big(std::size_t mtu, std::uint32_t sequence);
  // As it was found out by probes.
  void set_path_mtu(std::size_t mtu);
  // Something large is not answered, while the path may well carry what is small.
  [[nodiscard]] bool doubts_path_mtu() const;
  void handle_unreachable(std::uint32_t sequence);
  void handle_timeout(Instant now);
  // As TcpStack::handle_path_restored; does something only if this waits for the path.
  void handle_path_restored(Instant now);
  [[nodiscard]] bool waits_for_path() const {
    return !opened_ || early_ || sender_.waits_for_path();
  }
  // What it sent last was not answered.
  [[nodiscard]] bool silent() const { return !opened_ || early_ || sender_.recovery().silent(); }
  [[nodiscard]] Instant deadline() const;
  // As TcpStack::poll_transmit.
  std::size_t poll_transmit(Instant now, MutableBytes buffer, const SendTurn& turn = {});
  // As TcpSender::held.
  [[nodiscard]] TcpSender::Held held() const { return sender_.held(); }

  // ---- the user -------------------------------------------------------------------------------
  TcpStack::ReadResult read(Instant now, MutableBytes into);
  // Whether read() would return bytes, the end or an error now.
  [[nodiscard]] bool has_something_to_read() const {
    return error_ != TcpError::none || (opened_ && (receiver_.readable() > 0 || receiver_.ended()));
  }
  // Before `connected` only what may go with the SYN, which must not have left yet.
  std::size_t write(Bytes from);
  void close_write();
  void abort();
  // As if the peer had reset it: the owner hears of it.
  void fail_as_reset();
  // The next thing to tell, at most once each; none of `accepted`.
  std::optional<StackEvent::Kind> poll_event();
  [[nodiscard]] bool has_event() const { return events_ != 0; }

  // ---- what is known --------------------------------------------------------------------------
  [[nodiscard]] TcpState state() const { return state_; }
  [[nodiscard]] TcpError error() const { return error_; }
  [[nodiscard]] const TcpEnds& ends() const { return ends_; }
  // The handshake was completed at some time, or the user was let in before that.
  [[nodiscard]] bool opened() const { return opened_; }
  // It was, and the handshake is still not complete.
  [[nodiscard]] bool early() const { return early_; }
  [[nodiscard]] bool over() const {
    return state_ == TcpState::closed || state_ == TcpState::time_wait;
  }
  // The peer's direction has ended, and ours was ended by close_write.
  [[nodiscard]] bool ended_both_ways() const { return receiver_.ended() && write_closed_; }
  [[nodiscard]] ConnectionStatus status() const;

  // What TIME-WAIT needs to go on without the connection.
  struct Remains {
    Sequence next;      // SND.NXT
    Sequence initial;   // IRS
    Sequence expected;  // RCV.NXT
    std::uint16_t window;
    bool timestamps;
    TimestampClock clock;
    TimestampEcho echo;
    bool owes_acknowledgment;
    bool ended_early;  // by us, before the peer knew that it had been opened
  };
  [[nodiscard]] Remains remains() const;

 private:
  enum Event : std::uint8_t { connected = 1, readable = 2, writable = 4, closed = 8 };

  // ---- handshake (tcp_handshake.cpp)
  [[nodiscard]] std::size_t segment_bytes_max() const;  // payload without options
  [[nodiscard]] std::uint16_t announced_mss() const;
  [[nodiscard]] std::uint16_t window_before_syn() const;
  void take_syn(Instant now, const TcpSegment& syn);
  void handle_in_syn_sent(Instant now, const TcpSegment& segment);
  void handle_in_syn_received(Instant now, const TcpSegment& segment);
  [[nodiscard]] bool acknowledges_syn(const TcpSegment& segment) const;
  void take_text_before_handshake(Instant now, const TcpSegment& segment, Sequence at);
  void start_sender(Instant now, std::size_t syn_text_acknowledged);
  void take_handshake_rtt(Instant now, const TcpSegment& segment);
  void establish(Instant now, const TcpSegment& segment, Sequence at);
  void handle_handshake_timeout(Instant now);
  std::size_t transmit_handshake(Instant now, MutableBytes buffer);
  std::size_t transmit_syn_text(Instant now, MutableBytes buffer);
  std::size_t finish_with_syn_text(MutableBytes buffer, TcpSegment& segment);

  // ---- arrival (tcp_arrival.cpp)
  bool check_timestamps(Instant now, const TcpSegment& segment);
  bool check_sequence(Instant now, const TcpSegment& segment, Sequence at);
  bool check_reset_and_syn(Instant now, const TcpSegment& segment, Sequence at);
  bool check_acknowledgment(Instant now, const TcpSegment& segment, Sequence at);
  void take_text(Instant now, const TcpSegment& segment, Sequence at);
  [[nodiscard]] std::size_t scaled_window(const TcpSegment& segment) const;
  void advance_state();
  void challenge(Instant now);
  void answer_unacceptable(Instant now, const TcpSegment& segment, Sequence at);

  // ---- the rest
  void handle_keepalive(Instant now);
  [[nodiscard]] Instant keepalive_deadline() const;
  void fail(TcpError error);
  void send_reset();
  void tell(Event event) { events_ |= event; }
  void tell_progress();
  [[nodiscard]] Sequence acknowledgment_sequence() const;
  [[nodiscard]] TcpSegment segment_now(Instant now, Sequence at);
  std::size_t finish(MutableBytes buffer, TcpSegment& segment, std::size_t payload_bytes);
  std::size_t transmit_text(Instant now, MutableBytes buffer, const SendTurn& turn);
  std::size_t transmit_acknowledgment(Instant now, MutableBytes buffer, Sequence at);

  const TcpSurroundings* surroundings_;
  Macroflow* macroflow_ = nullptr;  // null: one of its own
  TcpEnds ends_;
  TcpState state_;
  TcpError error_ = TcpError::none;
  std::uint8_t events_ = 0;
  bool passive_ = false;
  bool opened_ = false;
  bool early_ = false;  // opened for the user, our SYN not acknowledged yet
  bool write_closed_ = false;
  bool readable_told_ = false;
  bool end_read_ = false;
  bool timestamps_ = false;
  bool sack_ = false;
  bool scaling_ = false;
  bool transmit_syn_ = false;
  bool keepalive_due_ = false;
  std::uint8_t send_scale_ = 0;     // Snd.Wind.Shift
  std::uint8_t receive_scale_ = 0;  // Rcv.Wind.Shift
  std::uint8_t handshake_retries_ = 0;
  std::uint16_t keepalive_probes_ = 0;
  std::uint16_t peer_mss_ = 0;  // as the peer announced it, raised to mss_min
  std::size_t path_mtu_;
  Sequence initial_;  // ISS
  std::size_t syn_text_sent_ = 0;
  Instant handshake_sent_at_{};
  Instant handshake_at_ = Instant::max();  // next retransmission of SYN or SYN-ACK
  Instant heard_at_{};                     // last segment from the peer, for keepalive
  Instant challenge_after_ = Instant::min();
  TimestampClock clock_;
  TimestampEcho echo_;
  TcpSender sender_;
  TcpReceiver receiver_;
};

}  // namespace sidestream::tunnel
