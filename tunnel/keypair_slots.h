// The three sessions that a peer may have at once, so that packets in flight survive a new
// handshake (section 6.3).
#pragma once

#include <cstdint>
#include <memory>

#include "tunnel/keypair.h"

namespace sidestream::tunnel {

class KeypairSlots {
 public:
  // What we send with; null when there is none. May be too old to be used.
  [[nodiscard]] Keypair* current() const { return current_.get(); }
  [[nodiscard]] Keypair* find(std::uint32_t local_index) const;
  [[nodiscard]] bool empty() const { return !previous_ && !current_ && !next_; }

  // The initiator knows that the responder has the new key: it is current at once.
  void add_as_initiator(std::unique_ptr<Keypair> keypair);
  // The responder may send with the new key only after it has received with it.
  void add_as_responder(std::unique_ptr<Keypair> keypair);
  // An authentic packet came under `keypair`. True when that made it current.
  bool confirm(const Keypair& keypair);
  void clear();

 private:
  std::unique_ptr<Keypair> previous_;
  std::unique_ptr<Keypair> current_;
  std::unique_ptr<Keypair> next_;
};

}  // namespace sidestream::tunnel
