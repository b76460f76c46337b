// Names to addresses, by the resolver of the system, which blocks: it runs in threads of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "streams/event_io.h"
#include "streams/ip_address.h"

namespace sidestream {

struct NameLookupLimits {
  // Threads, hence lookups that are stuck at the same time; more of them wait for their turn.
  int lookups_at_once = 16;
};

// A lookup that nobody waits for any more (timeout, cancellation, end of the program) is left
// behind in its thread and its result dropped; nothing ever waits for a stuck resolver.
class NameLookup {
 public:
  explicit NameLookup(NameLookupLimits limits = {});
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  // In the order of RFC 6724, without duplicates, at least one. Throws host_not_found,
  // host_not_found_try_again or another system_error.
  Task<std::vector<SocketAddress>> lookup(std::string host, std::uint16_t port);

 private:
  struct Job;
  class Mailbox;

  NameLookupLimits limits_;
  // Shared with the threads, any of which may live longer than we do.
  std::shared_ptr<Mailbox> mailbox_;
  Event thread_ended_;
};

}  // namespace sidestream
