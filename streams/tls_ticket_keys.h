// The keys that a server seals session tickets with (RFC 5077, RFC 8446 section 4.6.1), renewed so
// that a key that leaks later opens no session of long ago.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "streams/random.h"
#include "streams/secret.h"
#include "streams/time.h"

namespace sidestream {

struct TlsTicketKey {
  static constexpr std::size_t name_bytes = 16;

  std::array<std::uint8_t, name_bytes> name{};
  Secret<32> cipher_key;
  Secret<32> mac_key;
};

struct TlsTicketLimits {
  Duration rotate_every = 12h;
  std::size_t keys = 3;  // the newest seals, all of them open
  // How long a client may resume: not longer than its key is kept.
  std::chrono::seconds lifetime = 24h;
};

class TlsTicketKeys {
 public:
  // Begins with one key.
  explicit TlsTicketKeys(RandomSource& random, const TlsTicketLimits& limits = {});

  // A new key seals from now on; the oldest one is forgotten when there are too many.
  void rotate(RandomSource& random);
  // Nothing that was sealed so far can be opened any more.
  void replace_all(RandomSource& random);

  [[nodiscard]] const TlsTicketLimits& limits() const { return limits_; }
  [[nodiscard]] const TlsTicketKey& newest() const { return keys_.front(); }
  // nullptr: not known, or forgotten.
  [[nodiscard]] const TlsTicketKey* find(Bytes name) const;

 private:
  TlsTicketLimits limits_;
  std::deque<TlsTicketKey> keys_;  // the newest first
};

}  // namespace sidestream
