#include "tests/support/simulated_stream_io.h"

#include <algorithm>

namespace sidestream {
namespace {

constexpr Duration loopback_delay = 20us;
constexpr Duration keepalive_time = 120s;  // as long as the kernel takes with our options
constexpr Duration first_retry = 200ms;
constexpr Duration longest_retry = 5s;

}  // namespace

class SimulatedConnection::Line final : public TimerQueue::Alarm {
 public:
  Line(SimulatedConnection& connection, std::size_t from) : connection_(connection), from_(from) {}
  ~Line() {
    if (queued()) connection_.world_.timers().remove(*this);
  }

  void push(Segment::Kind kind, std::vector<std::uint8_t> bytes = {}) {
    const Instant arrival = connection_.world_.now() + connection_.delay(from_);
    last_arrival_ = std::max(last_arrival_, arrival);
    segments_.push_back({.kind = kind, .arrival = last_arrival_, .bytes = std::move(bytes)});
    if (!queued()) connection_.world_.timers().schedule(*this, last_arrival_);
  }

  void fire() override {
    TimerQueue& timers = connection_.world_.timers();
    if (!connection_.is_up()) {
      timers.schedule(*this, connection_.world_.now() + retry_);
      retry_ = std::min(retry_ * 2, longest_retry);
      return;
    }
    retry_ = first_retry;
    Segment segment = std::move(segments_.front());
    segments_.pop_front();
    if (!segments_.empty())
      timers.schedule(*this, std::max(segments_.front().arrival, connection_.world_.now()));
    connection_.arrive(1 - from_, segment);
    connection_.finish();
  }

  [[nodiscard]] bool idle() const { return segments_.empty(); }

 private:
  SimulatedConnection& connection_;
  std::size_t from_;
  std::deque<Segment> segments_;
  Instant last_arrival_;
  Duration retry_ = first_retry;
};

class SimulatedConnection::Acknowledgement final : public TimerQueue::Alarm {
 public:
  Acknowledgement(SimulatedConnection& connection, std::size_t from)
      : connection_(connection), from_(from) {}
  ~Acknowledgement() {
    if (queued()) connection_.world_.timers().remove(*this);
  }

  void add(std::size_t bytes) {
    bytes_ += bytes;
    if (!queued())
      connection_.world_.timers().schedule(*this,
                                           connection_.world_.now() + connection_.delay(from_));
  }

  void fire() override {
    if (!connection_.is_up()) {
      connection_.world_.timers().schedule(*this, connection_.world_.now() + longest_retry);
      return;
    }
    Side& writer = connection_.sides_[1 - from_];
    writer.unacknowledged -= std::min(writer.unacknowledged, std::exchange(bytes_, 0));
    writer.writable.notify_all();
    connection_.finish();
  }

 private:
  SimulatedConnection& connection_;
  std::size_t from_;
  std::size_t bytes_ = 0;
};

class SimulatedConnection::Keepalive final : public TimerQueue::Alarm {
 public:
  explicit Keepalive(SimulatedConnection& connection) : connection_(connection) {}
  ~Keepalive() {
    if (queued()) connection_.world_.timers().remove(*this);
  }

  void start() {
    if (!queued())
      connection_.world_.timers().schedule(*this, connection_.world_.now() + keepalive_time);
  }

  void fire() override {
    for (std::size_t side : {0U, 1U}) {
      const Side& other = connection_.sides_[1 - side];
      if (!other.forgotten) continue;
      const bool answers = other.end.host->powered_ && connection_.is_up();
      connection_.break_side(side,
                             answers ? asio::error::connection_reset : asio::error::timed_out);
    }
    connection_.finish();
  }

 private:
  SimulatedConnection& connection_;
};

class SimulatedStream final : public Stream {
 public:
  SimulatedStream(SimulatedConnection& connection, std::size_t side)
      : connection_(connection), side_(connection.sides_[side]), index_(side) {}
  ~SimulatedStream() override {
    abort();
    connection_.stream_died(index_);
  }

  Task<> wait_readable() override {
    while (side_.unread() == 0 && !side_.end_arrived && !side_.broken)
      co_await side_.readable.wait();
    if (side_.broken && (side_.unread() == 0 || is_aborted())) throw_error(side_.broken, "stream");
  }

  Task<std::size_t> read_some(MutableBytes into) override {
    co_await wait_readable();
    const std::size_t count = std::min(into.size(), side_.unread());
    if (count == 0) {
      side_.end_read = true;
      co_return 0;
    }
    std::copy_n(side_.inbox.begin() + static_cast<std::ptrdiff_t>(side_.read), count, into.begin());
    side_.read += count;
    if (side_.unread() == 0) {
      side_.inbox.clear();
      side_.read = 0;
    }
    side_.acknowledgement->add(count);
    co_return count;
  }

