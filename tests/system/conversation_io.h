// What a client and a backend of the simulation say to each other, each byte of it known to both.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "streams/asio_io.h"
#include "streams/join_io.h"
#include "streams/stream_io.h"
#include "streams/timer_io.h"

namespace sidestream {

// What the client sends to the backend and, inverted, the other way.
inline std::uint8_t pattern(std::uint64_t seed, std::size_t at) {
  return static_cast<std::uint8_t>((at * 2654435761U + seed * 40503U) >> 7U);
}

struct Conversation {
  std::uint64_t seed = 0;
  std::size_t up = 0;  // bytes from the client
  std::size_t down = 0;
  // Between two pieces; with one, a stream lives as long as a test wants.
  Duration pause{};
  std::size_t piece = 7001;
};

inline Task<> send_pattern(Timers& timers, Stream& stream, Conversation what, std::size_t bytes,
                           std::uint8_t mask) {
  std::vector<std::uint8_t> piece;
  for (std::size_t at = 0; at < bytes;) {
    piece.resize(std::min(bytes - at, what.piece));
    for (std::uint8_t& byte : piece) byte = pattern(what.seed, at++) ^ mask;
    co_await stream.write_all(piece);
    if (what.pause > Duration::zero()) co_await timers.sleep_for(what.pause);
  }
  co_await stream.close_write();
}

// Throws bad_message when what comes is not the pattern, whole.
inline Task<> expect_pattern(Stream& stream, std::uint64_t seed, std::size_t bytes,
                             std::uint8_t mask) {
  std::array<std::uint8_t, 4096> buffer{};
  std::size_t at = 0;
  for (;;) {
    const std::size_t count = co_await stream.read_some(buffer);
    if (count == 0) break;
    for (const std::uint8_t byte : Bytes(buffer).first(count))
      if (at >= bytes || byte != (pattern(seed, at++) ^ mask))
        throw_error(make_error_code(boost::system::errc::bad_message), "a byte is wrong");
  }
  if (at != bytes) throw_error(make_error_code(boost::system::errc::bad_message), "bytes missing");
}

inline Task<> converse(Timers& timers, std::unique_ptr<Stream> stream, Conversation what,
                       bool is_client) {
  const std::size_t out = is_client ? what.up : what.down;
  const std::size_t in = is_client ? what.down : what.up;
  Task<> sending = send_pattern(timers, *stream, what, out, is_client ? 0x00 : 0xff);
  Task<> receiving = expect_pattern(*stream, what.seed, in, is_client ? 0xff : 0x00);
  co_await both(std::move(sending), std::move(receiving));
}

}  // namespace sidestream
