// Which of many items is due first: a binary heap whose items know their place, so that changing
// one deadline costs log n and looking costs nothing.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "streams/time.h"

namespace sidestream::tunnel {

// What an item has to have (as base or by itself). The heap alone writes it.
struct DeadlineHeapPlace {
  static constexpr std::size_t outside = ~std::size_t{0};
  std::size_t heap_position = outside;
  Instant heap_deadline = Instant::max();
};

// Holds pointers; items must stay where they are and be removed before they go.
template <typename Item>
class DeadlineHeap {
 public:
  [[nodiscard]] Item* first() const { return items_.empty() ? nullptr : items_.front(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  // Instant::max() takes the item out.
  void update(Item& item, Instant deadline) {
    if (item.heap_deadline == deadline) return;
    const bool earlier = deadline < item.heap_deadline;
    item.heap_deadline = deadline;
    if (deadline == Instant::max()) {
      take_out(item);
      return;
    }
    if (item.heap_position == DeadlineHeapPlace::outside) {
      item.heap_position = items_.size();
      items_.push_back(&item);
    }
    if (earlier)
      rise(item.heap_position);
    else
      sink(item.heap_position);
  }
  void remove(Item& item) { update(item, Instant::max()); }

 private:
  void take_out(Item& item) {
    const std::size_t position = item.heap_position;
    put(position, items_.back());
    items_.pop_back();
    item.heap_position = DeadlineHeapPlace::outside;
    if (position == items_.size()) return;
    rise(position);
    sink(position);
  }
  void put(std::size_t position, Item* item) {
    items_[position] = item;
    item->heap_position = position;
  }
  void exchange(std::size_t left, std::size_t right) {
    Item* kept = items_[left];
    put(left, items_[right]);
    put(right, kept);
  }
  [[nodiscard]] bool before(std::size_t left, std::size_t right) const {
    return items_[left]->heap_deadline < items_[right]->heap_deadline;
  }
  void rise(std::size_t position) {
    for (; position > 0 && before(position, (position - 1) / 2); position = (position - 1) / 2)
      exchange(position, (position - 1) / 2);
  }
  void sink(std::size_t position) {
    for (;;) {
      std::size_t least = position;
      for (std::size_t child = 2 * position + 1; child <= 2 * position + 2; ++child)
        if (child < items_.size() && before(child, least)) least = child;
      if (least == position) return;
      exchange(position, least);
      position = least;
    }
  }

  std::vector<Item*> items_;
};

}  // namespace sidestream::tunnel
