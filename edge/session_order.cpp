#include "edge/session_order.h"

#include <charconv>

namespace sidestream::edge {
namespace {

constexpr char separator = '-';

bool parse_whole(std::string_view text, int radix, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, radix);
  return error == std::errc() && end == text.data() + text.size();
}

std::string number_text(std::uint64_t value, int radix) {
  char digits[20];
  return {digits, std::to_chars(digits, digits + sizeof digits, value, radix).ptr};
}

}  // namespace

std::string SessionId::text() const {
  return number_text(epoch, 16) + separator + number_text(number, 10);
}

std::string SessionId::run_text() const {
  return number_text(epoch, 16);
}

std::optional<SessionId> SessionId::parse(std::string_view text) {
  SessionId id;
  const std::size_t middle = text.find(separator);
  if (middle == std::string_view::npos) return std::nullopt;
  if (!parse_whole(text.substr(0, middle), 16, id.epoch)) return std::nullopt;
  if (!parse_whole(text.substr(middle + 1), 10, id.number)) return std::nullopt;
  if (id.text() != text) return std::nullopt;
  return id;
}

std::optional<control::Refusal> SessionOrder::check(std::uint64_t number, std::uint64_t sequence,
                                                    bool is_state) const {
  using control::Refusal;
  if (at_.active && number == at_.current) {
    if (sequence > at_.sequence) return std::nullopt;
    return Refusal::stale_sequence;
  }
  if (at_.active && number < at_.current) return Refusal::session_superseded;
  if (is_state && number == at_.opened && number > at_.current) return std::nullopt;
  return Refusal::session_unknown;
}

bool SessionOrder::accept(std::uint64_t number, std::uint64_t sequence) {
  const bool begins = !at_.active || number != at_.current;
  at_.active = true;
  at_.current = number;
  at_.sequence = sequence;
  return begins;
}

}  // namespace sidestream::edge
