// An interface that we make, by wireguard-tools' library and rtnetlink, and one that we only use.
#include <sys/socket.h>
#include <sys/un.h>

extern "C" {
#include <wireguard.h>
}

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>

#include "streams/descriptor_io.h"
#include "streams/socket_address_io.h"
#include "tunnel/crypto.h"
#include "tunnel/interface_filter_io.h"
#include "tunnel/interface_messages_io.h"
#include "tunnel/wireguard_interface_io.h"

namespace sidestream::tunnel {
namespace {

constexpr std::string_view wireguard_kind = "wireguard";
constexpr std::uint16_t calling_keepalive_seconds = 25;

[[noreturn]] void refuse(const std::string& sentence) {
  throw std::runtime_error(sentence);
}

[[noreturn]] void refuse(const std::string& what, int error) {
  refuse(what + ": " + error_code(error, boost::system::system_category()).message());
}

std::string name_for(const PublicKey& key) {
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "sidestream-%02x%02x", key.bytes[0], key.bytes[1]);
  return name.data();
}

// What says that an interface is ours: nobody else writes our key on it.
std::string alias_for(const PublicKey& key) {
  return "sidestream " + key.text();
}

// Held by the process whose interface it is. It is the network namespace's, as the interface, and
// goes with the process.
UniqueFd claim(const std::string& name) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) throw_error(last_system_error(), "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "sidestream tunnel " + name;  // behind a zero: an abstract one
  std::ranges::copy(path, &address.sun_path[1]);
  const void* any = &address;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size());
  if (::bind(fd.get(), static_cast<const sockaddr*>(any), length) != 0)
    refuse("another process has the interface " + name);
  return fd;
}

wg_peer key_of(const PeerConfiguration& from) {
  wg_peer peer{};
  peer.flags = WGPEER_HAS_PUBLIC_KEY;
  std::ranges::copy(from.public_key.bytes, peer.public_key);
  return peer;
}

void add_flag(wg_peer& peer, wg_peer_flags flag) {
  peer.flags =
      static_cast<wg_peer_flags>(static_cast<unsigned>(peer.flags) | static_cast<unsigned>(flag));
}

void set_keepalive(wg_peer& peer, std::uint16_t seconds) {
  add_flag(peer, WGPEER_HAS_PERSISTENT_KEEPALIVE_INTERVAL);
  peer.persistent_keepalive_interval = seconds;
}

// A peer of the library's, with the list that it points to.
struct LibraryPeer {
  wg_peer peer{};
  std::vector<wg_allowedip> allowed;

  explicit LibraryPeer(const PeerConfiguration& from) : peer(key_of(from)) {
    add_flag(peer, WGPEER_REPLACE_ALLOWEDIPS);
    add_flag(peer, WGPEER_HAS_PRESHARED_KEY);
    std::ranges::copy(from.preshared_key.reveal(), peer.preshared_key);
    set_keepalive(peer,
                  static_cast<std::uint16_t>(
                      std::chrono::floor<std::chrono::seconds>(from.persistent_keepalive).count()));
    if (from.endpoint) set_endpoint(*from.endpoint);
    for (const IpPrefix& prefix : from.allowed_ips) allowed.push_back(allowed_ip(prefix));
    for (std::size_t i = 0; i + 1 < allowed.size(); ++i)
      allowed[i].next_allowedip = &allowed[i + 1];
    if (!allowed.empty()) {
      peer.first_allowedip = &allowed.front();
      peer.last_allowedip = &allowed.back();
    }
  }
  LibraryPeer(const LibraryPeer&) = delete;
  LibraryPeer& operator=(const LibraryPeer&) = delete;
  ~LibraryPeer() { ::explicit_bzero(peer.preshared_key, sizeof peer.preshared_key); }

 private:
  void set_endpoint(const SocketAddress& endpoint) {
    const KernelAddress address = to_kernel(endpoint, family_of(endpoint));
    if (endpoint.address.is_v4())
      std::memcpy(&peer.endpoint.addr4, address.get(), sizeof peer.endpoint.addr4);
    else
      std::memcpy(&peer.endpoint.addr6, address.get(), sizeof peer.endpoint.addr6);
  }
  static wg_allowedip allowed_ip(const IpPrefix& prefix) {
    wg_allowedip one{};
    const Bytes bytes = prefix.address().bytes();
    one.family = prefix.address().is_v4() ? AF_INET : AF_INET6;
    one.cidr = static_cast<std::uint8_t>(prefix.length());
    if (prefix.address().is_v4())
      std::memcpy(&one.ip4, bytes.data(), sizeof one.ip4);
    else
      std::memcpy(&one.ip6, bytes.data(), sizeof one.ip6);
    return one;
  }
};

