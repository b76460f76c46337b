#include "edge/service_traffic.h"

namespace sidestream::edge {

ServiceTraffic& ServiceTrafficTable::enter(std::string_view sidecar, std::string_view service) {
  Key key(sidecar, service);
  if (services_.size() >= limits_.services_max && !services_.contains(key))
    key = Key(others, others);
  ServiceTraffic& traffic = services_[key];
  traffic.sidecar = key.first;
  traffic.service = key.second;
  traffic.forgotten = false;
  ++traffic.streams_in_all;
  ++traffic.streams;
  return traffic;
}

void ServiceTrafficTable::leave(ServiceTraffic& traffic) {
  --traffic.streams;
  if (traffic.streams == 0 && traffic.forgotten)
    services_.erase(Key(traffic.sidecar, traffic.service));
}

void ServiceTrafficTable::forget(std::string_view sidecar) {
  for (auto& [key, traffic] : services_)
    if (key.first == sidecar) traffic.forgotten = true;
  std::erase_if(services_, [](const auto& entry) {
    return entry.second.forgotten && entry.second.streams == 0;
  });
}

}  // namespace sidestream::edge
