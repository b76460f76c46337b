// Who may have how many streams on the edge at once. A client is an IPv4 address or an IPv6 /64,
// because that is what one person controls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "streams/ip_address.h"

namespace sidestream::edge {

struct AdmissionLimits {
  std::size_t streams_max = 16'384;
  std::size_t streams_per_client_max = 1024;
  // Streams whose ClientHello is not read yet: what a slow or silent client costs us. When all of
  // them are taken the longest waiting one is given up (edge_router_io.h), so that a flood from
  // many addresses shortens the time for a hello, but shuts nobody out.
  std::size_t undecided_max = 4096;
  std::size_t undecided_per_client_max = 128;
  // Streams of clients that are over their limit, which say that they look at a name for
  // an authority: what is pending is known at home only.
  std::size_t lookers_max = 16;
};

enum class AdmissionVerdict : std::uint8_t { admitted, too_many_streams, too_many_of_client };

class Admission {
 public:
  explicit Admission(const AdmissionLimits& limits = {}) : limits_(limits) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  [[nodiscard]] const AdmissionLimits& limits() const { return limits_; }
  void set_limits(const AdmissionLimits& limits) { limits_ = limits; }

  // Every admitted stream leaves again; one that becomes undecided becomes decided before.
  AdmissionVerdict admit(const IpAddress& client);
  void leave(const IpAddress& client);
  // For a stream that was not admitted; one that was let in so leaves by the other of the two.
  bool let_looker_in();
  void looker_leaves() {
    --lookers_;
    --streams_;
  }
  // False when the client has too many undecided streams; then it was not counted.
  bool begin_undecided(const IpAddress& client);
  void end_undecided(const IpAddress& client);

  [[nodiscard]] std::size_t streams() const { return streams_; }
  [[nodiscard]] std::size_t undecided() const { return undecided_; }
  [[nodiscard]] std::size_t clients() const { return clients_.size(); }

  static IpAddress client_of(const IpAddress& address);

 private:
  struct Client {
    std::size_t streams = 0;
    std::size_t undecided = 0;
  };

  AdmissionLimits limits_;
  std::size_t streams_ = 0;
  std::size_t undecided_ = 0;
  std::size_t lookers_ = 0;
  std::unordered_map<IpAddress, Client> clients_;  // those with streams
};

}  // namespace sidestream::edge
