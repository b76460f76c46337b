#include "streams/random_io.h"

#include <sodium.h>

#include <cstdio>
#include <cstdlib>

namespace sidestream {

SystemRandom::SystemRandom() {
  if (sodium_init() >= 0) return;
  std::fputs("sidestream: the system has no random numbers (getrandom and /dev/urandom failed)\n",
             stderr);
  std::abort();
}

void SystemRandom::fill(MutableBytes into) {
  randombytes_buf(into.data(), into.size());
}

}  // namespace sidestream
