#include "streams/tls_ticket_keys.h"

#include <algorithm>

namespace sidestream {

TlsTicketKeys::TlsTicketKeys(RandomSource& random, const TlsTicketLimits& limits)
    : limits_(limits) {
  rotate(random);
}

void TlsTicketKeys::rotate(RandomSource& random) {
  TlsTicketKey& key = keys_.emplace_front();
  random.fill(key.name);
  random.fill(key.cipher_key.reveal());
  random.fill(key.mac_key.reveal());
  while (keys_.size() > limits_.keys) keys_.pop_back();
}

void TlsTicketKeys::replace_all(RandomSource& random) {
  keys_.clear();
  rotate(random);
}

const TlsTicketKey* TlsTicketKeys::find(Bytes name) const {
  const auto found = std::ranges::find_if(
      keys_, [&](const TlsTicketKey& key) { return std::ranges::equal(key.name, name); });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace sidestream
