// The kernel's TCP of the simulated internet: reliable, ordered, with a window, half-close and
// reset, but without packets. Made by SimulatedNetwork.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "streams/event_io.h"
#include "streams/stream_io.h"
#include "streams/timer_queue_io.h"
#include "tests/support/simulated_world_io.h"

namespace sidestream {

// Owned by the world until both streams are gone and nothing is on the way any more.
class SimulatedConnection {
 public:
  SimulatedConnection(World& world, const StreamEnd& client, const StreamEnd& server);
  SimulatedConnection(const SimulatedConnection&) = delete;
  SimulatedConnection& operator=(const SimulatedConnection&) = delete;
  ~SimulatedConnection();

  // Each once, right after the connection was made.
  std::unique_ptr<Stream> client_stream() { return make_stream(0); }
  std::unique_ptr<Stream> server_stream() { return make_stream(1); }

  // The kernel of this host has forgotten its end, and says so to the other one or not.
  void forget_end_at(const SimulatedHost& host, bool reset_other);

 private:
  friend class SimulatedStream;

  // Bytes that may be written and not yet read at the other end, as of what the writer knows.
  static constexpr std::size_t window_bytes = 256 * 1024;
  static constexpr std::size_t segment_bytes_max = 64 * 1024;

  struct Segment {
    enum class Kind { bytes, end, reset };
    Kind kind;
    Instant arrival;
    std::vector<std::uint8_t> bytes;
  };

  // What is on the way from one side to the other, in order.
  class Line;
  // The news that so many bytes were read, on the way back.
  class Acknowledgement;
  // Notices at last that the other end is gone without a word.
  class Keepalive;

  struct Side {
    StreamEnd end;
    bool has_stream = false;
    bool forgotten = false;
    error_code broken;
    std::vector<std::uint8_t> inbox;  // unread from `read` on
    std::size_t read = 0;
    bool end_arrived = false;
    bool end_read = false;
    bool end_sent = false;
    std::size_t unacknowledged = 0;
    std::unique_ptr<Line> line;  // away from this side
    std::unique_ptr<Acknowledgement> acknowledgement;
    Event readable;
    Event writable;
    Event broke;

    [[nodiscard]] std::size_t unread() const { return inbox.size() - read; }
  };

  std::unique_ptr<Stream> make_stream(std::size_t side);
  void arrive(std::size_t at, Segment& segment);
  void break_side(std::size_t side, error_code code);
  void send_reset(std::size_t from);
  void stream_died(std::size_t side);
  // Destroys the connection when nobody needs it any more. Nothing may be touched after it.
  void finish();
  [[nodiscard]] Duration delay(std::size_t from) const;
  [[nodiscard]] bool is_up() const;
  [[nodiscard]] bool is_loopback() const;

  World& world_;
  std::array<Side, 2> sides_;
  std::unique_ptr<Keepalive> keepalive_;
};

class SimulatedListener final : public Listener {
 public:
  SimulatedListener(SimulatedHost& host, const SocketAddress& local, bool v6_only, int backlog,
                    std::string unix_path);
  ~SimulatedListener() override;

  Task<std::unique_ptr<Stream>> accept() override;
  void close() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override { return local_; }

  [[nodiscard]] bool matches(const SocketAddress& address) const;
  // Takes a connection for accept(), or destroys it when there are too many.
  void push(std::unique_ptr<Stream> stream);

 private:
  SimulatedHost& host_;
  SocketAddress local_;
  bool v6_only_;
  std::size_t backlog_;
  std::string unix_path_;
  bool open_ = true;
  std::deque<std::unique_ptr<Stream>> waiting_;
  Event came_;
};

}  // namespace sidestream
