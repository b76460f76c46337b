#include "streams/datagram_socket_io.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <bit>
#include <cerrno>

namespace sidestream {

KernelDatagramSocket::KernelDatagramSocket(const asio::any_io_executor& executor, UniqueFd fd,
                                           int family, bool segment_sends)
    : descriptor_(executor, std::move(fd)),
      family_(family),
      segment_sends_(segment_sends),
      local_(bound_address(descriptor_.fd())),
      receive_bytes_(
          std::make_unique_for_overwrite<std::uint8_t[]>(receive_slot_bytes * receive_slots)) {
  any_local_ = local_.address.is_unspecified();
  int bytes = 0;
  socklen_t length = sizeof bytes;
  if (::getsockopt(descriptor_.fd(), SOL_SOCKET, SO_SNDBUF, &bytes, &length) == 0)
    send_buffer_bytes_ = bytes;
  if (::getsockopt(descriptor_.fd(), SOL_SOCKET, SO_RCVBUF, &bytes, &length) == 0)
    counters_.receive_buffer_bytes = static_cast<std::size_t>(bytes);
  for (std::size_t slot = 0; slot < receive_slots; ++slot) {
    vectors_[slot] = {.iov_base = &receive_bytes_[slot * receive_slot_bytes],
                      .iov_len = receive_slot_bytes};
    msghdr& header = headers_[slot].msg_hdr;
    header.msg_iov = &vectors_[slot];
    header.msg_iovlen = 1;
    header.msg_name = names_[slot].get();
    header.msg_control = controls_[slot].bytes.data();
  }
}

Task<> KernelDatagramSocket::wait_readable() {
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "receive");
  co_await descriptor_.wait_readable();
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "receive");
}

Task<> KernelDatagramSocket::wait_writable() {
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "send");
  co_await descriptor_.wait_writable();
  if (!descriptor_.is_open()) throw_error(asio::error::operation_aborted, "send");
}

std::span<const DatagramSocket::Batch> KernelDatagramSocket::receive() {
  if (!descriptor_.is_open()) return {};
  for (std::size_t slot = 0; slot < receive_slots; ++slot) {
    msghdr& header = headers_[slot].msg_hdr;
    header.msg_namelen = sizeof names_[slot].storage;
    header.msg_controllen = controls_[slot].bytes.size();
    header.msg_flags = 0;
  }
  int received = 0;
  // Each failure but "nothing there" is the ICMP error of an earlier send, and is gone once it was
  // reported; the bound is for kernels that think otherwise.
  for (int attempt = 0; attempt < 8; ++attempt) {
    received = ::recvmmsg(descriptor_.fd(), headers_.data(), receive_slots, MSG_DONTWAIT, nullptr);
    if (received >= 0 || errno == EAGAIN || errno == EWOULDBLOCK) break;
  }
  std::size_t taken = 0;
  for (int slot = 0; slot < received; ++slot) {
    const auto from = static_cast<std::size_t>(slot);
    if (take(from, taken)) ++taken;
  }
  return std::span(batches_).first(taken);
}

bool KernelDatagramSocket::take(std::size_t slot, std::size_t into) {
  msghdr& header = headers_[slot].msg_hdr;
  const std::size_t size = headers_[slot].msg_len;
  const ReceivedControl control = parse_control(header);
  if (control.dropped_total) {
    counters_.received_dropped += *control.dropped_total - dropped_before_;
    dropped_before_ = *control.dropped_total;
  }
  if (size == 0 || (header.msg_flags & MSG_TRUNC) != 0) return false;

  Batch& batch = batches_[into];
  batch.remote = from_kernel(names_[slot]);
  batch.bytes = {static_cast<std::uint8_t*>(vectors_[slot].iov_base), size};
  batch.segment_bytes = control.segment_bytes > 0 ? control.segment_bytes : size;
  batch.traffic_class = control.traffic_class;
  counters_.received += (size + batch.segment_bytes - 1) / batch.segment_bytes;
  if (any_local_ && control.local && !control.local->is_multicast()) {
    DatagramPaths::Path& path = paths_.get(batch.remote);
    path.local = control.local;
    path.interface = control.interface;
  }
  return true;
}

