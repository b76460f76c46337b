// Text that people typed, made fit to stand in a message of one line.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sidestream {

// What cannot be printed becomes \xNN, what looks like a ticket becomes ss1_…, and what is longer
// than `bytes_max` is cut, with … at its end.
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max = 80);
// The same in double quotes, those inside as \x22: the second one is the end.
[[nodiscard]] std::string in_quotes(std::string_view text);
// `a`, `a or b`, `a, b or c`.
[[nodiscard]] std::string alternatives(std::span<const std::string_view> words);
// ` (did you mean "tls"?)` when one of `known` is close enough to `word`, otherwise nothing. Case,
// and hyphens in place of underscores, do not count as differences.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known);

}  // namespace sidestream
