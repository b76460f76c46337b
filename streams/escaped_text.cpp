#include "streams/escaped_text.h"

#include <algorithm>
#include <cstdint>

namespace sidestream {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr char32_t replacement = 0xfffd;

bool is_printable(char letter) {
  return letter >= 0x20 && letter < 0x7f;
}

void append_hex(std::string& text, std::uint32_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    text += hex_digits[(value >> static_cast<unsigned>(shift)) & 0xfU];
}

// The letter that stands behind a backslash for this one; 0 when there is none.
char short_escape(char letter) {
  switch (letter) {
    case '"':
    case '\\':
      return letter;
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

std::string note_of_cut(std::size_t bytes) {
  return "...(" + std::to_string(bytes) + " more bytes)";
}

// Takes one code point off the front of non-empty `rest` (RFC 3629); U+FFFD for a byte that begins
// none.
char32_t take_code_point(std::string_view& rest) {
  const auto byte_at = [&rest](std::size_t i) { return static_cast<std::uint8_t>(rest[i]); };
  const std::uint8_t first = byte_at(0);
  std::size_t size = 1;
  char32_t value = first;
  char32_t smallest = 0;
  if (first >= 0xf0 && first < 0xf8) {
    size = 4;
    value = first & 0x07U;
    smallest = 0x10000;
  } else if (first >= 0xe0 && first < 0xf0) {
    size = 3;
    value = first & 0x0fU;
    smallest = 0x800;
  } else if (first >= 0xc0 && first < 0xe0) {
    size = 2;
    value = first & 0x1fU;
    smallest = 0x80;
  } else if (first >= 0x80) {
    rest.remove_prefix(1);
    return replacement;
  }
  bool valid = size <= rest.size();
  for (std::size_t i = 1; valid && i < size; ++i) {
    valid = (byte_at(i) & 0xc0U) == 0x80U;
    value = value << 6U | (byte_at(i) & 0x3fU);
  }
  valid = valid && value >= smallest && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  rest.remove_prefix(valid ? size : 1);
  return valid ? value : replacement;
}

void append_json(std::string& text, char32_t code_point) {
  const auto value = static_cast<std::uint32_t>(code_point);
  if (value < 0x80) {
    const char letter = static_cast<char>(value);
    if (const char escape = short_escape(letter)) {
      text += '\\';
      text += escape;
      return;
    }
    if (is_printable(letter)) {
      text += letter;
      return;
    }
  }
  if (value < 0x10000) {
    text += "\\u";
    append_hex(text, value, 4);
    return;
  }
  text += "\\u";
  append_hex(text, 0xd800 + ((value - 0x10000) >> 10U), 4);
  text += "\\u";
  append_hex(text, 0xdc00 + ((value - 0x10000) & 0x3ffU), 4);
}

bool is_plain(char letter) {
  const bool alphanumeric = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                            (letter >= '0' && letter <= '9');
  return alphanumeric || std::string_view("._:/@+,*%#[]-").contains(letter);
}

}  // namespace

std::string escaped_text(std::string_view untrusted, std::size_t bytes_max) {
  std::string text;
  for (const char letter : untrusted.substr(0, bytes_max)) {
    if (const char escape = short_escape(letter)) {
      text += '\\';
      text += escape;
    } else if (is_printable(letter)) {
      text += letter;
    } else {
      text += "\\x";
      append_hex(text, static_cast<std::uint8_t>(letter), 2);
    }
  }
  if (untrusted.size() > bytes_max) text += note_of_cut(untrusted.size() - bytes_max);
  return text;
}

std::string word_or_quoted(std::string_view untrusted, std::size_t bytes_max) {
  const bool plain = !untrusted.empty() && untrusted.size() <= bytes_max &&
                     std::ranges::all_of(untrusted, is_plain);
  if (plain) return std::string(untrusted);
  return '"' + escaped_text(untrusted, bytes_max) + '"';
}

std::string json_string(std::string_view untrusted, std::size_t bytes_max) {
  std::string text = "\"";
  for (std::string_view rest = untrusted.substr(0, bytes_max); !rest.empty();)
    append_json(text, take_code_point(rest));
  if (untrusted.size() > bytes_max) text += note_of_cut(untrusted.size() - bytes_max);
  return text + '"';
}

}  // namespace sidestream
