#include "control/ban_list.h"

#include <algorithm>
#include <utility>

namespace sidestream::control {
namespace {

constexpr unsigned mapped_bits = 96;  // of ::ffff:0:0/96

std::pair<bool, unsigned> length_of(const IpPrefix& network) {
  return {network.address().is_v6(), network.length()};
}

}  // namespace

IpPrefix unmapped(const IpPrefix& network) {
  const IpAddress plain = network.address().unmapped();
  if (plain.is_v6() || network.address().is_v4() || network.length() < mapped_bits) return network;
  return {plain, network.length() - mapped_bits};
}

bool BanList::ban(Instant now, const IpPrefix& network, Duration time) {
  if (!until_.contains(network) && until_.size() >= bans_max_) forget_expired(now);
  if (!until_.contains(network)) {
    if (until_.size() >= bans_max_) return false;
    ++lengths_[length_of(network)];
  }
  until_[network] = now + time;
  return true;
}

bool BanList::unban(const IpPrefix& network) {
  if (until_.erase(network) == 0) return false;
  const auto length = lengths_.find(length_of(network));
  if (--length->second == 0) lengths_.erase(length);
  return true;
}

bool BanList::covers(Instant now, const IpAddress& address) const {
  const IpAddress plain = address.unmapped();
  return std::ranges::any_of(lengths_, [&](const auto& one) {
    const auto& [is_v6, length] = one.first;
    if (is_v6 != plain.is_v6()) return false;
    const auto found = until_.find(IpPrefix(plain, length));
    return found != until_.end() && now < found->second;
  });
}

void BanList::forget_expired(Instant now) {
  for (const Ban& ban : bans())
    if (ban.until <= now) unban(ban.network);
}

void BanList::clear() {
  until_.clear();
  lengths_.clear();
}

std::vector<Ban> BanList::bans() const {
  std::vector<Ban> all;
  all.reserve(until_.size());
  for (const auto& [network, until] : until_) all.push_back({network, until});
  return all;
}

}  // namespace sidestream::control
