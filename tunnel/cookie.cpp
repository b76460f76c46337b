#include "tunnel/cookie.h"

#include <algorithm>

namespace sidestream::tunnel {
namespace {

constexpr std::string_view mac1_label = "mac1----";
constexpr std::string_view cookie_label = "cookie--";
constexpr std::size_t mac_bytes = std::tuple_size_v<Mac>;

SymmetricKey labelled_key(std::string_view label, const PublicKey& key) {
  return SymmetricKey(hash({bytes_of(label), key.bytes}));
}

Bytes mac1_of(Bytes message) {
  return message.last(macs_bytes).first(mac_bytes);
}
Bytes mac2_of(Bytes message) {
  return message.last(mac_bytes);
}
Mac make_mac1(const SymmetricKey& key, Bytes message) {
  return mac(key.reveal(), {message.first(message.size() - macs_bytes)});
}
Mac make_mac2(Bytes cookie, Bytes message) {
  return mac(cookie, {message.first(message.size() - mac_bytes)});
}

// Both handshake messages have their sender's index there.
std::uint32_t sender_of(Bytes message) {
  return ByteReader(message.subspan(4)).u32_le();
}

}  // namespace

CookieChecker::CookieChecker(const PublicKey& own, RandomSource& random)
    : random_(random),
      mac1_key_(labelled_key(mac1_label, own)),
      cookie_key_(labelled_key(cookie_label, own)) {}

bool CookieChecker::has_valid_mac1(Bytes message) const {
  return equal_in_constant_time(make_mac1(mac1_key_, message), mac1_of(message));
}

bool CookieChecker::has_valid_mac2(Instant now, const SocketAddress& from, Bytes message) const {
  if (!secret_ || now - secret_->made >= cookie_secret_lifetime) return false;
  return equal_in_constant_time(make_mac2(cookie_for(*secret_, from), message), mac2_of(message));
}

CookieReply CookieChecker::make_reply(Instant now, const SocketAddress& from, Bytes message) {
  if (!secret_ || now - secret_->made >= cookie_secret_lifetime) {
    secret_.emplace(SymmetricKey{}, now);
    random_.fill(secret_->key.reveal());
  }
  CookieReply reply;
  reply.receiver = sender_of(message);
  random_.fill(reply.nonce);
  xaead_seal(cookie_key_, reply.nonce, mac1_of(message), cookie_for(*secret_, from), reply.cookie);
  return reply;
}

Mac CookieChecker::cookie_for(const CookieSecret& secret, const SocketAddress& from) {
  const std::array<std::uint8_t, 2> port{static_cast<std::uint8_t>(from.port >> 8U),
                                         static_cast<std::uint8_t>(from.port)};
  return mac(secret.key.reveal(), {from.address.bytes(), port});
}

CookieJar::CookieJar(const PublicKey& peer)
    : mac1_key_(labelled_key(mac1_label, peer)), cookie_key_(labelled_key(cookie_label, peer)) {}

void CookieJar::write_macs(Instant now, MutableBytes message) {
  last_mac1_ = make_mac1(mac1_key_, message);
  std::ranges::copy(*last_mac1_, message.last(macs_bytes).begin());
  Mac mac2{};
  if (cookie_ && now - cookie_->received >= cookie_secret_lifetime - cookie_latency)
    cookie_.reset();
  if (cookie_) mac2 = make_mac2(cookie_->value.reveal(), message);
  std::ranges::copy(mac2, message.last(mac_bytes).begin());
}

bool CookieJar::take_reply(Instant now, const CookieReply& reply) {
  Cookie cookie{{}, now};
  if (!last_mac1_ ||
      !xaead_open(cookie_key_, reply.nonce, *last_mac1_, reply.cookie, cookie.value.reveal()))
    return false;
  cookie_ = cookie;
  last_mac1_.reset();
  return true;
}

}  // namespace sidestream::tunnel
