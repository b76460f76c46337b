// The control protocol as a function from a request to a response: which message it is, whether it
// comes too fast, what the lease table says to it. docs/protocols/control.md describes it from
// outside.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "control/http_message.h"
#include "edge/lease_table.h"
#include "streams/time.h"
#include "streams/token_bucket.h"

namespace sidestream::edge {

struct ControlServiceLimits {
  // A sidecar sends one message in 2.5 s, and one more when its services change. Reconnecting costs
  // three.
  double messages_per_second = 10;
  double messages_burst = 30;
};

class ControlService {
 public:
  // The table outlives it and is also used by others.
  explicit ControlService(LeaseTable& table, const ControlServiceLimits& limits = {})
      : table_(table), limits_(limits) {}

  // Called when a state was accepted and before it is answered: the time to open the ports that it
  // needs, so that the answer can be `granted` at once.
  void on_state(std::function<void()> callback) { on_state_ = std::move(callback); }

  // `sidecar` is who the tunnel says is speaking, and known to the table, so that there are no more
  // of them than the edge has. For all others use refuse().
  [[nodiscard]] control::HttpResponse respond(Instant now, const std::string& sidecar,
                                              const control::HttpRequest& request);
  // The answer to the last state of a sidecar, as it would be now.
  [[nodiscard]] control::HttpResponse respond_again(const std::string& sidecar);
  // The same answer to whatever the request is; the connection ends with it.
  [[nodiscard]] static control::HttpResponse refuse(control::Refusal refusal);

  // Forgets how fast a sidecar was; for those that have been revoked.
  void forget(const std::string& sidecar) { buckets_.erase(sidecar); }

  // How many messages were refused, for status.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  [[nodiscard]] control::HttpResponse dispatch(Instant now, const std::string& sidecar,
                                               const control::HttpRequest& request);

  LeaseTable& table_;
  std::function<void()> on_state_;
  ControlServiceLimits limits_;
  std::map<std::string, TokenBucket, std::less<>> buckets_;
  std::uint64_t refused_ = 0;
};

}  // namespace sidestream::edge