bool KernelDatagramSocket::send(const Batch& batch) {
  if (batch.bytes.empty() || !descriptor_.is_open()) return true;
  if (!batch.unfragmented) return send_all(batch);
  let_fragment(descriptor_.fd(), family_, false);
  const bool taken = send_all(batch);
  let_fragment(descriptor_.fd(), family_, true);
  return taken;
}

bool KernelDatagramSocket::send_all(const Batch& batch) {
  const std::size_t segment_bytes =
      batch.segment_bytes == 0 ? batch.bytes.size() : batch.segment_bytes;
  Batch sized = batch;
  sized.segment_bytes = segment_bytes;
  send_name_ = to_kernel(batch.remote, family_);

  const DatagramPaths::Path* path = paths_.find(batch.remote);
  const bool segment = segment_sends_ && !(path && segment_bytes >= path->segmentable_below);
  const std::size_t segments = std::min(segments_max, payload_bytes_max / segment_bytes);
  if (segment && segments > 1) {
    const std::size_t part_bytes = segments * segment_bytes;
    if (batch.bytes.size() > part_bytes) return send_in_parts(sized, part_bytes);
    const Sent sent = send_segmented(sized, batch.bytes);
    if (sent != Sent::not_segmentable) return sent != Sent::would_block;
  }
  return send_in_parts(sized, segment_bytes);
}

// With more than one system call the socket's buffer may run full in between, when it is too late
// to say so: look for room first.
bool KernelDatagramSocket::send_in_parts(const Batch& batch, std::size_t part_bytes) {
  const std::size_t segment_bytes = batch.segment_bytes;
  const std::size_t datagrams = (batch.bytes.size() + segment_bytes - 1) / segment_bytes;
  if (datagrams > 1 && !has_room_for(datagrams, segment_bytes)) return false;
  bool segment = part_bytes > segment_bytes;
  MutableBytes rest = batch.bytes;
  while (!rest.empty()) {
    const std::size_t bytes_max = segment ? part_bytes : segment_bytes * segments_max;
    const MutableBytes part = rest.first(std::min(rest.size(), bytes_max));
    const bool first = rest.size() == batch.bytes.size();
    const Sent sent = segment ? send_segmented(batch, part) : send_singly(batch, part, first);
    if (sent == Sent::not_segmentable) {
      segment = false;
      continue;
    }
    if (sent == Sent::would_block) {
      if (first) return false;
      count_dropped(rest, segment_bytes);
      return true;
    }
    rest = rest.subspan(part.size());
  }
  return true;
}

