// Buffers for data in flight, reused within a thread.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "streams/bytes.h"

namespace sidestream {

struct RelayBufferLimits {
  std::size_t full_bytes = 64 * 1024;
  std::size_t full_buffers_max = 128;  // in use at once; beyond that:
  std::size_t small_bytes = 4 * 1024;
  std::size_t spare_buffers_max = 32;  // full ones that are kept for reuse
};

class RelayBuffers {
 public:
  // A buffer in use; goes back when it dies, on the same thread.
  class Lease {
   public:
    explicit Lease(RelayBuffers& pool);
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    [[nodiscard]] MutableBytes bytes() const { return {bytes_.get(), size_}; }

   private:
    RelayBuffers& pool_;
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::size_t size_;
  };

  explicit RelayBuffers(const RelayBufferLimits& limits = {}) : limits_(limits) {}
  RelayBuffers(const RelayBuffers&) = delete;
  RelayBuffers& operator=(const RelayBuffers&) = delete;
  ~RelayBuffers() = default;

  // The pool of the calling thread.
  static RelayBuffers& of_this_thread();

  [[nodiscard]] std::size_t bytes_in_use() const { return bytes_in_use_; }

 private:
  RelayBufferLimits limits_;
  std::size_t bytes_in_use_ = 0;
  std::size_t full_in_use_ = 0;
  std::vector<std::unique_ptr<std::uint8_t[]>> spare_;
};

}  // namespace sidestream
