// The three ways in which every vector is fed to an incremental parser.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "streams/bytes.h"

namespace sidestream {

// Calls `feed_all` with the pieces of `bytes`: whole, byte by byte, and cut in two at each offset
// (every `step`-th one, where a vector is so long that all would take minutes).
inline void for_each_fragmentation(Bytes bytes,
                                   const std::function<void(const std::vector<Bytes>&)>& feed_all,
                                   std::size_t step = 1) {
  feed_all({bytes});
  std::vector<Bytes> single;
  single.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.subspan(i, 1));
  feed_all(single);
  for (std::size_t cut = 1; cut < bytes.size(); cut += step)
    feed_all({bytes.first(cut), bytes.subspan(cut)});
}

}  // namespace sidestream
