#include "streams/name_lookup_io.h"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "streams/socket_address_io.h"

namespace sidestream {
namespace {

constexpr std::size_t host_name_bytes_max = 253;  // RFC 1035 section 2.3.4, in text form

error_code code_of_getaddrinfo(int result, int system_code) {
  switch (result) {
    case 0:
      return {};
    case EAI_AGAIN:
      return asio::error::host_not_found_try_again;
    case EAI_FAIL:
      return asio::error::no_recovery;
    case EAI_MEMORY:
      return asio::error::no_memory;
    case EAI_SYSTEM:
      return {system_code, boost::system::system_category()};
    default:
      return asio::error::host_not_found;
  }
}

struct Answer {
  error_code code;
  std::vector<SocketAddress> addresses;
};

Answer ask_system(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  Answer answer{.code = code_of_getaddrinfo(result, errno), .addresses = {}};
  for (const addrinfo* entry = found; entry; entry = entry->ai_next) {
    KernelAddress address;
    address.length = std::min<socklen_t>(entry->ai_addrlen, sizeof address.storage);
    std::memcpy(&address.storage, entry->ai_addr, address.length);
    SocketAddress value = from_kernel(address);
    value.port = port;
    if (std::ranges::find(answer.addresses, value) == answer.addresses.end())
      answer.addresses.push_back(value);
  }
  if (found) ::freeaddrinfo(found);
  if (!answer.code && answer.addresses.empty()) answer.code = asio::error::host_not_found;
  return answer;
}

}  // namespace

// What a thread and the coroutine that waits for it share.
struct NameLookup::Job {
  std::string host;
  std::uint16_t port;
  asio::any_io_executor executor;
  Answer answer;      // the thread's until `done`
  bool done = false;  // this and what follows: only touched on the executor
  Event answered;
};

// The way from the threads back to the io_context, shut when its owner dies.
class NameLookup::Mailbox {
 public:
  explicit Mailbox(NameLookup& owner) : owner_(&owner) {}

  void shut() {
    const std::lock_guard lock(mutex_);
    owner_ = nullptr;
  }

  // On a thread of the resolver. The lock keeps the io_context alive: its owner outlives ours.
  void deliver(const std::shared_ptr<Mailbox>& self, std::shared_ptr<Job> job) {
    const std::lock_guard lock(mutex_);
    if (!owner_) return;
    const asio::any_io_executor executor = std::move(job->executor);
    asio::post(executor, [self, job = std::move(job)] {
      if (!self->owner_) return;
      --self->running;
      job->done = true;
      job->answered.notify_all();
      self->owner_->thread_ended_.notify_all();
    });
  }

  int running = 0;  // only touched on the executor

 private:
  std::mutex mutex_;
  NameLookup* owner_;
};

NameLookup::NameLookup(NameLookupLimits limits)
    : limits_(limits), mailbox_(std::make_shared<Mailbox>(*this)) {}

NameLookup::~NameLookup() {
  mailbox_->shut();
}

Task<std::vector<SocketAddress>> NameLookup::lookup(std::string host, std::uint16_t port) {
  if (const auto address = IpAddress::parse(host)) {
    co_return std::vector<SocketAddress>{SocketAddress{*address, port}};
  }
  if (host.empty() || host.size() > host_name_bytes_max || host.contains('\0'))
    throw_error(asio::error::host_not_found, "name lookup");

  while (mailbox_->running >= limits_.lookups_at_once) co_await thread_ended_.wait();
  auto job = std::make_shared<Job>();
  job->host = std::move(host);
  job->port = port;
  job->executor = co_await asio::this_coro::executor;
  ++mailbox_->running;
  try {
    std::thread([mailbox = mailbox_, job] {
      job->answer = ask_system(job->host, job->port);
      mailbox->deliver(mailbox, job);
    }).detach();
  } catch (const std::system_error&) {
    --mailbox_->running;
    throw_error(asio::error::no_memory, "name lookup thread");
  }
  while (!job->done) co_await job->answered.wait();
  if (job->answer.code) throw_error(job->answer.code, "name lookup");
  co_return std::move(job->answer.addresses);
}

}  // namespace sidestream
