#include "cli/secret_residue_io.h"

#include <malloc.h>
#include <string.h>

#include <array>
#include <cstddef>
#include <cstdlib>

namespace sidestream::cli {
namespace {

// Of the one thread that reads configurations; threads that look names up count on it as little.
int wiping = 0;

}  // namespace

WipeFreedMemory::WipeFreedMemory() {
  ++wiping;
}
WipeFreedMemory::~WipeFreedMemory() {
  --wiping;
}

void wipe_text(std::string& text) {
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

// Larger than what a serializer of JSON keeps on the stack.
[[gnu::noinline]] void wipe_stack() {
  std::array<char, 64UL * 1024> below;
  ::explicit_bzero(below.data(), below.size());
}

[[maybe_unused]] static void give_back(void* memory) noexcept {
  if (wiping > 0 && memory != nullptr) ::explicit_bzero(memory, ::malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace sidestream::cli

// The library's operators, which take from malloc, are those that are replaced here.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void operator delete(void* memory) noexcept {
  sidestream::cli::give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  sidestream::cli::give_back(memory);
}
void operator delete[](void* memory) noexcept {
  sidestream::cli::give_back(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  sidestream::cli::give_back(memory);
}
#endif
