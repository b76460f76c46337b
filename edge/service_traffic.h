// What the services of the sidecars have carried, for metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "streams/relay_traffic.h"

namespace sidestream::edge {

struct ServiceTraffic {
  std::string sidecar;
  std::string service;
  std::uint64_t streams_in_all = 0;
  std::size_t streams = 0;  // now
  RelayTraffic bytes;       // left is the client
  bool forgotten = false;   // as soon as no stream is left
};

struct ServiceTrafficLimits {
  // Sidecars choose the names of their services. What is beyond counts together.
  std::size_t services_max = 4096;
};

class ServiceTrafficTable {
 public:
  // Both names of what counts together; no sidecar and no service can be called so.
  static constexpr std::string_view others = "_others";

  explicit ServiceTrafficTable(const ServiceTrafficLimits& limits = {}) : limits_(limits) {}

  // Counts a stream that begins; what is returned stays valid until its leave().
  ServiceTraffic& enter(std::string_view sidecar, std::string_view service);
  void leave(ServiceTraffic& traffic);
  // The sidecar is gone for good.
  void forget(std::string_view sidecar);

  using Key = std::pair<std::string, std::string>;  // sidecar, service
  [[nodiscard]] const std::map<Key, ServiceTraffic>& services() const { return services_; }

 private:
  ServiceTrafficLimits limits_;
  std::map<Key, ServiceTraffic> services_;
};

}  // namespace sidestream::edge
