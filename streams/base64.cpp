#include "streams/base64.h"

#include <sodium.h>

#include <algorithm>

namespace sidestream {
namespace {

std::string serialize(Bytes bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), variant);
  text.pop_back();  // the terminator
  return text;
}

std::optional<std::vector<std::uint8_t>> parse(std::string_view text, int variant) {
  // libsodium takes bytes outside ASCII for letters where char is signed.
  if (std::ranges::any_of(text, [](char c) { return (c & '\x80') != 0; })) return std::nullopt;
  std::vector<std::uint8_t> bytes(text.size() / 4 * 3 + 3);
  std::size_t used = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &used, &end,
                        variant) != 0 ||
      end != text.data() + text.size())
    return std::nullopt;
  bytes.resize(used);
  return bytes;
}

}  // namespace

std::string serialize_base64(Bytes bytes) {
  return serialize(bytes, sodium_base64_VARIANT_ORIGINAL);
}
std::optional<std::vector<std::uint8_t>> parse_base64(std::string_view text) {
  return parse(text, sodium_base64_VARIANT_ORIGINAL);
}
std::string serialize_base64url(Bytes bytes) {
  return serialize(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}
std::optional<std::vector<std::uint8_t>> parse_base64url(std::string_view text) {
  return parse(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

}  // namespace sidestream
