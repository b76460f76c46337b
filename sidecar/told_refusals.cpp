#include "sidecar/told_refusals.h"

#include <utility>

#include "sidecar/service_limits.h"

namespace sidestream::sidecar {

std::optional<std::uint64_t> ToldRefusals::tell(Instant now, const ServedStream& refused) {
  const Kind kind{client_of(refused.client.address), refused.service, refused.end, refused.error};
  if (const auto known = told_.find(kind); known != told_.end()) {
    Told& told = known->second;
    if (now < told.at + limits_.period) {
      ++told.held_back;
      return std::nullopt;
    }
    told.at = now;
    order_.splice(order_.end(), order_, told.listed);
    return std::exchange(told.held_back, 0);
  }
  if (told_.size() >= limits_.clients_max) {
    const auto oldest = told_.find(order_.front());
    if (now < oldest->second.at + limits_.period) return std::nullopt;
    told_.erase(oldest);
    order_.pop_front();
  }
  const auto listed = order_.insert(order_.end(), kind);
  told_.emplace(kind, Told{.at = now, .listed = listed});
  return 0;
}

}  // namespace sidestream::sidecar
