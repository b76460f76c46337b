// A router that translates addresses, as a home line has it.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "streams/ip_address.h"
#include "streams/time.h"

namespace sidestream {

struct NatOptions {
  // Without anything going out for so long a mapping is forgotten.
  Duration mapping_lifetime = 30s;
  // Lets in only what comes from where something went to (address and port).
  bool filter = true;
};

// For datagrams; the mapping of a port does not depend on the remote (RFC 4787 section 4.1).
class SimulatedNat {
 public:
  SimulatedNat(const IpAddress& outside, const NatOptions& options)
      : outside_(outside), options_(options) {}

  [[nodiscard]] const IpAddress& outside() const { return outside_; }
  [[nodiscard]] NatOptions& options() { return options_; }

  // As a restart of the router: the next datagram gets another port, and answers to the old one
  // are dropped.
  void rebind() {
    inside_to_port_.clear();
    mappings_.clear();
  }
  // A port forward, for datagrams and streams.
  void forward(std::uint16_t port, const SocketAddress& inside) { forwards_[port] = inside; }

  // The source address that `remote` sees.
  SocketAddress send(Instant now, const SocketAddress& inside, const SocketAddress& remote) {
    for (const auto& [port, forwarded] : forwards_) {
      if (forwarded == inside) return {outside_, port};
    }
    const auto known = inside_to_port_.find(inside);
    std::uint16_t port = known == inside_to_port_.end() ? std::uint16_t{0} : known->second;
    if (port != 0 && now - mappings_[port].last_sent > options_.mapping_lifetime) {
      mappings_.erase(port);
      port = 0;
    }
    if (port == 0) {
      port = next_port_++;
      if (next_port_ == 0) next_port_ = first_port;
      inside_to_port_[inside] = port;
      mappings_[port] = {.inside = inside, .last_sent = now, .remotes = {}};
    }
    mappings_[port].last_sent = now;
    mappings_[port].remotes.insert(remote);
    return {outside_, port};
  }

  // Who gets a datagram that came to this port; nobody when it is to be dropped.
  std::optional<SocketAddress> receive(Instant now, std::uint16_t port,
                                       const SocketAddress& remote) const {
    if (const auto forwarded = forwarded_to(port)) return forwarded;
    const auto found = mappings_.find(port);
    if (found == mappings_.end()) return std::nullopt;
    const Mapping& mapping = found->second;
    if (now - mapping.last_sent > options_.mapping_lifetime) return std::nullopt;
    if (options_.filter && !mapping.remotes.contains(remote)) return std::nullopt;
    return mapping.inside;
  }

  [[nodiscard]] std::optional<SocketAddress> forwarded_to(std::uint16_t port) const {
    const auto found = forwards_.find(port);
    return found == forwards_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  static constexpr std::uint16_t first_port = 40000;

  struct Mapping {
    SocketAddress inside;
    Instant last_sent;
    std::set<SocketAddress> remotes;
  };

  IpAddress outside_;
  NatOptions options_;
  std::map<SocketAddress, std::uint16_t> inside_to_port_;
  std::map<std::uint16_t, Mapping> mappings_;
  std::map<std::uint16_t, SocketAddress> forwards_;
  std::uint16_t next_port_ = first_port;
};

}  // namespace sidestream
