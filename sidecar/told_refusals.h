// Which refusals of streams are told in the log: of each client and reason one in a while, so that
// whoever reads the log sees every client, and none of them fills a disk.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "sidecar/served_stream.h"
#include "streams/ip_address.h"
#include "streams/time.h"

namespace sidestream::sidecar {

struct ToldRefusalsLimits {
  // Of one client, service and reason, with the words that go with it: who shows a wrong
  // certificate is not hidden by who shows none.
  Duration period = 1min;
  std::size_t clients_max = 4096;  // in a period; more are not told, nor remembered
};

class ToldRefusals {
 public:
  explicit ToldRefusals(const ToldRefusalsLimits& limits = {}) : limits_(limits) {}

  // Whether the refusal that happens now is told; if so, how many of the same kind were not since
  // the last one. `now` never goes back.
  std::optional<std::uint64_t> tell(Instant now, const ServedStream& refused);

 private:
  using Kind = std::tuple<IpAddress, std::string, ServedEnd, std::string>;
  struct Told {
    Instant at;
    std::uint64_t held_back = 0;  // since then
    std::list<Kind>::iterator listed;
  };

  ToldRefusalsLimits limits_;
  std::map<Kind, Told> told_;
  std::list<Kind> order_;  // of their times, the oldest in front
};

}  // namespace sidestream::sidecar
