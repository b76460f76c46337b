// A doubly linked list of objects that carry their own links: no allocation, removal in one step.
// Whoever destroys an object takes it out of its lists first.
#pragma once

namespace sidestream::tunnel {

template <typename T>
struct ListLink {
  T* before = nullptr;
  T* after = nullptr;
  bool linked = false;
};

template <typename T, ListLink<T> T::* link>
class IntrusiveList {
 public:
  [[nodiscard]] T* front() const { return front_; }
  [[nodiscard]] T* after(const T& object) const { return (object.*link).after; }
  [[nodiscard]] bool empty() const { return front_ == nullptr; }

  // Nothing when it is in the list already.
  void push_back(T& object) {
    ListLink<T>& place = object.*link;
    if (place.linked) return;
    place = {.before = back_, .after = nullptr, .linked = true};
    (back_ == nullptr ? front_ : (back_->*link).after) = &object;
    back_ = &object;
  }
  // Nothing when it is not in the list.
  void remove(T& object) {
    ListLink<T>& place = object.*link;
    if (!place.linked) return;
    (place.before == nullptr ? front_ : (place.before->*link).after) = place.after;
    (place.after == nullptr ? back_ : (place.after->*link).before) = place.before;
    place = {};
  }

 private:
  T* front_ = nullptr;
  T* back_ = nullptr;
};

}  // namespace sidestream::tunnel
