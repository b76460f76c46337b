// What is left of secrets that stood somewhere as plain text.
#pragma once

#include <string>

namespace sidestream::cli {

// While one of these lives, everything that C++ gives back is overwritten first: texts of a
// configuration pass through copies (of the YAML library, of strings that grow) that nobody can
// name. Not in builds with the address sanitizer, which has an allocator of its own.
class WipeFreedMemory {
 public:
  WipeFreedMemory();
  WipeFreedMemory(const WipeFreedMemory&) = delete;
  WipeFreedMemory& operator=(const WipeFreedMemory&) = delete;
  ~WipeFreedMemory();
};

// Overwrites a text, up to its capacity; it is empty afterwards.
void wipe_text(std::string& text);
// Overwrites what functions that have returned left below the caller's frame.
void wipe_stack();

}  // namespace sidestream::cli