std::optional<SocketAddress> endpoint_of(const wg_peer& peer) {
  KernelAddress address;
  if (peer.endpoint.addr.sa_family == AF_INET)
    std::memcpy(address.get(), &peer.endpoint.addr4, sizeof peer.endpoint.addr4);
  else if (peer.endpoint.addr.sa_family == AF_INET6)
    std::memcpy(address.get(), &peer.endpoint.addr6, sizeof peer.endpoint.addr6);
  else
    return std::nullopt;
  return from_kernel(address);
}

WireGuardInterface::Peer peer_of(const wg_peer& from) {
  WireGuardInterface::Peer peer;
  std::ranges::copy(from.public_key, peer.public_key.bytes.begin());
  peer.endpoint = endpoint_of(from);
  if (from.last_handshake_time.tv_sec != 0)
    peer.last_handshake = WallTime(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::seconds(from.last_handshake_time.tv_sec) +
        std::chrono::nanoseconds(from.last_handshake_time.tv_nsec)));
  peer.received_bytes = from.rx_bytes;
  peer.sent_bytes = from.tx_bytes;
  return peer;
}

bool one_network(const IpAddress& one, const IpAddress& other) {
  constexpr unsigned v4_network_bits = 24;
  constexpr unsigned v6_network_bits = 64;
  const unsigned bits = one.is_v4() ? v4_network_bits : v6_network_bits;
  return one.is_v4() == other.is_v4() && IpPrefix(one, bits).contains(other);
}

std::string device_refused(int error) {
  if (error == EPERM)
    return "making an interface needs the capability NET_ADMIN, which this process does not have";
  if (error == EOPNOTSUPP) return "this kernel has no WireGuard";
  return "the kernel makes no WireGuard interface (" +
         error_code(error, boost::system::system_category()).message() + ")";
}

class KernelInterface final : public WireGuardInterface {
 public:
  explicit KernelInterface(const WireGuardInterfaceSettings& settings)
      : own_key_(key_pair_of(settings.private_key).public_key),
        name_(name_for(own_key_)),
        claim_(claim(name_)) {
    remove_leftover();
    check_addresses(settings.address);
    if (const int error = -wg_add_device(name_.c_str()); error != 0) refuse(device_refused(error));
    try {
      configure(settings);
    } catch (...) {
      wg_del_device(name_.c_str());
      throw;
    }
  }
  ~KernelInterface() override { wg_del_device(name_.c_str()); }

  [[nodiscard]] const std::string& name() const override { return name_; }

  void set_peer(const PeerConfiguration& peer) override {
    LibraryPeer wanted(peer);
    set({&wanted.peer});
    add_routes(peer);
  }
  void call_peer(const PeerConfiguration& peer) override {
    wg_peer gone = key_of(peer);
    add_flag(gone, WGPEER_REMOVE_ME);
    // Switching the keepalive on sends one at once, and that begins with a handshake.
    LibraryPeer fresh(peer);
    set_keepalive(fresh.peer, calling_keepalive_seconds);
    wg_peer afterwards = key_of(peer);
    set_keepalive(afterwards, LibraryPeer(peer).peer.persistent_keepalive_interval);
    set({&gone, &fresh.peer, &afterwards});
  }
  void remove_peer(const PeerConfiguration& peer) override {
    wg_peer gone = key_of(peer);
    add_flag(gone, WGPEER_REMOVE_ME);
    set({&gone});
    for (const IpPrefix& prefix : peer.allowed_ips) remove_interface_route(index_, prefix);
  }

  [[nodiscard]] std::vector<Peer> peers() const override {
    std::vector<Peer> all;
    const auto device = get();
    wg_peer* peer = nullptr;
    wg_for_each_peer(device.get(), peer) all.push_back(peer_of(*peer));
    return all;
  }
  [[nodiscard]] std::uint16_t port() const override { return get()->listen_port; }
  void choose_new_port() override {
    wg_device device = named();
    device.flags = WGDEVICE_HAS_LISTEN_PORT;
    apply(device);
  }

  void open_stream_port(std::uint16_t port) override { filter_->open_port(port); }
  void close_stream_port(std::uint16_t port) noexcept override { filter_->close_port(port); }

 private:
  struct FreeDevice {
    void operator()(wg_device* device) const { wg_free_device(device); }
  };

