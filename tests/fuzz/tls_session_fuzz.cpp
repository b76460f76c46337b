// Whatever a client says instead of a handshake, the server's side waits or fails, and says why.
#include "streams/tls_session.h"

#include <cstdlib>

#include "streams/tls_server.h"
#include "tests/support/seeded_random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static sidestream::SeededRandom random(1);
  static const sidestream::TlsTicketKeys keys(random);
  static sidestream::TlsServer server({}, keys);
  const auto session = server.accept();
  session->feed({bytes, size});
  const auto progress = session->handshake();
  if (progress == sidestream::TlsSession::Progress::done) std::abort();
  const bool failed = progress == sidestream::TlsSession::Progress::failed;
  if (failed == session->problem().empty()) std::abort();
  return 0;
}
