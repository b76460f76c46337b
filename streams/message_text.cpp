#include "streams/message_text.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "streams/yaml_text.h"

namespace sidestream {
namespace {

constexpr std::string_view ticket_prefix = "ss1_";

bool is_ticket_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '-' || character == '_';
}

// How many bytes of ticket `text` begins with; 0 when it begins with none.
std::size_t ticket_bytes(std::string_view text) {
  if (!text.starts_with(ticket_prefix)) return 0;
  const auto end = std::ranges::find_if_not(text, is_ticket_character);
  return static_cast<std::size_t>(end - text.begin());
}

std::string normalised(std::string_view word) {
  std::string result(word);
  for (char& character : result) {
    if (character == '-') character = '_';
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return result;
}

// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  const std::size_t width = right.size() + 1;
  std::vector<std::size_t> rows((left.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return rows[i * width + j]; };
  for (std::size_t i = 0; i <= left.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= right.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = at(i - 1, j - 1) + (left[i - 1] == right[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(left.size(), right.size());
}

}  // namespace

std::string printable(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  while (!text.empty()) {
    if (result.size() >= bytes_max) return result + "…";
    const std::size_t sequence = utf8_sequence_bytes(text);
    const auto byte = static_cast<std::uint8_t>(text.front());
    std::size_t taken = std::max<std::size_t>(sequence, 1);
    if (const std::size_t ticket = ticket_bytes(text); ticket > 0) {
      constexpr std::string_view mask = "…";
      result.append(ticket_prefix);
      taken = ticket;
      if (ticket > ticket_prefix.size()) {
        result.append(mask);
        if (text.substr(ticket).starts_with(mask)) taken += mask.size();  // was cut already
      }
    } else if (sequence == 0 || byte < 0x20 || byte == 0x7f || text.starts_with("\xc2\x85") ||
               (byte == 0xc2 && static_cast<std::uint8_t>(text[1]) < 0xa0) ||
               text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9")) {
      for (const char raw : text.substr(0, taken)) {
        const auto value = static_cast<std::uint8_t>(raw);
        result.append("\\x").append({digits[value >> 4U], digits[value & 15U]});
      }
    } else {
      result.append(text.substr(0, taken));
    }
    text.remove_prefix(taken);
  }
  return result;
}

std::string in_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char character : printable(text)) {
    if (character == '"')
      quoted += "\\x22";
    else
      quoted += character;
  }
  return quoted + "\"";
}

std::string alternatives(std::span<const std::string_view> words) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 == words.size() ? " or " : ", ";
    result += words[i];
  }
  return result;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  constexpr std::size_t word_bytes_max = 64;
  if (word.empty() || word.size() > word_bytes_max) return "";
  const std::string wanted = normalised(word);
  std::string_view best;
  std::size_t best_distance = word.size() < 3 ? 1 : word.size() < 5 ? 2 : 3;  // below this
  for (const std::string_view candidate : known) {
    const std::size_t distance = edit_distance(wanted, normalised(candidate));
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  if (best.empty()) return "";
  return " (did you mean " + in_quotes(best) + "?)";
}

}  // namespace sidestream