  void remove_leftover() {
    const auto there = find_interface(name_);
    if (!there) return;
    if (there->kind != wireguard_kind || there->alias != alias_for(own_key_))
      refuse("there is an interface " + name_ + " that sidestream has not made");
    wg_del_device(name_.c_str());
  }
  // Two of one network in one place would take each other's packets.
  static void check_addresses(const IpAddress& address) {
    for (const InterfaceAddress& other : interface_addresses())
      if (one_network(address, other.address))
        refuse("this host has the address " + other.address.text() +
               " already, which is of the tunnel's network");
  }
  void configure(const WireGuardInterfaceSettings& settings) {
    const auto made = find_interface(name_);
    if (!made) refuse("the interface " + name_ + " went away");
    index_ = made->index;
    set_interface_alias(index_, alias_for(own_key_));
    wg_device device = named();
    device.flags =
        static_cast<wg_device_flags>(WGDEVICE_HAS_PRIVATE_KEY | WGDEVICE_HAS_LISTEN_PORT);
    std::ranges::copy(settings.private_key.reveal(), device.private_key);
    device.listen_port = settings.port;
    const int error = -wg_set_device(&device);
    ::explicit_bzero(device.private_key, sizeof device.private_key);
    if (error != 0) refuse("the kernel does not take the tunnel's key", error);
    try {
      filter_ = std::make_unique<InterfaceFilter>(name_);
    } catch (const system_error& why) {
      refuse("without nftables peers would reach more than they should (" + why.code().message() +
             ")");
    }
    add_interface_address(index_, settings.address);
    try {
      bring_interface_up(index_, settings.mtu);
    } catch (const system_error& why) {
      refuse("UDP port " + std::to_string(settings.port) + " cannot be had", why.code().value());
    }
  }

  void add_routes(const PeerConfiguration& peer) const {
    for (const IpPrefix& prefix : peer.allowed_ips) {
      try {
        add_interface_route(index_, prefix);
      } catch (const system_error& error) {
        if (error.code() != boost::system::errc::file_exists) throw;
      }
    }
  }
  [[nodiscard]] wg_device named() const {
    wg_device device{};
    std::ranges::copy(name_, device.name);
    return device;
  }
  static void apply(wg_device& device) {
    if (const int error = -wg_set_device(&device); error != 0)
      throw_error({error, boost::system::system_category()}, "WireGuard interface");
  }
  void set(std::vector<wg_peer*> peers) const {
    wg_device device = named();
    for (std::size_t i = 0; i + 1 < peers.size(); ++i) peers[i]->next_peer = peers[i + 1];
    device.first_peer = peers.front();
    device.last_peer = peers.back();
    apply(device);
  }
  [[nodiscard]] std::unique_ptr<wg_device, FreeDevice> get() const {
    wg_device* device = nullptr;
    if (const int error = -wg_get_device(&device, name_.c_str()); error != 0)
      throw_error({error, boost::system::system_category()}, "WireGuard interface");
    return std::unique_ptr<wg_device, FreeDevice>(device);
  }

  const PublicKey own_key_;
  const std::string name_;
  const UniqueFd claim_;
  int index_ = 0;
  std::unique_ptr<InterfaceFilter> filter_;
};

class ForeignInterface final : public WireGuardInterface {
 public:
  explicit ForeignInterface(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] bool is_ours() const override { return false; }
  void set_peer(const PeerConfiguration& /*peer*/) override {}
  void call_peer(const PeerConfiguration& /*peer*/) override {}
  void remove_peer(const PeerConfiguration& /*peer*/) override {}
  [[nodiscard]] std::vector<Peer> peers() const override { return {}; }
  [[nodiscard]] std::uint16_t port() const override { return 0; }
  void choose_new_port() override {}
  void open_stream_port(std::uint16_t /*port*/) override {}
  void close_stream_port(std::uint16_t /*port*/) noexcept override {}

 private:
  const std::string name_;
};

}  // namespace

std::unique_ptr<WireGuardInterface> make_wireguard_interface(
    const WireGuardInterfaceSettings& settings) {
  try {
    return std::make_unique<KernelInterface>(settings);
  } catch (const system_error& error) {
    refuse("the kernel refuses the tunnel's interface", error.code().value());
  }
}

std::unique_ptr<WireGuardInterface> use_wireguard_interface(const std::string& name,
                                                            const IpAddress& address) {
  const auto there = find_interface(name);
  if (!there) refuse("there is no interface " + name);
  const auto addresses = interface_addresses();
  const bool has_address = std::ranges::any_of(addresses, [&](const InterfaceAddress& one) {
    return one.index == there->index && one.address == address;
  });
  if (!has_address)
    refuse("the interface " + name + " does not have the tunnel address " + address.text() +
           "; give it that one");
  return std::make_unique<ForeignInterface>(name);
}

std::expected<void, std::string> probe_kernel_wireguard() {
  constexpr const char* name = "sidestream-prob";
  if (const int error = -wg_add_device(name); error != 0)
    return std::unexpected(device_refused(error));
  wg_del_device(name);
  try {
    const InterfaceFilter filter(name);
  } catch (const system_error& error) {
    return std::unexpected("nftables cannot be used (" + error.code().message() + ")");
  }
  return {};
}

}  // namespace sidestream::tunnel
