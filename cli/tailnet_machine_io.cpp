#include "cli/tailnet_machine_io.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "cli/lost_namespace.h"
#include "streams/join_io.h"
#include "streams/kernel_network_io.h"
#include "streams/task_group_io.h"
#include "tailnet/local_api_io.h"
#include "tailnet/local_api_requests.h"

namespace sidestream::cli {
namespace {

constexpr Duration answer_timeout = 2s;
constexpr Duration look_every = 2s;
constexpr unsigned http_good = 200;

std::optional<IpAddress> address_of(const sockaddr* from) {
  if (from == nullptr) return std::nullopt;
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    return IpAddress::v4(ntohl(v4.sin_addr.s_addr));
  }
  if (from->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, from, sizeof v6);
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return IpAddress::v6(bytes);
}

std::vector<tailnet::InterfaceAddress> interface_addresses() {
  std::vector<tailnet::InterfaceAddress> all;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return all;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next)
    if (const auto address = address_of(one->ifa_addr)) all.push_back({one->ifa_name, *address});
  freeifaddrs(first);
  return all;
}

bool is_alone() {
  std::ifstream file("/proc/self/net/dev");
  std::stringstream text;
  text << file.rdbuf();
  return has_only_loopback(text.str());
}

Task<> ask(tailnet::LocalApi& api, TailnetFacts& facts) {
  const control::HttpResponse status = co_await api.ask(tailnet::status_request(), answer_timeout);
  if (status.status != http_good) co_return;
  auto daemon = tailnet::parse_status(status.body);
  if (!daemon) co_return;
  facts.daemon = std::move(*daemon);
  const auto preferences = co_await api.ask(tailnet::preferences_request(), answer_timeout);
  facts.preferences = tailnet::parse_preferences(preferences.body).value_or(facts.preferences);
  const auto served = co_await api.ask(tailnet::serve_config_request(), answer_timeout);
  facts.served_ports = tailnet::parse_served_ports(served.body).value_or(facts.served_ports);
}

// Daemons that restart leave the interfaces that others made.
Task<> watch_namespace(Timers& timers, const tailnet::TailnetNode& node) {
  NamespaceJudge judge;
  for (;;) {
    const bool answers = node.standing().reach() == tailnet::TailnetStanding::Reach::answers;
    if (judge.handle_look(is_alone(), answers)) throw NamespaceLost();
    co_await timers.sleep_for(look_every);
  }
}

}  // namespace

std::vector<std::string> tailnet_sockets(const control::TailscaleSettings& settings) {
  if (!settings.watched) return {};
  // What a container that shares Tailscale's volume is told, as Tailscale's own programs are.
  const char* const variable = std::getenv("TS_SOCKET");
  const std::string told = variable == nullptr ? "" : variable;
  std::vector<std::string> places = tailnet::socket_places(settings.socket, told);
  if (!settings.socket.empty() || !told.empty()) return places;
  const bool any = std::ranges::any_of(places, [](const std::string& place) {
    std::error_code ignored;
    return std::filesystem::exists(place, ignored);
  });
  return any ? places : std::vector<std::string>();
}

std::unique_ptr<tailnet::TailnetNode> watch_tailnet(Network& network,
                                                    const control::TailscaleSettings& settings,
                                                    const std::vector<IpAddress>& peers,
                                                    const Log& log) {
  std::vector<std::string> places = tailnet_sockets(settings);
  if (places.empty()) return nullptr;
  return std::make_unique<tailnet::TailnetNode>(network, std::move(places), peers, log);
}

Task<> beside_tailnet(Network& network, Task<> program, tailnet::TailnetNode* node) {
  if (node == nullptr) {
    co_await std::move(program);
  } else {
    Task<> watching = both(node->run(), watch_namespace(network.timers(), *node));
    co_await first_of(std::move(program), std::move(watching));
  }
}

TailnetFacts tailnet_facts(const control::TailscaleSettings& settings) {
  TailnetFacts facts;
  facts.interfaces = interface_addresses();
  std::vector<std::string> places = tailnet_sockets(settings);
  if (places.empty()) return facts;
  asio::io_context io;
  KernelNetwork network(io);
  tailnet::LocalApi api(network, std::move(places));
  TaskGroup group(network.executor());
  group.spawn(ask(api, facts), [](const std::exception_ptr&) {});
  io.run();
  return facts;
}

}  // namespace sidestream::cli
