#include "streams/secret.h"

#include <sodium.h>

namespace sidestream {

void wipe(MutableBytes bytes) noexcept {
  sodium_memzero(bytes.data(), bytes.size());
}

bool equal_in_constant_time(Bytes left, Bytes right) noexcept {
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

bool is_all_zero_in_constant_time(Bytes bytes) noexcept {
  return sodium_is_zero(bytes.data(), bytes.size()) == 1;
}

}  // namespace sidestream
