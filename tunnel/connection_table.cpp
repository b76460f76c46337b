#include "tunnel/connection_table.h"

#include <algorithm>
#include <utility>

namespace sidestream::tunnel {
namespace {

ConnectionId id_of(std::size_t slot, std::uint32_t turn) {
  return ConnectionId{std::uint64_t{turn} << 32U | slot};
}

}  // namespace

EndsBytes::EndsBytes(const TcpEnds& ends) {
  ByteWriter writer(storage_);
  writer.bytes(ends.local.address.bytes());
  writer.bytes(ends.remote.address.bytes());
  writer.u16(ends.local.port);
  writer.u16(ends.remote.port);
  size_ = writer.size();
}

ConnectionEntry& ConnectionTable::add(std::unique_ptr<ConnectionEntry> entry) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  Slot& slot = slots_[number];
  entry->id = id_of(number, slot.turn);
  by_ends_.emplace(entry->connection.ends(), entry.get());
  slot.entry = std::move(entry);
  ++size_;
  return *slot.entry;
}

void ConnectionTable::hide(ConnectionEntry& entry) {
  if (std::exchange(entry.reachable, false)) by_ends_.erase(entry.connection.ends());
}

void ConnectionTable::destroy(ConnectionEntry& entry) {
  hide(entry);
  const auto number = static_cast<std::uint32_t>(std::to_underlying(entry.id));
  Slot& slot = slots_[number];
  ++slot.turn;
  free_.push_back(number);
  --size_;
  slot.entry.reset();
}

ConnectionEntry* ConnectionTable::find(ConnectionId id) const {
  const auto number = static_cast<std::uint32_t>(std::to_underlying(id));
  if (number >= slots_.size()) return nullptr;
  const Slot& slot = slots_[number];
  return slot.entry && slot.entry->id == id ? slot.entry.get() : nullptr;
}

ConnectionEntry* ConnectionTable::find(const TcpEnds& ends) const {
  const auto found = by_ends_.find(ends);
  return found == by_ends_.end() ? nullptr : found->second;
}

}  // namespace sidestream::tunnel
