// mac1, mac2 and cookies (sections 5.3, 5.4.4, 5.4.7): a handshake message proves with mac1 that
// its sender knows our public key, and with mac2, when we are under load, that it receives what we
// send to its address.
#pragma once

#include <optional>

#include "streams/bytes.h"
#include "streams/ip_address.h"
#include "streams/random.h"
#include "streams/time.h"
#include "tunnel/crypto.h"
#include "tunnel/wireguard_messages.h"

namespace sidestream::tunnel {

// For messages to us. `random` must outlive it. `message` is always a whole initiation or response.
class CookieChecker {
 public:
  CookieChecker(const PublicKey& own, RandomSource& random);

  [[nodiscard]] bool has_valid_mac1(Bytes message) const;
  // With a cookie that we gave to this address less than cookie_secret_lifetime ago.
  [[nodiscard]] bool has_valid_mac2(Instant now, const SocketAddress& from, Bytes message) const;
  // The answer to a message that has a valid mac1; its cookie is good for `from`.
  CookieReply make_reply(Instant now, const SocketAddress& from, Bytes message);

 private:
  struct CookieSecret {
    SymmetricKey key;
    Instant made;
  };
  [[nodiscard]] static Mac cookie_for(const CookieSecret& secret, const SocketAddress& from);

  RandomSource& random_;
  SymmetricKey mac1_key_;
  SymmetricKey cookie_key_;
  std::optional<CookieSecret> secret_;
};

// For messages to one peer.
class CookieJar {
 public:
  explicit CookieJar(const PublicKey& peer);

  // Writes mac1, and mac2 when there is a cookie that is still good, over the last 32 bytes.
  void write_macs(Instant now, MutableBytes message);
  // Keeps the cookie for the next messages. False, and nothing is changed, unless it answers the
  // last message written; each message is answered once.
  bool take_reply(Instant now, const CookieReply& reply);

 private:
  struct Cookie {
    Secret<16> value;
    Instant received;
  };

  SymmetricKey mac1_key_;
  SymmetricKey cookie_key_;
  std::optional<Mac> last_mac1_;
  std::optional<Cookie> cookie_;
};

}  // namespace sidestream::tunnel
