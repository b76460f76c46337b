// Several uploads and an interactive stream over one simulated line, and what each of them gets.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "tests/support/tcp_pair.h"

namespace sidestream::tunnel {

struct SharedLineCase {
  double megabits = 50;
  Duration rtt = 40ms;
  double loss = 0;    // of packets with data
  double buffer = 1;  // in front of the line, in bandwidth-delay products
  std::size_t uploads = 4;
  Duration time = 20s;
  std::uint64_t seed = 1;
  MakeCongestionControl congestion = nullptr;
  bool echo = false;                          // 100 bytes there and back, ten times a second
  std::uint64_t first_reader_per_second = 0;  // how fast the first upload is read; 0: at once
  Duration last_starts_at{0};                 // the last upload; the others start at once
};

struct SharedLineResult {
  double megabits = 0;       // received, of all uploads, in the second half of the time
  double share = 0;          // of what the line carries of TCP's payload
  double fairness = 1;       // Jain's index in the second half of the time
  double again = 0;          // segments sent again, of all that were sent
  Duration queue{0};         // mean of what waits before the line, in the second half
  std::vector<double> each;  // megabits, as they were opened
  Duration echo_median{0};
  Duration echo_p95{0};
  Duration last_quarter_megabyte{0};  // until the last upload has brought 250,000 bytes
};

class SharedLine {
 public:
  explicit SharedLine(const SharedLineCase& line)
      : line_(line),
        rate_(static_cast<std::uint64_t>(line.megabits * 1e6 / 8)),
        pair_({.seed = line.seed,
               .upward = {.bytes_per_second = rate_,
                          .queue_bytes_max = std::max<std::size_t>(
                              static_cast<std::size_t>(
                                  static_cast<double>(rate_) * line.buffer *
                                  std::chrono::duration<double>(line.rtt).count()),
                              3000),
                          .delay = line.rtt / 2,
                          .loss = line.loss},
               .downward = {.delay = line.rtt / 2},
               .congestion = line.congestion}),
        text_(65536),
        start_(pair_.now()) {}

  SharedLineResult measure() {
    if (!pair_.server().listen(upload_port) || !pair_.server().listen(echo_port)) return {};
    for (std::size_t i = 0; i + 1 < line_.uploads; ++i) open_upload();
    if (line_.echo) echo_ = *pair_.client().connect(pair_.now(), pair_.server_at(echo_port));
    pair_.run(
        start_ + line_.time,
        [this](bool at_client, const StackEvent& event) {
          at_client ? on_client_event(event) : on_server_event(event);
        },
        [] { return false; }, [this] { return act(); });
    return result();
  }

 private:
  static constexpr std::uint16_t upload_port = 443;
  static constexpr std::uint16_t echo_port = 22;
  static constexpr std::size_t echo_bytes = 100;
  static constexpr Duration tick = 5ms;

  void open_upload() {
    const ConnectionId id = *pair_.client().connect(pair_.now(), pair_.server_at(upload_port));
    clients_.push_back(id);
    opened_at_ = pair_.now();
  }

  void on_client_event(const StackEvent& event) {
    using Kind = StackEvent::Kind;
    if (echo_ && event.connection == *echo_) {
      if (event.kind == Kind::readable) on_echo();
      return;
    }
    if (event.kind == Kind::connected || event.kind == Kind::writable)
      while (pair_.client().write(pair_.now(), event.connection, text_) == text_.size()) {
      }
  }

  void on_echo() {
    while (const std::size_t bytes = pair_.client().read(pair_.now(), *echo_, text_).bytes)
      echoed_ += bytes;
    if (echoed_ < echo_bytes) return;
    echoed_ = 0;
    if (echo_sent_at_ > start_ + line_.time / 4) echoes_.push_back(pair_.now() - echo_sent_at_);
    echo_sent_at_ = Instant::max();
  }

  void on_server_event(const StackEvent& event) {
    if (event.kind == StackEvent::Kind::accepted) {
      ports_[event.connection] = event.listener_port;
      if (event.listener_port == upload_port) accepted_.push_back(event.connection);
    }
    if (ports_[event.connection] == echo_port) {
      while (const std::size_t bytes =
                 pair_.server().read(pair_.now(), event.connection, text_).bytes)
        pair_.server().write(pair_.now(), event.connection, Bytes(text_).first(bytes));
      return;
    }
    const bool slow = line_.first_reader_per_second != 0 && !accepted_.empty() &&
                      event.connection == accepted_.front();
    if (!slow) read_upload(event.connection, text_.size() * 1024);
  }

