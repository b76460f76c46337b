#include "streams/descriptor_passing_io.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "streams/unix_socket_io.h"

namespace sidestream {
namespace {

// Room for the descriptors of one frame, aligned as the kernel wants it.
struct alignas(cmsghdr) DescriptorRoom {
  std::array<std::uint8_t, CMSG_SPACE(sizeof(int) * FrameChannel::descriptors_max)> bytes{};
};

void write_descriptors(msghdr& message, DescriptorRoom& room, std::span<const int> descriptors) {
  if (descriptors.empty()) return;
  message.msg_control = room.bytes.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

void take_descriptors(msghdr& message, std::vector<UniqueFd>& descriptors) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
}

[[noreturn]] void throw_bad_frame() {
  throw_error(make_error_code(boost::system::errc::bad_message), "frame");
}

}  // namespace

FrameChannel::FrameChannel(const asio::any_io_executor& executor, UniqueFd fd)
    : descriptor_(executor, std::move(fd)) {}

FrameChannel::Credentials FrameChannel::other_end() {
  ucred who{};
  socklen_t length = sizeof who;
  if (::getsockopt(descriptor_.fd(), SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
    throw_error(last_system_error(), "SO_PEERCRED");
  return {static_cast<std::uint64_t>(who.pid), who.uid};
}

// ---- out ---------------------------------------------------------------------------------------

Task<std::size_t> FrameChannel::send_some(Bytes bytes, std::span<const int> descriptors) {
  DescriptorRoom room;
  iovec part{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
  for (;;) {
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    write_descriptors(message, room, descriptors);
    const ssize_t sent = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
    if (sent > 0) co_return static_cast<std::size_t>(sent);
    if (errno == EPIPE || errno == ECONNRESET) throw_error(asio::error::eof, "send");
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      co_await descriptor_.wait_writable();
    else if (errno != EINTR)
      throw_error(last_system_error(), "send");
  }
}

Task<> FrameChannel::send(std::uint8_t kind, std::string_view body,
                          std::span<const int> descriptors) {
  if (body.size() > body_bytes_max || descriptors.size() > descriptors_max) throw_bad_frame();
  std::array<std::uint8_t, header_bytes> header{};
  ByteWriter writer(header);
  writer.u8(kind);
  writer.u8(static_cast<std::uint8_t>(descriptors.size()));
  writer.u32(static_cast<std::uint32_t>(body.size()));
  // The descriptors travel with the first byte that they are sent with.
  for (std::size_t at = 0; at < header.size();) {
    at += co_await send_some(Bytes(header).subspan(at), descriptors);
    descriptors = {};
  }
  for (std::size_t at = 0; at < body.size();)
    at += co_await send_some(bytes_of(body).subspan(at), {});
}

// ---- in ----------------------------------------------------------------------------------------

Task<> FrameChannel::receive_exactly(MutableBytes into, std::vector<UniqueFd>& descriptors) {
  for (std::size_t at = 0; at < into.size();) {
    DescriptorRoom room;
    const MutableBytes rest = into.subspan(at);
    iovec part{.iov_base = rest.data(), .iov_len = rest.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes.data();
    message.msg_controllen = room.bytes.size();
    const ssize_t received = ::recvmsg(descriptor_.fd(), &message, MSG_CMSG_CLOEXEC);
    if (received > 0) {
      take_descriptors(message, descriptors);
      if ((message.msg_flags & MSG_CTRUNC) != 0) throw_bad_frame();
      at += static_cast<std::size_t>(received);
    } else if (received == 0 || errno == ECONNRESET) {
      throw_error(asio::error::eof, "receive");
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      co_await descriptor_.wait_readable();
    } else if (errno != EINTR) {
      throw_error(last_system_error(), "receive");
    }
  }
}

Task<FrameChannel::Frame> FrameChannel::receive() {
  Frame frame;
  std::array<std::uint8_t, header_bytes> header{};
  co_await receive_exactly(header, frame.descriptors);
  ByteReader reader(header);
  frame.kind = reader.u8();
  const std::size_t descriptors = reader.u8();
  const std::size_t body_bytes = reader.u32();
  if (descriptors != frame.descriptors.size() || body_bytes > body_bytes_max) throw_bad_frame();
  std::vector<UniqueFd> none;
  constexpr std::size_t piece_bytes = 1UL << 20U;  // memory only for what really comes
  while (frame.body.size() < body_bytes) {
    const std::size_t before = frame.body.size();
    frame.body.resize(before + std::min(piece_bytes, body_bytes - before));
    auto* const place = reinterpret_cast<std::uint8_t*>(frame.body.data());
    const MutableBytes rest(place + before, frame.body.size() - before);
    co_await receive_exactly(rest, none);
  }
  if (!none.empty()) throw_bad_frame();
  co_return frame;
}

UniqueFd connect_to_unix_path(const std::string& path) {
  const KernelAddress address = unix_address(path);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw_error(last_system_error(), "socket");
  if (::connect(fd.get(), address.get(), address.length) != 0)
    throw_error(last_system_error(), "connect");
  return fd;
}

}  // namespace sidestream
