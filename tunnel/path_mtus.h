// The path MTU to each host of a link (tunnel/path_mtu_search.h), with the echo requests by which
// it is found out (RFC 792, RFC 4443). A packet machine, part of TcpStack.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "streams/ip_address.h"
#include "tunnel/ip_packet.h"
#include "tunnel/path_mtu_search.h"

namespace sidestream::tunnel {

struct PathMtuChange {
  IpAddress remote;
  std::size_t mtu;
};

class PathMtus {
 public:
  // `mtu`: of the link; `addresses`: ours; `identifier`: of our echo requests, random.
  PathMtus(std::size_t mtu, std::vector<IpAddress> addresses, std::uint16_t identifier);

  // Finds it out anew.
  void search(Instant now, const IpAddress& remote);
  // Large segments to it are not answered.
  void doubt(Instant now, const IpAddress& remote);
  // As far as it is known: at most that of the link.
  [[nodiscard]] std::size_t mtu(const IpAddress& remote) const;

  // `echo`: what parse_icmp says of it.
  void handle_echo_reply(Instant now, const IpPacket& packet, Bytes echo);
  void handle_timeout(Instant now);
  // May be early.
  [[nodiscard]] Instant deadline() const { return deadline_; }
  // The next echo request, into at least `mtu` bytes; 0: none.
  std::size_t poll_transmit(MutableBytes buffer);

  std::optional<PathMtuChange> poll_change();

 private:
  PathMtuSearch& search_for(const IpAddress& remote);
  void began(const IpAddress& remote, const PathMtuSearch& search);
  void note_change(const IpAddress& remote, std::size_t before, const PathMtuSearch& search);
  std::size_t write_probe(MutableBytes buffer, const IpAddress& remote,
                          const PathMtuSearch::Probe& probe) const;

  std::size_t mtu_;
  std::vector<IpAddress> addresses_;
  std::uint16_t identifier_;
  std::unordered_map<IpAddress, PathMtuSearch> searches_;
  std::vector<IpAddress> running_;
  std::deque<IpAddress> with_probes_;
  std::deque<PathMtuChange> changes_;
  Instant deadline_ = Instant::max();
};

// Whether it is an echo request, which must find out how large packets may be: whoever carries it
// further must not cut it in pieces.
[[nodiscard]] bool is_path_mtu_probe(Bytes packet);

}  // namespace sidestream::tunnel