  void read_upload(ConnectionId id, std::size_t bytes_max) {
    while (bytes_max > 0) {
      const MutableBytes into = MutableBytes(text_).first(std::min(bytes_max, text_.size()));
      const std::size_t bytes = pair_.server().read(pair_.now(), id, into).bytes;
      if (bytes == 0) break;
      received_[id] += bytes;
      bytes_max -= bytes;
    }
    if (accepted_.size() == line_.uploads && id == accepted_.back() && received_[id] >= 250'000 &&
        quarter_megabyte_ == Duration::zero())
      quarter_megabyte_ = pair_.now() - opened_at_;
  }

  Instant act() {
    if (pair_.now() < next_act_) return next_act_;
    next_act_ = pair_.now() + tick;
    if (clients_.size() < line_.uploads && pair_.now() >= start_ + line_.last_starts_at)
      open_upload();
    if (line_.first_reader_per_second != 0 && !accepted_.empty())
      read_upload(accepted_.front(), line_.first_reader_per_second * 5 / 1000);
    if (pair_.now() < start_ + line_.time / 2) {
      received_at_half_ = received_;
    } else {
      queue_sum_ += pair_.upward().waiting(pair_.now());
      ++queue_looks_;
    }
    if (echo_ && pair_.now() >= next_echo_ && echo_sent_at_ == Instant::max()) {
      next_echo_ = pair_.now() + 100ms;
      if (pair_.client().write(pair_.now(), *echo_, Bytes(text_).first(echo_bytes)) == echo_bytes)
        echo_sent_at_ = pair_.now();
    }
    return next_act_;
  }

  SharedLineResult result() {
    SharedLineResult result;
    double sum = 0;
    double squares = 0;
    const double seconds = std::chrono::duration<double>(line_.time / 2).count();
    for (const ConnectionId id : accepted_) {
      const double megabits =
          static_cast<double>(received_[id] - received_at_half_[id]) * 8 / seconds / 1e6;
      result.each.push_back(megabits);
      sum += megabits;
      squares += megabits * megabits;
    }
    result.megabits = sum;
    result.share = sum / (line_.megabits * 1368 / 1420);
    result.fairness = sum * sum / (static_cast<double>(line_.uploads) * std::max(squares, 1e-9));
    std::uint64_t again = 0;
    for (const ConnectionId id : clients_)
      again += pair_.client().status(id)->retransmitted_segments;
    result.again = static_cast<double>(again) /
                   static_cast<double>(std::max<std::uint64_t>(pair_.upward().sent_packets(), 1));
    result.queue = queue_looks_ > 0 ? queue_sum_ / queue_looks_ : Duration::zero();
    result.last_quarter_megabyte = quarter_megabyte_;
    std::ranges::sort(echoes_);
    if (!echoes_.empty()) {
      result.echo_median = echoes_[echoes_.size() / 2];
      result.echo_p95 = echoes_[echoes_.size() * 95 / 100];
    }
    return result;
  }

  const SharedLineCase line_;
  const std::uint64_t rate_;
  TcpPair pair_;
  std::vector<std::uint8_t> text_;
  const Instant start_;
  std::vector<ConnectionId> clients_;   // uploads
  std::vector<ConnectionId> accepted_;  // uploads, at the server
  std::map<ConnectionId, std::uint16_t> ports_;
  std::map<ConnectionId, std::uint64_t> received_;
  std::map<ConnectionId, std::uint64_t> received_at_half_;
  std::optional<ConnectionId> echo_;
  std::size_t echoed_ = 0;
  Instant echo_sent_at_ = Instant::max();
  Instant next_echo_{};
  Instant next_act_{};
  Instant opened_at_{};
  Duration quarter_megabyte_{0};
  Duration queue_sum_{0};
  int queue_looks_ = 0;
  std::vector<Duration> echoes_;
};

inline SharedLineResult measure_shared_line(const SharedLineCase& line) {
  return SharedLine(line).measure();
}

}  // namespace sidestream::tunnel
