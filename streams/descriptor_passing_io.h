// Frames over a Unix socket between two processes, with file descriptors in them (SCM_RIGHTS).
//
//   kind (1 byte)  descriptors (1 byte)  body length (4 bytes, network order)  body
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "streams/descriptor_io.h"

namespace sidestream {

class FrameChannel {
 public:
  static constexpr std::size_t descriptors_max = 128;  // in one frame; the kernel takes 253
  static constexpr std::size_t body_bytes_max = 512UL << 20U;

  struct Frame {
    std::uint8_t kind = 0;
    std::string body;
    std::vector<UniqueFd> descriptors;
  };

  // `fd` is a stream socket of the Unix family that does not block.
  FrameChannel(const asio::any_io_executor& executor, UniqueFd fd);

  // One send and one receive at a time. They throw system_error: eof when the other end is gone,
  // bad_message when what comes is no frame. Cancelling leaves the channel useless.
  // `body` and `descriptors` stay the caller's, and valid until it returns.
  Task<> send(std::uint8_t kind, std::string_view body, std::span<const int> descriptors);
  Task<> send(std::uint8_t kind, std::string_view body) { return send(kind, body, {}); }
  Task<Frame> receive();

  // Who is at the other end, as the kernel says: the process that connected, or that listens.
  struct Credentials {
    std::uint64_t process = 0;
    std::uint32_t user = 0;
  };
  [[nodiscard]] Credentials other_end();
  void close() noexcept { descriptor_.close(); }

 private:
  static constexpr std::size_t header_bytes = 6;

  Task<std::size_t> send_some(Bytes bytes, std::span<const int> descriptors);
  Task<> receive_exactly(MutableBytes into, std::vector<UniqueFd>& descriptors);

  Descriptor descriptor_;
};

// Throws system_error: not_found, connection_refused, permission_denied, …
UniqueFd connect_to_unix_path(const std::string& path);

}  // namespace sidestream
