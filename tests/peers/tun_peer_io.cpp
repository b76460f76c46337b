// tun_peer: our TCP/IP stack on a tun device, so that it meets Linux's TCP with nothing between
// them but a line as bad as the test wants. Kernel TCP on loopback is joined to it on our side, as
// tunnel_peer does for the whole tunnel.
//
//   tun_peer --tun NAME --address IP [--address IP] [--mtu BYTES] [--keepalive SECONDS]
//     [--congestion bbr|cubic]
//     [--line delay=MS,loss=0.01,rate=BYTES,queue=BYTES,reorder=0.1,duplicate=0.01,corrupt=0.01]
//     [--out IP:PORT=IP:PORT …] [--in PORT=IP:PORT …]
//
// The device must exist. Prints `ready`, and runs until SIGTERM; then prints a line of counters.
// After SIGUSR1 nothing gets through the line any more.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>
#include <list>
#include <map>

#include "streams/random_io.h"
#include "tests/peers/tunnel_peer_options.h"
#include "tests/support/simulated_link.h"
#include "tests/support/tun_device_io.h"
#include "tunnel/tcp_stack.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t buffer_bytes = 65536;
volatile std::sig_atomic_t ended = 0;
volatile std::sig_atomic_t line_cut = 0;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
};

KernelAddress kernel_address(const SocketAddress& address) {
  KernelAddress made;
  if (address.address.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(made.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::ranges::copy(address.address.bytes(), reinterpret_cast<std::uint8_t*>(&v4.sin_addr));
    made.bytes = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(made.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::ranges::copy(address.address.bytes(), v6.sin6_addr.s6_addr);
    made.bytes = sizeof v6;
  }
  return made;
}

// Kernel TCP on one side, our stack on the other.
struct Pair {
  int fd = -1;
  ConnectionId connection{};
  bool kernel_connecting = false;
  bool stack_connecting = false;
  bool kernel_ended = false;  // it sends no more
  bool stack_ended = false;   // the same of the stack
  bool over = false;
  std::vector<std::uint8_t> to_stack{};  // read, not taken yet
  std::vector<std::uint8_t> to_kernel{};
};

class TunPeer {
 public:
  TunPeer(const TunnelPeerOptions& options, RandomSource& random)
      : in_(options.line, SeededRandom(1)),
        out_(options.line, SeededRandom(2)),
        stack_({options.addresses, options.mtu, limits(options), options.congestion}, random),
        tun_(open_tun_device(options.tun)) {
    for (const ForwardOut& forward : options.out)
      listeners_[listen_at(forward.listen)] = forward.target;
    for (const ForwardIn& forward : options.in) {
      targets_[forward.port] = forward.target;
      if (!stack_.listen(forward.port)) fail("listen in the stack");
    }
  }

  void run() {
    std::cout << "ready" << std::endl;
    while (ended == 0) {
      wait();
      now_ = std::chrono::steady_clock::now();
      if (line_cut != 0) in_.set_quality({.loss = 1}), out_.set_quality({.loss = 1});
      from_device();
      accept_all();
      stack_.handle_timeout(now_);
      // What one direction moved may let the other one move.
      for (int round = 0; round < 2; ++round) {
        handle_events();
        for (Pair& pair : pairs_) pump(pair);
        to_device();
      }
      std::erase_if(pairs_, [](const Pair& pair) { return pair.over; });
    }
    std::cout << "ended with " << pairs_.size() << " pairs, " << stack_.connection_count()
              << " connections, " << retransmitted_ << " segments sent again" << std::endl;
  }

 private:
  static TcpLimits limits(const TunnelPeerOptions& options) {
    TcpLimits limits;
    limits.keepalive_idle = limits.keepalive_interval = options.keepalive;
    limits.keepalive_probes_max = 3;
    return limits;
  }

  static int listen_at(const SocketAddress& address) {
    const KernelAddress where = kernel_address(address);
    const int fd = ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&where.storage), where.bytes) < 0 ||
        ::listen(fd, 1024) < 0)
      fail("listen at " + address.text());
    return fd;
  }

  // ---- time and readiness ----------------------------------------------------------------------
  void wait() {
    polled_.clear();
    polled_.push_back({tun_, POLLIN, 0});
    for (const auto& [fd, target] : listeners_) polled_.push_back({fd, POLLIN, 0});
    for (const Pair& pair : pairs_) {
      if (pair.fd < 0) continue;
      const bool reads = !pair.kernel_ended && pair.to_stack.empty() && !pair.kernel_connecting;
      const bool writes = !pair.to_kernel.empty() || pair.kernel_connecting;
      polled_.push_back(
          {pair.fd, static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0});
    }
    Instant next = now_ + 1s;
    for (const auto& time : {in_.next_arrival(), out_.next_arrival(), stack_.next_deadline()})
      next = std::min(next, time.value_or(next));
    const Duration left = std::max(next - std::chrono::steady_clock::now(), Duration::zero());
    timespec patience{};
    patience.tv_sec = static_cast<time_t>(left / 1s);
    patience.tv_nsec = static_cast<long>((left % 1s).count());
    ::ppoll(polled_.data(), polled_.size(), &patience, nullptr);
  }

  // ---- packets
  // -----------------------------------------------------------------------------------
  void from_device() {
    for (int i = 0; i < 256; ++i) {
      const ssize_t bytes = ::read(tun_, buffer_.data(), buffer_.size());
      if (bytes <= 0) break;
      in_.send(now_, Bytes(buffer_).first(static_cast<std::size_t>(bytes)));
    }
    while (const auto packet = in_.receive(now_)) stack_.handle_packet(now_, *packet);
  }

  void to_device() {
    while (const std::size_t bytes = stack_.poll_transmit(now_, buffer_))
      out_.send(now_, Bytes(buffer_).first(bytes));
    while (const auto packet = out_.receive(now_))
      if (::write(tun_, packet->data(), packet->size()) < 0) ++refused_;
  }

  // ---- streams
  // -----------------------------------------------------------------------------------
  void accept_all() {
    for (const auto& [listener, target] : listeners_) {
      for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) break;
        const auto connection = stack_.connect(now_, target);
        if (!connection) fail("connect in the stack");
        pairs_.push_back({.fd = fd, .connection = *connection, .stack_connecting = true});
        by_id_[*connection] = &pairs_.back();
      }
    }
  }

  void handle_events() {
    while (const auto event = stack_.poll_event()) {
      if (event->kind == StackEvent::Kind::accepted) {
        dial(event->connection, targets_.at(event->listener_port));
        continue;
      }
      const auto pair = by_id_.find(event->connection);
      if (pair == by_id_.end()) continue;
      if (event->kind == StackEvent::Kind::connected) pair->second->stack_connecting = false;
      if (event->kind == StackEvent::Kind::closed && event->error != TcpError::none)
        end(*pair->second, true);
    }
  }

  void dial(ConnectionId connection, const SocketAddress& target) {
    const KernelAddress where = kernel_address(target);
    const int fd = ::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    const int dialled =
        ::connect(fd, reinterpret_cast<const sockaddr*>(&where.storage), where.bytes);
    if (dialled < 0 && errno != EINPROGRESS) fail("connect to " + target.text());
    pairs_.push_back({.fd = fd, .connection = connection, .kernel_connecting = true});
    by_id_[connection] = &pairs_.back();
  }

  // With a reset towards whoever has not had an end in order.
  void end(Pair& pair, bool broken) {
    if (pair.over) return;
    pair.over = true;
    const linger at_once{1, 0};
    if (broken) ::setsockopt(pair.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(pair.fd, -1));
    if (const auto status = stack_.status(pair.connection))
      retransmitted_ += status->retransmitted_segments;
    if (broken) stack_.abort(now_, pair.connection);
    stack_.release(now_, pair.connection);
    by_id_.erase(pair.connection);
  }

  void pump(Pair& pair) {
    if (pair.over) return;
    if (pair.kernel_connecting) {
      int error = 0;
      socklen_t bytes = sizeof error;
      pollfd ready{pair.fd, POLLOUT, 0};
      if (::poll(&ready, 1, 0) == 0) return;
      ::getsockopt(pair.fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
      if (error != 0) return end(pair, true);
      pair.kernel_connecting = false;
    }
    if (pair.stack_connecting) return;
    if (!move_to_stack(pair) || !move_to_kernel(pair)) return end(pair, true);
    if (pair.kernel_ended && pair.stack_ended && pair.to_stack.empty() && pair.to_kernel.empty())
      end(pair, false);
  }

  bool move_to_stack(Pair& pair) {
    while (!pair.kernel_ended || !pair.to_stack.empty()) {
      if (pair.to_stack.empty()) {
        pair.to_stack.resize(buffer_bytes);
        const ssize_t bytes = ::recv(pair.fd, pair.to_stack.data(), buffer_bytes, 0);
        pair.to_stack.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
        if (bytes < 0) return errno == EAGAIN;
        pair.kernel_ended = bytes == 0;
      }
      const std::size_t taken = stack_.write(now_, pair.connection, pair.to_stack);
      pair.to_stack.erase(pair.to_stack.begin(),
                          pair.to_stack.begin() + static_cast<std::ptrdiff_t>(taken));
      if (!pair.to_stack.empty()) return true;
      if (pair.kernel_ended) stack_.close_write(now_, pair.connection);
    }
    return true;
  }

  bool move_to_kernel(Pair& pair) {
    while (!pair.stack_ended || !pair.to_kernel.empty()) {
      if (pair.to_kernel.empty()) {
        pair.to_kernel.resize(buffer_bytes);
        const auto result = stack_.read(now_, pair.connection, pair.to_kernel);
        pair.to_kernel.resize(result.bytes);
        if (result.error != TcpError::none) return false;
        pair.stack_ended = result.end;
        if (result.bytes == 0 && !result.end) return true;
      }
      if (!pair.to_kernel.empty()) {
        const ssize_t bytes =
            ::send(pair.fd, pair.to_kernel.data(), pair.to_kernel.size(), MSG_NOSIGNAL);
        if (bytes < 0) return errno == EAGAIN;
        pair.to_kernel.erase(pair.to_kernel.begin(), pair.to_kernel.begin() + bytes);
        if (!pair.to_kernel.empty()) return true;
      }
      if (pair.stack_ended) ::shutdown(pair.fd, SHUT_WR);
    }
    return true;
  }

  SimulatedLink in_;
  SimulatedLink out_;
  TcpStack stack_;
  int tun_;
  Instant now_ = std::chrono::steady_clock::now();
  std::vector<pollfd> polled_;
  std::map<int, SocketAddress> listeners_;
  std::map<std::uint16_t, SocketAddress> targets_;
  std::list<Pair> pairs_;
  std::map<ConnectionId, Pair*> by_id_;
  std::array<std::uint8_t, buffer_bytes> buffer_{};
  std::uint64_t retransmitted_ = 0;
  std::uint64_t refused_ = 0;
};

int run(std::span<const std::string_view> words) {
  const auto options = parse_tunnel_peer_options(words);
  if (!options) {
    std::cerr << "tun_peer: " << options.error() << '\n';
    return 2;
  }
  struct sigaction action{};
  action.sa_handler = [](int) { ended = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = [](int) { line_cut = 1; };
  ::sigaction(SIGUSR1, &action, nullptr);
  try {
    SystemRandom random;
    TunPeer(*options, random).run();
  } catch (const std::exception& failure) {
    std::cerr << "tun_peer: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace sidestream::tunnel

int main(int count, char** values) {
  const std::vector<std::string_view> words(values + 1, values + count);
  return sidestream::tunnel::run(words);
}
