// TIME-WAIT (RFC 9293 section 3.10.7.4, RFC 1337, RFC 6191) as what is left of connections after
// both ends have closed: it answers a FIN that comes again, and keeps the ends from being used for
// something else too early. And what is left of connections whose SYN's text was handed on, and
// which ended before the handshake did: when their SYN comes again it is refused, since the text of
// it would come again too.
#pragma once

#include <list>
#include <optional>
#include <unordered_map>

#include "tunnel/connection_table.h"

namespace sidestream::tunnel {

class TimeWait {
 public:
  // All must outlive it.
  TimeWait(const TcpLimits& limits, ReplyQueue& replies, const EndsHash& hash)
      : limits_(&limits), replies_(&replies), by_ends_(16, hash) {}

  void add(Instant now, const TcpEnds& ends, const TcpConnection::Remains& remains);
  [[nodiscard]] bool holds(const TcpEnds& ends) const { return by_ends_.contains(ends); }

  enum class Verdict {
    unknown,  // not in TIME-WAIT
    done,     // dealt with
    reopen,   // a SYN that begins a new connection; the old one is gone
  };
  struct Outcome {
    Verdict verdict;
    // reopen: sequence numbers up to this one may still be on their way.
    std::uint32_t sequence_after = 0;
  };
  Outcome handle_segment(Instant now, const TcpEnds& ends, const TcpSegment& segment);
  // We want to connect between these ends. Allowed, and then the old connection is gone, when
  // timestamps will tell the new one from it.
  std::optional<std::uint32_t> reuse(Instant now, const TcpEnds& ends);

  void handle_timeout(Instant now);
  [[nodiscard]] Instant deadline() const {
    return waiting_.empty() ? Instant::max() : waiting_.front().until;
  }

 private:
  struct Waiting {
    TcpEnds ends;
    TcpConnection::Remains remains;
    Instant until;
    Instant answer_after = Instant::min();
  };
  using List = std::list<Waiting>;  // all wait equally long, so the order is that of `until`

  void answer(Instant now, Waiting& waiting);
  [[nodiscard]] static bool begins_anew(const Waiting& waiting, const TcpSegment& syn);

  const TcpLimits* limits_;
  ReplyQueue* replies_;
  List waiting_;
  std::unordered_map<TcpEnds, List::iterator, EndsHash> by_ends_;
};

}  // namespace sidestream::tunnel
