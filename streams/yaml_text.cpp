#include "streams/yaml_text.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace sidestream {
namespace {

// Whether the offset is in the white space that a line begins with, and something follows there.
bool is_indentation(std::string_view text, std::size_t offset) {
  const std::size_t line = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  if (text.substr(line, offset - line).find_first_not_of(" \t") != std::string_view::npos)
    return false;
  const std::size_t next = text.find_first_not_of(" \t", offset);
  return next != std::string_view::npos && !std::string_view("\r\n#").contains(text[next]);
}

}  // namespace

Mark mark_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::ranges::count(before, '\n');
  const std::size_t column = before.size() - (before.rfind('\n') + 1);
  return {static_cast<unsigned>(lines + 1), static_cast<unsigned>(column + 1)};
}

std::size_t offset_of(std::string_view text, const Mark& mark) {
  std::size_t line_start = 0;
  for (unsigned line = 1; line < mark.line; ++line) {
    const std::size_t end = text.find('\n', line_start);
    if (end == std::string_view::npos) return text.size();
    line_start = end + 1;
  }
  return std::min(text.size(), line_start + mark.column - 1);
}

std::size_t utf8_sequence_bytes(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  if (byte(0) < 0x80) return 1;
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  const bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool surrogate = byte(0) == 0xed && byte(1) >= 0xa0;
  const bool beyond = byte(0) == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : size;
}

std::optional<YamlProblem> find_text_problem(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    return YamlProblem{{},
                       "the document has more than " + std::to_string(bytes_max) +
                           " bytes; is this the right file?"};
  for (std::size_t offset = 0; offset < text.size();) {
    const char character = text[offset];
    const std::size_t size = utf8_sequence_bytes(text.substr(offset));
    if (character == '\0')
      return YamlProblem{mark_at(text, offset),
                         "a NUL byte; the file must be plain UTF-8 text, not UTF-16 or binary"};
    if (size == 0)
      return YamlProblem{mark_at(text, offset), "a byte that is not UTF-8; save the file as UTF-8"};
    const auto code = static_cast<std::uint8_t>(character);
    if ((code < 0x20 && character != '\t' && character != '\n' && character != '\r') ||
        code == 0x7f)
      return YamlProblem{mark_at(text, offset),
                         "a control character; remove it, it may have come in with a paste"};
    if (character == '\t' && is_indentation(text, offset))
      return YamlProblem{mark_at(text, offset), "a tab in the indentation; YAML wants spaces"};
    offset += size;
  }
  return std::nullopt;
}

}  // namespace sidestream
