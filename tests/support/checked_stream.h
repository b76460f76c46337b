// One end of a TCP connection that writes a known sequence of bytes and checks every byte that it
// reads, at its own speed: it may wait before it writes, reads or closes.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tests/support/seeded_random.h"
#include "tunnel/tcp_stack.h"

namespace sidestream::tunnel {

class CheckedStream {
 public:
  struct Plan {
    std::uint64_t stream = 0;       // which sequence of bytes is written; the peer's is stream ^ 1
    std::uint64_t bytes = 0;        // to write
    std::size_t piece_bytes = 0;    // per write; 0: all that is left
    double stall = 0;               // chance to stop for a while after a read or a write
    Duration stall_max{0};          // the longest while
    bool close_after_peer = false;  // only when the peer has ended its direction
  };

  CheckedStream(TcpStack& stack, SeededRandom random, const Plan& plan)
      : stack_(&stack), random_(random), plan_(plan) {}

  void open(ConnectionId id) { id_ = id; }
  [[nodiscard]] std::optional<ConnectionId> id() const { return id_; }

  void on_event(Instant now, const StackEvent& event) {
    switch (event.kind) {
      case StackEvent::Kind::accepted:
      case StackEvent::Kind::connected:
        opened_ = true;
        break;
      case StackEvent::Kind::closed:
        closed_ = true;
        error_ = event.error;
        break;
      case StackEvent::Kind::readable:
      case StackEvent::Kind::writable:
        break;
    }
    act(now);
  }
  // Reads and writes what is possible, unless it is pausing.
  void act(Instant now) {
    if (!opened_ || error_ != TcpError::none) return;
    if (now >= read_again_) read(now);
    if (now >= write_again_) write(now);
  }
  // When it wants to act again without an event.
  [[nodiscard]] std::optional<Instant> next(Instant now) const {
    Instant next = Instant::max();
    if (read_again_ > now) next = std::min(next, read_again_);
    if (write_again_ > now) next = std::min(next, write_again_);
    if (next == Instant::max()) return std::nullopt;
    return next;
  }

  // Closed in order, and every byte of both directions arrived and was right.
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] TcpError error() const { return error_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

 private:
  static std::uint8_t byte_at(std::uint64_t stream, std::uint64_t position) {
    return static_cast<std::uint8_t>(((position + stream * 7919) * 0x9e3779b97f4a7c15U) >> 56U);
  }
  bool pause(Instant now, Instant& until) {
    if (!random_.chance(plan_.stall)) return false;
    until = now + Duration(1us) * random_.below(static_cast<std::uint32_t>(plan_.stall_max / 1us));
    return until > now;
  }
  void read(Instant now) {
    std::array<std::uint8_t, 8192> buffer{};
    while (!ended_) {
      const std::size_t most = plan_.piece_bytes == 0 ? buffer.size() : 1 + random_.below(8191);
      const auto result = stack_->read(now, *id_, MutableBytes(buffer).first(most));
      for (std::size_t i = 0; i < result.bytes; ++i)
        wrong_ += buffer[i] != byte_at(plan_.stream ^ 1U, received_ + i);
      received_ += result.bytes;
      ended_ = result.end;
      if (result.bytes == 0 || pause(now, read_again_)) return;
    }
  }
  void write(Instant now) {
    if (written_all_) return;
    while (written_ < plan_.bytes) {
      std::array<std::uint8_t, 8192> buffer{};
      const std::size_t most = plan_.piece_bytes == 0 ? buffer.size() : plan_.piece_bytes;
      const auto count = static_cast<std::size_t>(
          std::min<std::uint64_t>(std::min(most, buffer.size()), plan_.bytes - written_));
      for (std::size_t i = 0; i < count; ++i) buffer[i] = byte_at(plan_.stream, written_ + i);
      const std::size_t taken = stack_->write(now, *id_, Bytes(buffer).first(count));
      written_ += taken;
      if (taken < count || pause(now, write_again_)) return;
    }
    if (plan_.close_after_peer && !ended_) return;
    written_all_ = true;
    stack_->close_write(now, *id_);
  }

  TcpStack* stack_;
  SeededRandom random_;
  Plan plan_;
  std::optional<ConnectionId> id_;
  bool opened_ = false;
  bool closed_ = false;
  bool ended_ = false;
  bool written_all_ = false;
  TcpError error_ = TcpError::none;
  std::uint64_t written_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t wrong_ = 0;
  Instant read_again_{};
  Instant write_again_{};
};

}  // namespace sidestream::tunnel
