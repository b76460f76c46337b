#include "streams/relay_buffers_io.h"

#include <utility>

namespace sidestream {

RelayBuffers::Lease::Lease(RelayBuffers& pool)
    : pool_(pool),
      size_(pool.full_in_use_ < pool.limits_.full_buffers_max ? pool.limits_.full_bytes
                                                              : pool.limits_.small_bytes) {
  const bool full = size_ == pool_.limits_.full_bytes;
  if (full && !pool_.spare_.empty()) {
    bytes_ = std::move(pool_.spare_.back());
    pool_.spare_.pop_back();
  } else {
    bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(size_);
  }
  if (full) ++pool_.full_in_use_;
  pool_.bytes_in_use_ += size_;
}

RelayBuffers::Lease::~Lease() {
  pool_.bytes_in_use_ -= size_;
  if (size_ != pool_.limits_.full_bytes) return;
  --pool_.full_in_use_;
  if (pool_.spare_.size() < pool_.limits_.spare_buffers_max)
    pool_.spare_.push_back(std::move(bytes_));
}

RelayBuffers& RelayBuffers::of_this_thread() {
  thread_local RelayBuffers buffers;
  return buffers;
}

}  // namespace sidestream
