// The streams of a neighbourhood: clients that ask, backends that answer.
#include <utility>

#include "tests/support/client_hello_builder.h"
#include "tests/system/neighbourhood_io.h"

namespace sidestream {
namespace {

constexpr std::size_t stream_bytes_max = 12'000;
constexpr std::uint8_t tls_alert = 21;  // RFC 8446 section 5.1

// A length that this seed has, the same at both ends.
std::size_t length_of(std::uint64_t seed, std::uint64_t which) {
  return 1 + (seed * 2654435761U + which * 40503U) % stream_bytes_max;
}

Conversation conversation_of(std::uint64_t seed, Duration pause) {
  Conversation what;
  what.seed = seed;
  what.up = length_of(seed, 1);
  what.down = length_of(seed, 2);
  what.piece = 700;
  what.pause = pause;
  return what;
}

Task<> read_whole(Stream& stream, MutableBytes into, bool may_end_first = false) {
  std::size_t got = 0;
  while (got < into.size()) {
    const std::size_t count = co_await stream.read_some(into.subspan(got));
    if (count == 0 && got == 0 && may_end_first)
      throw_error(asio::error::eof, "nobody wants anything");
    if (count == 0) throw_error(make_error_code(boost::system::errc::bad_message), "bytes missing");
    got += count;
  }
}

// The seed of a conversation and the pause of its backend, before anything else.
using Request = std::array<std::uint8_t, 9>;

}  // namespace

Neighbourhood::Attempt& Neighbourhood::begin_stream(std::size_t edge,
                                                    const Destination& destination,
                                                    Duration pause) {
  const Conversation what = conversation_of(world_.random().u64(), pause);
  return *attempts_.emplace_back(std::make_unique<Attempt>(
      edge, &destination,
      std::make_unique<Pending<void>>(world_.loop().executor(), ask(edge, destination, what),
                                      [this] { world_.settle(); })));
}

Task<> Neighbourhood::ask(std::size_t edge, const Destination& destination, Conversation what) {
  std::exception_ptr failure;
  try {
    auto stream = co_await client_.network().connect({edge_address(edge), destination.port}, 10s);
    if (!destination.server_name.empty()) {
      const auto hello = client_hello_for(destination.server_name);
      co_await stream->write_all(hello);
    }
    Request request{};
    for (std::size_t i = 0; i < 8; ++i)
      request[i] = static_cast<std::uint8_t>(what.seed >> (8 * i));
    request[8] = static_cast<std::uint8_t>(what.pause / 10ms);
    co_await stream->write_all(request);
    std::array<std::uint8_t, 1> home{};
    co_await read_whole(*stream, home);
    if (!destination.server_name.empty() && home[0] == tls_alert)
      throw_error(asio::error::connection_refused, "an alert");
    if (!destination.owners.contains(home[0]))
      violations_.push_back(destination.endpoint + " is served by home " + std::to_string(home[0]));
    co_await converse(world_.timers(), std::move(stream), what, true);
  } catch (...) {
    failure = std::current_exception();
  }
  judge("client of " + destination.endpoint, failure);
  if (failure) std::rethrow_exception(failure);
}

Task<> Neighbourhood::serve(std::size_t home, SimulatedHost& backend, std::uint16_t port) {
  const IpAddress own = backend.addresses().front();
  auto listener = backend.network().listen({own, port}, {});
  for (;;) {
    auto stream = co_await listener->accept();
    backend_tasks_.spawn(answer(home, port == tls_backend_port, std::move(stream)),
                         [this, home](const std::exception_ptr& failure) {
                           judge("backend of home " + std::to_string(home), failure);
                         });
  }
}

Task<> Neighbourhood::answer(std::size_t home, bool tls, std::unique_ptr<Stream> stream) {
  struct Counted {
    std::size_t& count;
    explicit Counted(std::size_t& at) : count(at) { ++count; }
    ~Counted() { --count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
  } const counted(*at_backend_[home]);
  if (tls) {
    std::array<std::uint8_t, 5> record{};
    co_await read_whole(*stream, record, true);
    std::vector<std::uint8_t> hello((std::size_t{record[3]} << 8U) + record[4]);
    co_await read_whole(*stream, hello);
  }
  Request request{};
  co_await read_whole(*stream, request, !tls);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) seed |= std::uint64_t{request[i]} << (8 * i);
  const std::array<std::uint8_t, 1> number{static_cast<std::uint8_t>(home)};
  co_await stream->write_all(number);
  co_await converse(world_.timers(), std::move(stream), conversation_of(seed, request[8] * 10ms),
                    false);
}

void Neighbourhood::judge(const std::string& who, const std::exception_ptr& failure) {
  const error_code error = code_of(failure);
  if (error == make_error_code(boost::system::errc::bad_message))
    violations_.push_back(who + ": a byte was lost, repeated or altered, and no error told it");
}

}  // namespace sidestream
