// UDP sockets of the kernel, with segmentation offload in both directions where there is one.
#pragma once

#include <array>
#include <memory>

#include "streams/datagram_control_io.h"
#include "streams/datagram_paths.h"
#include "streams/descriptor_io.h"
#include "streams/network_io.h"
#include "streams/socket_address_io.h"

namespace sidestream {

struct DatagramSocketLimits {
  // Asked for; the kernel may give less (net.core.rmem_max) unless we have CAP_NET_ADMIN. Only
  // the receive buffer is large: a long queue of datagrams to send is only delay.
  int receive_buffer_bytes = 7 << 20;
  int send_buffer_bytes = 208 << 10;
};

// For tests of the ways that other kernels force upon us.
struct DatagramOffload {
  bool segment_sends = true;
  bool coalesce_receives = true;
};

// Binds to `local`. "::" takes both families (only IPv4 where IPv6 is switched off). Throws
// system_error.
std::unique_ptr<DatagramSocket> open_datagram_socket(const asio::any_io_executor& executor,
                                                     const SocketAddress& local,
                                                     const DatagramSocketLimits& limits = {},
                                                     const DatagramOffload& offload = {});

// The same for a socket that another process has opened in this way and that is open there still or
// was closed there.
std::unique_ptr<DatagramSocket> adopt_datagram_socket(const asio::any_io_executor& executor,
                                                      UniqueFd fd);

// Whether this host and routers may fragment what is sent. If not, what is known of the path does
// not count either (RFC 4821 section 4: probes).
void let_fragment(int fd, int family, bool allowed);

class KernelDatagramSocket final : public DatagramSocket {
 public:
  // `fd` is bound and has its options (open_datagram_socket).
  KernelDatagramSocket(const asio::any_io_executor& executor, UniqueFd fd, int family,
                       bool segment_sends);

  Task<> wait_readable() override;
  std::span<const Batch> receive() override;
  bool send(const Batch& batch) override;
  Task<> wait_writable() override;
  void forget_local_address(const SocketAddress& remote) override { paths_.forget(remote); }
  std::optional<IpAddress> local_address_for(const SocketAddress& remote) override;
  void set_local_address_for(const SocketAddress& remote, const IpAddress& local) override;
  void close() noexcept override { descriptor_.close(); }
  [[nodiscard]] SocketAddress local_address() const override { return local_; }
  [[nodiscard]] Counters counters() const override { return counters_; }
  [[nodiscard]] int descriptor() override { return descriptor_.fd(); }

 private:
  // A datagram of the largest size, or as many as GRO puts into one.
  static constexpr std::size_t receive_slot_bytes = 65536;
  static constexpr std::size_t receive_slots = 16;
  static constexpr std::size_t segments_max = 64;          // UDP_MAX_SEGMENTS of older kernels
  static constexpr std::size_t payload_bytes_max = 65507;  // of an IPv4 datagram

  enum class Sent { all, would_block, dropped, not_segmentable };

  bool take(std::size_t slot, std::size_t size);
  Sent send_segmented(const Batch& batch, MutableBytes part);
  bool send_all(const Batch& batch);
  bool send_in_parts(const Batch& batch, std::size_t part_bytes);
  Sent send_singly(const Batch& batch, MutableBytes part, bool first);
  void write_control(const Batch& batch, std::size_t segment_bytes, msghdr& message);
  bool forget_source_after(int code, const SocketAddress& remote);
  [[nodiscard]] bool has_room_for(std::size_t datagrams, std::size_t datagram_bytes);
  void count_dropped(MutableBytes bytes, std::size_t segment_bytes);

  Descriptor descriptor_;
  int family_;
  bool segment_sends_;
  bool any_local_ = false;  // bound to every address, so that the source is ours to choose
  SocketAddress local_;
  DatagramPaths paths_;
  Counters counters_;
  int send_buffer_bytes_ = 0;
  std::uint32_t dropped_before_ = 0;

  // Receiving: allocated once; pages that no datagram ever reached take no memory.
  std::unique_ptr<std::uint8_t[]> receive_bytes_;
  std::array<mmsghdr, receive_slots> headers_{};
  std::array<iovec, receive_slots> vectors_{};
  std::array<KernelAddress, receive_slots> names_{};
  std::array<ControlRoom, receive_slots> controls_{};
  std::array<Batch, receive_slots> batches_{};
  // Sending.
  KernelAddress send_name_;
  ControlRoom send_control_{};
  std::array<mmsghdr, segments_max> send_headers_{};
  std::array<iovec, segments_max> send_vectors_{};
};

}  // namespace sidestream
