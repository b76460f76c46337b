// How many streams a service takes: at once, of one client, and how fast new ones come. The newest
// is refused; nobody who has a stream loses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "streams/ip_address.h"
#include "streams/time.h"
#include "streams/token_bucket.h"

namespace sidestream::sidecar {

struct ServiceLimits {
  std::optional<std::size_t> streams;  // none: no limit of its own; so with the others
  // A client is an IPv4 address or an IPv6 /64.
  std::optional<std::size_t> per_client;
  std::optional<double> per_second;  // new streams
  bool operator==(const ServiceLimits&) const = default;
};

// Whom an address belongs to.
[[nodiscard]] IpAddress client_of(const IpAddress& address);

enum class ServiceVerdict : std::uint8_t { admitted, too_many, too_many_of_client, too_fast };

class ServiceAdmission {
 public:
  explicit ServiceAdmission(const ServiceLimits& limits);

  // Every admitted stream leaves again.
  ServiceVerdict admit(Instant now, const IpAddress& client);
  void leave(const IpAddress& client);
  [[nodiscard]] std::size_t streams() const { return streams_; }

 private:
  ServiceLimits limits_;
  std::optional<TokenBucket> bucket_;
  std::size_t streams_ = 0;
  std::unordered_map<IpAddress, std::size_t> clients_;  // those with streams
};

}  // namespace sidestream::sidecar
