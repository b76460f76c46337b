// Base 64 (RFC 4648): the standard alphabet with padding (section 4) and the URL-safe one without
// (section 5). Decoding is strict: no white space, no missing or extra padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "streams/bytes.h"

namespace sidestream {

[[nodiscard]] std::string serialize_base64(Bytes bytes);
[[nodiscard]] std::optional<std::vector<std::uint8_t>> parse_base64(std::string_view text);
[[nodiscard]] std::string serialize_base64url(Bytes bytes);
[[nodiscard]] std::optional<std::vector<std::uint8_t>> parse_base64url(std::string_view text);

}  // namespace sidestream
