// The outside world as one argument: clock, randomness, TCP, UDP and name resolution. The program
// passes KernelNetwork (kernel_network_io.h), the simulation a network with a seed, so edge and
// sidecar run unchanged in both.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/random.h"
#include "streams/socket_place.h"
#include "streams/stream_io.h"
#include "streams/timer_io.h"

namespace sidestream {

// One UDP socket. Batches in both directions, because system calls are what limits a tunnel.
class DatagramSocket {
 public:
  // Several datagrams of `segment_bytes` each (the last one may be shorter) to or from one
  // address, back to back in `bytes`.
  struct Batch {
    SocketAddress remote;
    MutableBytes bytes;
    std::size_t segment_bytes = 0;
    // DSCP and ECN of the IP header (RFC 2474, RFC 3168). Received: that of the batch's first
    // datagram (datagrams of different classes are never put into one batch).
    std::uint8_t traffic_class = 0;
    // To be sent: it arrives in one piece or not at all (RFC 8899 section 3). All others may be
    // fragmented on the way, as they are by the kernel's own WireGuard.
    bool unfragmented = false;
  };

  DatagramSocket() = default;
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;
  virtual ~DatagramSocket() = default;

  // Waits until something can be received. Errors as for Stream; ICMP errors of earlier sends are
  // swallowed.
  virtual Task<> wait_readable() = 0;

  // Takes what is there without waiting. The views in the result are valid until the next call;
  // their bytes may be changed in place. Empty when nothing is there.
  virtual std::span<const Batch> receive() = 0;

  // Sends without waiting, one or many datagrams; returns false when the socket's buffer is full
  // (nothing of this batch was sent then; wait_writable and try again). What cannot be sent for
  // another reason is dropped, as a network does, and counted. Falls back from segmentation
  // offload to single datagrams by itself.
  virtual bool send(const Batch& batch) = 0;
  virtual Task<> wait_writable() = 0;

  // Forgets from which local address a peer was reached (sticky source), after addresses changed.
  virtual void forget_local_address(const SocketAddress& remote) = 0;
  // That address; none: it is not known, or the socket is bound to one. And its way back in, for a
  // socket that is a new one.
  [[nodiscard]] virtual std::optional<IpAddress> local_address_for(const SocketAddress& remote) = 0;
  virtual void set_local_address_for(const SocketAddress& remote, const IpAddress& local) = 0;

  virtual void close() noexcept = 0;
  [[nodiscard]] virtual SocketAddress local_address() const = 0;

  // In datagrams, since the socket was opened.
  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t sent_dropped = 0;  // by us or at once by the system
    std::uint64_t received = 0;
    std::uint64_t received_dropped = 0;    // our receive buffer was full
    std::size_t receive_buffer_bytes = 0;  // what the system granted
  };
  [[nodiscard]] virtual Counters counters() const { return {}; }
  // Of the kernel's, to hand the socket to another process; -1: there is none.
  [[nodiscard]] virtual int descriptor() { return -1; }
};

// Tells that addresses or routes of this host have changed.
class AddressWatch {
 public:
  AddressWatch() = default;
  AddressWatch(const AddressWatch&) = delete;
  AddressWatch& operator=(const AddressWatch&) = delete;
  virtual ~AddressWatch() = default;

  // Returns when something has changed since the last call returned, or since the watch was opened;
  // many changes may be one. Errors as for Stream.
  virtual Task<> wait_changed() = 0;
};

struct ListenOptions {
  int backlog = 4096;
  bool v6_only = false;     // "::" accepts IPv4 too unless this is set
  bool reuse_port = false;  // several listeners of one program share the port
};

class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  virtual boost::asio::any_io_executor executor() = 0;
  virtual Timers& timers() = 0;
  virtual RandomSource& random() = 0;

  // Connects by kernel TCP. Gives up after `timeout` with timed_out. Sets no-delay and keepalive.
  virtual Task<std::unique_ptr<Stream>> connect(SocketAddress remote, Duration timeout) = 0;
  // The same for a Unix socket.
  virtual Task<std::unique_ptr<Stream>> connect_unix(std::string path, Duration timeout) = 0;

  // Throws system_error (address in use, permission denied, …). `::` becomes 0.0.0.0 where IPv6 is
  // switched off, here and in open_udp.
  virtual std::unique_ptr<Listener> listen(const SocketAddress& local,
                                           const ListenOptions& options) = 0;
  // A stale socket file that nobody serves is replaced; `mode` are its permission bits.
  virtual std::unique_ptr<Listener> listen_unix(const std::string& path, unsigned mode) = 0;

  // Kernel TCP from and at a place of its own. Errors as above, and address_not_available or
  // no_such_device when there is no such place; a network without places throws
  // operation_not_supported.
  virtual Task<std::unique_ptr<Stream>> connect_from(SocketPlace place, SocketAddress remote,
                                                     Duration timeout);
  virtual std::unique_ptr<Listener> listen_at(const SocketPlace& place, std::uint16_t port);

  virtual std::unique_ptr<DatagramSocket> open_udp(const SocketAddress& local) = 0;

  // nullptr where the system does not tell, as in some sandboxes.
  virtual std::unique_ptr<AddressWatch> watch_addresses() { return nullptr; }

  // All addresses of a host name in the order of preference (RFC 6724); an address in text form
  // resolves to itself without asking anyone. Never empty: throws host_not_found, or
  // host_not_found_try_again, or timed_out.
  virtual Task<std::vector<SocketAddress>> resolve(std::string host, std::uint16_t port,
                                                   Duration timeout) = 0;
};

}  // namespace sidestream