  Task<> write_all(Bytes from) override {
    while (!from.empty()) {
      throw_if_broken();
      const std::size_t room = SimulatedConnection::window_bytes -
                               std::min(SimulatedConnection::window_bytes, side_.unacknowledged);
      const std::size_t count =
          std::min({from.size(), room, SimulatedConnection::segment_bytes_max});
      if (count == 0) {
        co_await side_.writable.wait();
        continue;
      }
      const Bytes piece = from.first(count);
      side_.unacknowledged += count;
      side_.line->push(SimulatedConnection::Segment::Kind::bytes, {piece.begin(), piece.end()});
      from = from.subspan(count);
    }
    throw_if_broken();
  }

  Task<> close_write() override {
    throw_if_broken();
    if (!std::exchange(side_.end_sent, true))
      side_.line->push(SimulatedConnection::Segment::Kind::end);
    co_return;
  }

  Task<> wait_broken() override {
    while (!side_.broken) co_await side_.broke.wait();
    throw_if_broken();
  }

  void abort() noexcept override {
    if (is_aborted()) return;
    const bool in_order = side_.end_sent && side_.end_read;
    const bool whole = !side_.broken;
    connection_.break_side(index_, asio::error::operation_aborted);
    if (whole && !in_order) connection_.send_reset(index_);
  }

  [[nodiscard]] SocketAddress local_address() const override { return side_.end.local; }
  [[nodiscard]] SocketAddress remote_address() const override { return side_.end.remote; }

 private:
  [[nodiscard]] bool is_aborted() const { return side_.broken == asio::error::operation_aborted; }
  void throw_if_broken() const {
    if (side_.broken) throw_error(side_.broken, "stream");
  }

  SimulatedConnection& connection_;
  SimulatedConnection::Side& side_;
  std::size_t index_;
};

SimulatedConnection::SimulatedConnection(World& world, const StreamEnd& client,
                                         const StreamEnd& server)
    : world_(world), keepalive_(std::make_unique<Keepalive>(*this)) {
  sides_[0].end = client;
  sides_[1].end = server;
  for (std::size_t side : {0U, 1U}) {
    sides_[side].line = std::make_unique<Line>(*this, side);
    sides_[side].acknowledgement = std::make_unique<Acknowledgement>(*this, side);
  }
}

SimulatedConnection::~SimulatedConnection() = default;

std::unique_ptr<Stream> SimulatedConnection::make_stream(std::size_t side) {
  sides_[side].has_stream = true;
  return std::make_unique<SimulatedStream>(*this, side);
}

void SimulatedConnection::arrive(std::size_t at, Segment& segment) {
  Side& side = sides_[at];
  if (side.forgotten) {
    // A kernel that has started again knows nothing of the connection and says so.
    if (side.end.host->powered_ && segment.kind != Segment::Kind::reset) send_reset(at);
    return;
  }
  switch (segment.kind) {
    case Segment::Kind::reset:
      return break_side(at, asio::error::connection_reset);
    case Segment::Kind::end:
      side.end_arrived = true;
      break;
    case Segment::Kind::bytes:
      if (!side.has_stream || side.broken) return send_reset(at);
      world_.counters_.stream_bytes_delivered += segment.bytes.size();
      world_.note_delivery(segment.bytes);
      side.inbox.insert(side.inbox.end(), segment.bytes.begin(), segment.bytes.end());
      break;
  }
  side.readable.notify_all();
}

void SimulatedConnection::break_side(std::size_t index, error_code code) {
  Side& side = sides_[index];
  if (side.broken == asio::error::operation_aborted) return;
  if (side.broken && code != asio::error::operation_aborted) return;
  side.broken = code;
  side.readable.notify_all();
  side.writable.notify_all();
  side.broke.notify_all();
}

void SimulatedConnection::send_reset(std::size_t from) {
  sides_[from].line->push(Segment::Kind::reset);
}

void SimulatedConnection::forget_end_at(const SimulatedHost& host, bool reset_other) {
  for (std::size_t index : {0U, 1U}) {
    Side& side = sides_[index];
    if (side.end.host != &host || side.forgotten) continue;
    const bool open = side.has_stream && !side.broken;
    break_side(index, asio::error::operation_aborted);
    side.forgotten = true;
    if (reset_other && open) send_reset(index);
    if (!reset_other) keepalive_->start();
  }
}

void SimulatedConnection::stream_died(std::size_t side) {
  sides_[side].has_stream = false;
  finish();
}

void SimulatedConnection::finish() {
  const bool needed = std::ranges::any_of(sides_, [](const Side& side) {
    return side.has_stream || !side.line->idle() || side.acknowledgement->queued();
  });
  if (!needed) world_.remove_connection(*this);
}

bool SimulatedConnection::is_loopback() const {
  return sides_[0].end.host == sides_[1].end.host;
}

Duration SimulatedConnection::delay(std::size_t from) const {
  if (is_loopback()) return loopback_delay;
  return world_.path(*sides_[from].end.host, *sides_[1 - from].end.host).conditions().delay;
}

bool SimulatedConnection::is_up() const {
  return is_loopback() || world_.is_up(*sides_[0].end.host, *sides_[1].end.host);
}

}  // namespace sidestream
