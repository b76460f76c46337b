// Sequence numbers. On the wire they are 32 bits and wrap (RFC 9293 section 3.4); inside they are
// positions of 64 bits that never do, so that they order totally and can be keys. The only places
// where the two meet are `wire` and `near`.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace sidestream::tunnel {

class Sequence {
 public:
  constexpr Sequence() = default;
  explicit constexpr Sequence(std::uint64_t position) : position_(position) {}

  // The first number of a direction. Starts one wrap above zero, so that "a little before the
  // start" is a position too.
  static constexpr Sequence initial(std::uint32_t wire_number) {
    return Sequence((std::uint64_t{1} << 32U) + wire_number);
  }
  // The position with this 32-bit number that is nearest to `reference`.
  static constexpr Sequence near(std::uint32_t wire_number, Sequence reference) {
    const auto distance = static_cast<std::int32_t>(wire_number - reference.wire());
    return Sequence(reference.position_ + static_cast<std::uint64_t>(std::int64_t{distance}));
  }

  [[nodiscard]] constexpr std::uint32_t wire() const {
    return static_cast<std::uint32_t>(position_);
  }
  [[nodiscard]] constexpr std::uint64_t position() const { return position_; }

  constexpr auto operator<=>(const Sequence&) const = default;
  constexpr Sequence operator+(std::uint64_t bytes) const { return Sequence(position_ + bytes); }
  constexpr Sequence operator-(std::uint64_t bytes) const { return Sequence(position_ - bytes); }
  constexpr Sequence& operator+=(std::uint64_t bytes) {
    position_ += bytes;
    return *this;
  }
  // How many bytes `earlier` is behind this one. The caller knows which is which.
  [[nodiscard]] constexpr std::size_t since(Sequence earlier) const {
    return static_cast<std::size_t>(position_ - earlier.position_);
  }

 private:
  std::uint64_t position_ = 0;
};

// [begin, end)
struct SequenceRange {
  Sequence begin;
  Sequence end;

  [[nodiscard]] constexpr std::size_t size() const { return end.since(begin); }
  [[nodiscard]] constexpr bool empty() const { return begin >= end; }
  [[nodiscard]] constexpr bool contains(Sequence at) const { return begin <= at && at < end; }
  constexpr bool operator==(const SequenceRange&) const = default;
};

}  // namespace sidestream::tunnel
