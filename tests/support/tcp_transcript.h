// A TCP stack and its peer as a dialogue on a virtual clock. The peer is the test: it pushes
// segments and says which it expects, in a line of words such as
//
//   "SA seq 0 ack 1 win 64000 mss 1000 ws 7 sackok ts 0:5"   "A seq 1 ack 1001 len 500"
//
// Flags come first (S, F, R, P, A; - for none of them). Sequence numbers count from each side's own
// SYN, which is 0, and so do the timestamps of the stack. `sack 2001-3001,4001-5001` are blocks in
// the order of the option. What an expectation does not mention may be anything, but flags, `len`
// and `sack` are always compared (a missing `len` is 0). P need not be mentioned. Probes of the
// path MTU are no part of the dialogue: the peer answers no echo.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/seeded_random.h"
#include "tunnel/ip_packet.h"
#include "tunnel/tcp_segment.h"
#include "tunnel/tcp_stack.h"

namespace sidestream::tunnel {

class TcpTranscript {
 public:
  using Where = std::source_location;
  static constexpr std::uint16_t local_port = 80;     // where the stack listens
  static constexpr std::uint16_t remote_port = 4000;  // of the peer

  // A full segment without timestamps carries 1000 bytes.
  explicit TcpTranscript(const TcpLimits& limits = {}, bool v6 = false);

  // ---- time -----------------------------------------------------------------------------------
  void advance(Duration by);
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Duration since_start() const { return now_ - Instant(1s); }

  // ---- the peer -------------------------------------------------------------------------------
  void push(std::string_view words, Where where = Where::current());
  // Bytes as they are: a packet that the words cannot say.
  void push_packet(Bytes packet);
  void expect(std::string_view words, Where where = Where::current());
  void expect_silence(Where where = Where::current());
  // The next segment as words; empty: none.
  std::string next_segment();
  std::optional<std::vector<std::uint8_t>> next_packet();
  // From now on the peer is at another port, with a connection of its own.
  void change_remote_port(std::uint16_t port);
  // The SYN of the next connection has this number on the wire.
  void set_remote_initial(std::uint32_t number) { remote_initial_ = number; }
  [[nodiscard]] std::uint32_t local_initial() const { return local_initial_.value_or(0); }
  // An ICMP error about the segment of ours that began at `seq`.
  void push_icmp_too_big(std::size_t mtu, std::uint32_t seq);
  void push_icmp_unreachable(std::uint32_t seq);

  // ---- the user -------------------------------------------------------------------------------
  void listen();
  void connect(Where where = Where::current());
  // With so many bytes written before the SYN leaves; returns how many were taken.
  std::size_t connect_saying(std::size_t bytes, Where where = Where::current());
  std::size_t write(std::size_t bytes);
  // Reads up to `bytes`; the bytes are checked.
  std::size_t read(std::size_t bytes, Where where = Where::current());
  [[nodiscard]] bool at_end();  // read() says that the peer's direction has ended
  TcpError read_error();
  void close_write() { stack_.close_write(now_, id_), drain(); }
  void abort() { stack_.abort(now_, id_), drain(); }
  void release() { stack_.release(now_, id_), drain(); }
  // "accepted", "connected", "readable", "writable", "closed", "closed reset" and so on.
  void expect_event(std::string_view words, Where where = Where::current());
  void expect_no_event(Where where = Where::current());
  void forget_events() { events_.clear(); }

  // ---- beginnings -----------------------------------------------------------------------------
  // Established by the peer's SYN with these options, 10 ms after the SYN-ACK, window 60000.
  void accept(std::string_view options = "mss 1000 sackok ws 0", Where where = Where::current());

  TcpStack& stack() { return stack_; }
  [[nodiscard]] ConnectionId id() const { return id_; }
  [[nodiscard]] ConnectionStatus status() { return *stack_.status(id_); }

 private:
  void drain();
  std::size_t put(std::size_t bytes);
  [[nodiscard]] std::string words_of(Bytes packet);
  void push_icmp(std::uint8_t type, std::uint8_t code, std::uint32_t field, std::uint32_t seq);
  static std::uint8_t byte_at(std::uint64_t position) {
    return static_cast<std::uint8_t>((position * 0x9e3779b97f4a7c15U) >> 56U);
  }

  IpAddress local_;
  IpAddress remote_;
  SeededRandom random_{7};
  TcpStack stack_;
  Instant now_{1s};
  std::uint16_t peer_port_ = remote_port;
  std::uint16_t stack_port_ = local_port;
  std::uint32_t remote_initial_ = 0xffffff00;  // wraps soon
  std::optional<std::uint32_t> local_initial_;
  std::optional<std::uint32_t> local_clock_;
  std::uint64_t written_ = 0;
  std::uint64_t read_ = 0;
  ConnectionId id_{};
  std::deque<std::vector<std::uint8_t>> sent_;
  std::deque<std::string> events_;
};

}  // namespace sidestream::tunnel
