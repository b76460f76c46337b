// Deadlines in order: an intrusive binary heap. Entries with equal deadlines come out in the order
// in which they went in, so that a simulation is the same each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "streams/time.h"

namespace sidestream {

class TimerHeap {
 public:
  // Its owner keeps it where it is while it is in a heap, and takes it out before it dies.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    [[nodiscard]] bool queued() const { return position_ != outside; }
    // Only meaningful while queued.
    [[nodiscard]] Instant deadline() const { return deadline_; }

   protected:
    ~Entry() = default;

   private:
    friend class TimerHeap;
    static constexpr std::size_t outside = std::numeric_limits<std::size_t>::max();

    [[nodiscard]] bool before(const Entry& other) const {
      return deadline_ != other.deadline_ ? deadline_ < other.deadline_ : order_ < other.order_;
    }

    Instant deadline_;
    std::uint64_t order_ = 0;
    std::size_t position_ = outside;
  };

  // The entry must not be in a heap.
  void push(Entry& entry, Instant deadline) {
    entry.deadline_ = deadline;
    entry.order_ = next_order_++;
    heap_.push_back(&entry);
    rise(heap_.size() - 1);
  }

  // Does nothing to an entry that is in no heap.
  void remove(Entry& entry) {
    if (!entry.queued()) return;
    const std::size_t hole = entry.position_;
    entry.position_ = Entry::outside;
    Entry* moved = heap_.back();
    heap_.pop_back();
    if (moved == &entry) return;
    heap_[hole] = moved;
    rise(hole);
    sink(moved->position_);
  }

  // The entry with the earliest deadline; nullptr when there is none.
  [[nodiscard]] Entry* first() const { return heap_.empty() ? nullptr : heap_.front(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  void place(Entry* entry, std::size_t position) {
    heap_[position] = entry;
    entry->position_ = position;
  }

  void rise(std::size_t position) {
    Entry* const entry = heap_[position];
    while (position > 0) {
      const std::size_t parent = (position - 1) / 2;
      if (!entry->before(*heap_[parent])) break;
      place(heap_[parent], position);
      position = parent;
    }
    place(entry, position);
  }

  void sink(std::size_t position) {
    Entry* const entry = heap_[position];
    for (;;) {
      std::size_t child = position * 2 + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1]->before(*heap_[child])) ++child;
      if (!heap_[child]->before(*entry)) break;
      place(heap_[child], position);
      position = child;
    }
    place(entry, position);
  }

  std::vector<Entry*> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace sidestream
