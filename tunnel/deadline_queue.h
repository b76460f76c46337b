// The deadlines of many objects, the earliest first: a binary heap. Deadlines that move back, as a
// retransmission timer does with every acknowledgment, are not moved in the heap: the object comes
// up at its old time, finds nothing due, and is put in again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "streams/time.h"

namespace sidestream::tunnel {

// T has a member `std::size_t deadline_slot`, which is the queue's.
template <typename T>
class DeadlineQueue {
 public:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  // `object` comes up at `deadline` or earlier; Instant::max(): it need not.
  void set(T& object, Instant deadline) {
    if (deadline == Instant::max()) return;
    if (object.deadline_slot == none) {
      heap_.push_back({deadline, &object});
      rise(heap_.size() - 1);
    } else if (deadline < heap_[object.deadline_slot].deadline) {
      heap_[object.deadline_slot].deadline = deadline;
      rise(object.deadline_slot);
    }
  }
  void remove(T& object) {
    const std::size_t slot = std::exchange(object.deadline_slot, none);
    if (slot == none) return;
    const Item last = heap_.back();
    heap_.pop_back();
    if (slot == heap_.size()) return;
    place(slot, last);
    rise(slot);
    sink(last.object->deadline_slot);
  }
  // Takes out one object whose time has come; null: none.
  T* pop_due(Instant now) {
    if (heap_.empty() || heap_.front().deadline > now) return nullptr;
    T* const object = heap_.front().object;
    remove(*object);
    return object;
  }
  [[nodiscard]] Instant earliest() const {
    return heap_.empty() ? Instant::max() : heap_.front().deadline;
  }

 private:
  struct Item {
    Instant deadline;
    T* object;
  };
  void place(std::size_t slot, const Item& item) {
    heap_[slot] = item;
    item.object->deadline_slot = slot;
  }
  void rise(std::size_t slot) {
    const Item item = heap_[slot];
    for (; slot > 0 && item.deadline < heap_[(slot - 1) / 2].deadline; slot = (slot - 1) / 2)
      place(slot, heap_[(slot - 1) / 2]);
    place(slot, item);
  }
  void sink(std::size_t slot) {
    const Item item = heap_[slot];
    for (std::size_t child = 2 * slot + 1; child < heap_.size(); child = 2 * slot + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1].deadline < heap_[child].deadline) ++child;
      if (heap_[child].deadline >= item.deadline) break;
      place(slot, heap_[child]);
      slot = child;
    }
    place(slot, item);
  }

  std::vector<Item> heap_;
};

}  // namespace sidestream::tunnel
