// Views of bytes, and a reader and a writer of big- and little-endian fields with a sticky error:
// after the first field that does not fit, every later one is a no-op and `failed()` stays true,
// so a parser is a straight list of fields with one check at its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace sidestream {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// The bytes of a text, without a terminator. The view lives as long as the text does.
inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
// The same the other way round.
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class ByteReader {
 public:
  explicit ByteReader(Bytes from) : rest_(from) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] Bytes rest() const { return rest_; }
  [[nodiscard]] std::size_t size() const { return rest_.size(); }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

  // The next `count` bytes; empty after an error.
  Bytes take(std::size_t count) {
    if (failed_ || count > rest_.size()) {
      fail();
      return {};
    }
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  void skip(std::size_t count) { take(count); }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(big_endian(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }
  std::uint32_t u32_le() { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t u64_le() { return little_endian(8); }

 private:
  std::uint64_t big_endian(std::size_t count) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(count)) value = value << 8U | byte;
    return value;
  }
  std::uint64_t little_endian(std::size_t count) {
    std::uint64_t value = 0;
    const Bytes field = take(count);
    for (std::size_t i = field.size(); i-- > 0;) value = value << 8U | field[i];
    return value;
  }

  Bytes rest_;
  bool failed_ = false;
};

class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes into) : into_(into) {}

  [[nodiscard]] bool failed() const { return failed_; }
  // How many bytes were written so far.
  [[nodiscard]] std::size_t size() const { return used_; }
  [[nodiscard]] Bytes written() const { return into_.first(used_); }
  [[nodiscard]] std::size_t room() const { return into_.size() - used_; }

  // Room for `count` bytes that the caller fills; empty after an error.
  MutableBytes reserve(std::size_t count) {
    if (failed_ || count > room()) {
      failed_ = true;
      return {};
    }
    const MutableBytes place = into_.subspan(used_, count);
    used_ += count;
    return place;
  }
  void bytes(Bytes source) {
    const MutableBytes place = reserve(source.size());
    if (!place.empty()) std::memcpy(place.data(), source.data(), source.size());
  }
  void zeros(std::size_t count) {
    for (std::uint8_t& byte : reserve(count)) byte = 0;
  }
  void u8(std::uint8_t value) { big_endian(value, 1); }
  void u16(std::uint16_t value) { big_endian(value, 2); }
  void u24(std::uint32_t value) { big_endian(value, 3); }
  void u32(std::uint32_t value) { big_endian(value, 4); }
  void u64(std::uint64_t value) { big_endian(value, 8); }
  void u32_le(std::uint32_t value) { little_endian(value, 4); }
  void u64_le(std::uint64_t value) { little_endian(value, 8); }

 private:
  void big_endian(std::uint64_t value, std::size_t count) {
    const MutableBytes place = reserve(count);
    for (std::size_t i = place.size(); i-- > 0; value >>= 8U)
      place[i] = static_cast<std::uint8_t>(value);
  }
  void little_endian(std::uint64_t value, std::size_t count) {
    for (std::uint8_t& byte : reserve(count)) {
      byte = static_cast<std::uint8_t>(value);
      value >>= 8U;
    }
  }

  MutableBytes into_;
  std::size_t used_ = 0;
  bool failed_ = false;
};

}  // namespace sidestream
