#include "tunnel/keypair_slots.h"

namespace sidestream::tunnel {

Keypair* KeypairSlots::find(std::uint32_t local_index) const {
  for (const auto* slot : {&current_, &next_, &previous_})
    if (*slot && (*slot)->local_index() == local_index) return slot->get();
  return nullptr;
}

void KeypairSlots::add_as_initiator(std::unique_ptr<Keypair> keypair) {
  // A session that waits for its first packet is one the peer may already be sending with, so it
  // is worth more than the old current one.
  previous_ = next_ ? std::move(next_) : std::move(current_);
  next_.reset();
  current_ = std::move(keypair);
}

void KeypairSlots::add_as_responder(std::unique_ptr<Keypair> keypair) {
  next_ = std::move(keypair);
  previous_.reset();
}

bool KeypairSlots::confirm(const Keypair& keypair) {
  if (next_.get() != &keypair) return false;
  previous_ = std::move(current_);
  current_ = std::move(next_);
  return true;
}

void KeypairSlots::clear() {
  previous_.reset();
  current_.reset();
  next_.reset();
}

}  // namespace sidestream::tunnel
