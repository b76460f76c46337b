#include "sidecar/edge_path.h"

#include <algorithm>

namespace sidestream::sidecar {

EdgePath::Action EdgePath::poll(Instant now) {
  if (!looking_) return {Action::Kind::wait};
  if (!resolving_ && now >= resolve_at_) {
    resolving_ = true;
    return {Action::Kind::resolve};
  }
  if (!addresses_.empty() && now >= try_at_) {
    if (tries_from_socket_ >= limits_.tries_before_rebind) {
      tries_from_socket_ = 0;
      return {Action::Kind::rebind};
    }
    const SocketAddress address = addresses_[next_address_];
    next_address_ = (next_address_ + 1) % addresses_.size();
    ++tries_;
    ++tries_from_socket_;
    try_at_ = now + (tries_ <= addresses_.size() ? limits_.first_try : limits_.later_try);
    return {Action::Kind::try_address, address};
  }
  std::optional<Instant> until;
  if (!resolving_) until = resolve_at_;
  if (!addresses_.empty()) until = until ? std::min(*until, try_at_) : try_at_;
  return {Action::Kind::wait, {}, until};
}

void EdgePath::handle_resolved(Instant now, const std::vector<SocketAddress>& addresses) {
  resolving_ = false;
  resolve_at_ = now + limits_.resolve_interval;
  const bool changed = !std::ranges::equal(addresses, addresses_);
  if (addresses.empty() || !changed) return;
  addresses_ = addresses;
  if (addresses_.size() > limits_.addresses_max) addresses_.resize(limits_.addresses_max);
  next_address_ = 0;
  tries_ = 0;
  if (looking_) try_at_ = now;
}

void EdgePath::handle_resolve_failed(Instant now) {
  resolving_ = false;
  // The addresses of last time are better than none.
  resolve_at_ = now + limits_.resolve_interval / 2;
}

void EdgePath::handle_alive() {
  looking_ = false;
}

void EdgePath::handle_lost(Instant now) {
  if (looking_) return;
  looking_ = true;
  tries_ = 0;
  tries_from_socket_ = 0;
  next_address_ = 0;
  try_at_ = now;
  resolve_at_ = now;
}

}  // namespace sidestream::sidecar
