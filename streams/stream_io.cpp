#include "streams/stream_io.h"

#include "streams/event_io.h"

namespace sidestream {

Task<> Stream::wait_broken() {
  Event never;
  co_await never.wait();
}

}  // namespace sidestream
