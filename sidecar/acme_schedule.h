// When to ask an authority for a certificate: early enough, never all at the same moment, and after
// a failure not sooner than its limits allow.
#pragma once

#include <cstdint>
#include <optional>

#include "sidecar/acme_messages.h"
#include "sidecar/acme_order_dialogue.h"
#include "streams/random.h"
#include "streams/time.h"

namespace sidestream::sidecar {

struct AcmeScheduleLimits {
  // Short-lived certificates leave less time for trying again, so they are renewed earlier.
  Duration short_life = std::chrono::days(10);
  // After no answer: this, twice this, and so on, up to an hour.
  Duration unreachable_first = 1min;
  Duration unreachable_max = 1h;
  // After a refusal. Let's Encrypt allows five failed authorizations in an hour.
  Duration refused_first = 1h;
  Duration refused_max = 24h;
  // Between two certificates, or a quarter of the life of one, whatever the authority suggests: one
  // that calls each new certificate old must not be asked for ever more of them.
  Duration rest = 1h;
  // Between two questions when to renew (RFC 9773), unless the authority says otherwise.
  Duration ask_every = 6h;
  Duration ask_every_min = 1h;
  Duration ask_every_max = 24h;
};

// Two thirds of a life, half of a short one, and up to 2 % later.
[[nodiscard]] WallTime renewal_time(WallTime not_before, WallTime not_after, RandomSource& random,
                                    const AcmeScheduleLimits& limits = {});
// Any moment of the window that the authority suggests, all alike (RFC 9773 section 4.2).
[[nodiscard]] WallTime renewal_time(const AcmeRenewalWindow& window, RandomSource& random);
// How long to wait after the nth failure in a row (from 1), up to a quarter more at random.
[[nodiscard]] Duration retry_delay(const AcmeFailure& failure, unsigned failures,
                                   RandomSource& random, const AcmeScheduleLimits& limits = {});
// How long nothing is asked for after a certificate with this life has come.
[[nodiscard]] Duration rest_after(Duration life, const AcmeScheduleLimits& limits = {});
// Until the next question when to renew.
[[nodiscard]] Duration ask_delay(const std::optional<Duration>& retry_after,
                                 const AcmeScheduleLimits& limits = {});

}  // namespace sidestream::sidecar
