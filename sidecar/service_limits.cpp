#include "sidecar/service_limits.h"

#include <algorithm>

namespace sidestream::sidecar {
namespace {

constexpr unsigned v6_client_bits = 64;

}  // namespace

IpAddress client_of(const IpAddress& address) {
  const IpAddress plain = address.unmapped();
  return plain.is_v4() ? plain : IpPrefix(plain, v6_client_bits).address();
}

ServiceAdmission::ServiceAdmission(const ServiceLimits& limits) : limits_(limits) {
  if (limits.per_second) bucket_.emplace(*limits.per_second, std::max(*limits.per_second, 1.0));
}

ServiceVerdict ServiceAdmission::admit(Instant now, const IpAddress& client) {
  if (limits_.streams && streams_ >= *limits_.streams) return ServiceVerdict::too_many;
  const IpAddress who = client_of(client);
  const auto known = clients_.find(who);
  const std::size_t of_client = known == clients_.end() ? 0 : known->second;
  if (limits_.per_client && of_client >= *limits_.per_client)
    return ServiceVerdict::too_many_of_client;
  if (bucket_ && !bucket_->take(now)) return ServiceVerdict::too_fast;
  ++streams_;
  ++clients_[who];
  return ServiceVerdict::admitted;
}

void ServiceAdmission::leave(const IpAddress& client) {
  const auto known = clients_.find(client_of(client));
  if (known == clients_.end()) return;
  --streams_;
  if (--known->second == 0) clients_.erase(known);
}

}  // namespace sidestream::sidecar
