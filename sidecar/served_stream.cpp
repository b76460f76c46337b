#include "sidecar/served_stream.h"

#include <utility>

namespace sidestream::sidecar {
namespace {

struct Words {
  std::string_view text;
  std::string_view counter;
};

constexpr std::array<Words, served_end_count> words{{
    {"both ended", "finished"},
    {"client side broke", "client_broke"},
    {"backend broke", "backend_broke"},
    {"idle", "idle"},
    {"stopped", "stopped"},
    {"backend not reached", "backend_not_reached"},
    {"ended: memory is scarce", "shed"},
    {"an authority has looked at the name", "looked_at"},
    {"ended: the client was banned", "cut"},
    {"refused: the client is banned", "banned"},
    {"refused: allow and deny of the service", "denied"},
    {"refused: limits.streams of the service", "too_many_streams"},
    {"refused: limits.per_client of the service", "too_many_of_client"},
    {"refused: limits.rate of the service", "too_fast"},
    {"refused: TLS", "tls_failed"},
}};

}  // namespace

std::string_view text_of(ServedEnd end) {
  return words.at(std::to_underlying(end)).text;
}
std::string_view counter_of(ServedEnd end) {
  return words.at(std::to_underlying(end)).counter;
}

std::string ServedStream::end_text() const {
  std::string text(text_of(end));
  if (!error.empty()) text += ": " + error;
  return text;
}

void ServedCounters::add(const ServedCounters& other) {
  streams_in_all += other.streams_in_all;
  for (std::size_t i = 0; i < ended.size(); ++i) ended[i] += other.ended[i];
  bytes.left_to_right_bytes += other.bytes.left_to_right_bytes;
  bytes.right_to_left_bytes += other.bytes.right_to_left_bytes;
}

}  // namespace sidestream::sidecar