KernelDatagramSocket::Sent KernelDatagramSocket::send_segmented(const Batch& batch,
                                                                MutableBytes part) {
  const bool several = part.size() > batch.segment_bytes;
  iovec vector{.iov_base = part.data(), .iov_len = part.size()};
  msghdr message{};
  message.msg_name = send_name_.get();
  message.msg_namelen = send_name_.length;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  for (;;) {
    write_control(batch, several ? batch.segment_bytes : 0, message);
    if (::sendmsg(descriptor_.fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      counters_.sent += (part.size() + batch.segment_bytes - 1) / batch.segment_bytes;
      return Sent::all;
    }
    const int code = errno;
    if (code == EAGAIN || code == EWOULDBLOCK) return Sent::would_block;
    if (code == EINTR || forget_source_after(code, batch.remote)) continue;
    if (several && code == EIO) {
      segment_sends_ = false;  // the device computes no checksums; another route may, but is rare
      return Sent::not_segmentable;
    }
    // A datagram larger than the route's MTU is fragmented when sent alone, but not by offload.
    if (several && (code == EMSGSIZE || code == EINVAL)) {
      paths_.get(batch.remote).segmentable_below = batch.segment_bytes;
      return Sent::not_segmentable;
    }
    count_dropped(part, batch.segment_bytes);
    return Sent::dropped;
  }
}

KernelDatagramSocket::Sent KernelDatagramSocket::send_singly(const Batch& batch, MutableBytes part,
                                                             bool first) {
  std::size_t count = 0;
  for (MutableBytes rest = part; !rest.empty(); ++count) {
    const std::size_t size = std::min(rest.size(), batch.segment_bytes);
    send_vectors_[count] = {.iov_base = rest.data(), .iov_len = size};
    msghdr& message = send_headers_[count].msg_hdr;
    message = {};
    message.msg_name = send_name_.get();
    message.msg_namelen = send_name_.length;
    message.msg_iov = &send_vectors_[count];
    message.msg_iovlen = 1;
    write_control(batch, 0, message);  // each is the same and writes the same bytes
    rest = rest.subspan(size);
  }
  for (std::size_t next = 0; next < count;) {
    const int sent = ::sendmmsg(descriptor_.fd(), &send_headers_[next],
                                static_cast<unsigned>(count - next), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      counters_.sent += static_cast<std::size_t>(sent);
      next += static_cast<std::size_t>(sent);
      continue;
    }
    const int code = errno;
    const bool would_block = code == EAGAIN || code == EWOULDBLOCK;
    if (would_block && first && next == 0) return Sent::would_block;
    if (code == EINTR) continue;
    if (forget_source_after(code, batch.remote)) {
      for (std::size_t i = next; i < count; ++i) write_control(batch, 0, send_headers_[i].msg_hdr);
      continue;
    }
    if (would_block) {
      count_dropped(part.subspan(next * batch.segment_bytes), batch.segment_bytes);
      return Sent::dropped;
    }
    ++counters_.sent_dropped;
    ++next;
  }
  return Sent::all;
}

void KernelDatagramSocket::write_control(const Batch& batch, std::size_t segment_bytes,
                                         msghdr& message) {
  ControlWriter control(send_control_);
  if (const DatagramPaths::Path* path = paths_.find(batch.remote); path && path->local)
    control.source(*path->local, path->interface);
  if (batch.traffic_class != 0) {
    const bool v4 = batch.remote.address.unmapped().is_v4();
    control.traffic_class(batch.traffic_class, v4);
  }
  if (segment_bytes > 0) control.segment_bytes(static_cast<std::uint16_t>(segment_bytes));
  control.attach(message);
}

// One that needs its interface is not worth keeping.
std::optional<IpAddress> KernelDatagramSocket::local_address_for(const SocketAddress& remote) {
  const DatagramPaths::Path* path = paths_.find(remote);
  static const IpPrefix link_local = *IpPrefix::parse("fe80::/10");
  if (!path || !path->local || link_local.contains(*path->local)) return std::nullopt;
  return path->local;
}

void KernelDatagramSocket::set_local_address_for(const SocketAddress& remote,
                                                 const IpAddress& local) {
  if (!any_local_) return;
  DatagramPaths::Path& path = paths_.get(remote);
  path.local = local;
  path.interface = 0;
}

// Whether it may be the source address that the kernel does not like, which is then forgotten: our
// address may have moved since the peer reached us there.
bool KernelDatagramSocket::forget_source_after(int code, const SocketAddress& remote) {
  if (code != EINVAL && code != ENETUNREACH && code != EHOSTUNREACH && code != EADDRNOTAVAIL)
    return false;
  DatagramPaths::Path* path = paths_.find(remote);
  if (!path || !path->local) return false;
  path->local.reset();
  return true;
}

bool KernelDatagramSocket::has_room_for(std::size_t datagrams, std::size_t datagram_bytes) {
  // What the kernel charges for a datagram: a power of two for its bytes and headers, and a
  // structure for itself.
  const std::size_t need = datagrams * (std::bit_ceil(datagram_bytes + 400) + 256);
  int waiting = 0;
  if (::ioctl(descriptor_.fd(), SIOCOUTQ, &waiting) != 0) return true;
  const auto room = static_cast<std::size_t>(std::max(send_buffer_bytes_ - waiting, 0));
  // wait_writable() ends when half of the buffer is free: more is not to be had by waiting.
  return need <= room || waiting <= send_buffer_bytes_ / 2;
}

void KernelDatagramSocket::count_dropped(MutableBytes bytes, std::size_t segment_bytes) {
  counters_.sent_dropped += (bytes.size() + segment_bytes - 1) / segment_bytes;
}

}  // namespace sidestream
