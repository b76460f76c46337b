// Gives a fuzz target every file of a corpus folder, whole and cut short at every length (long
// files at some), so that the corpus is a test in builds without libFuzzer too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

constexpr std::size_t cuts_max = 2048;

void replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
  const std::size_t step = content.size() / cuts_max + 1;
  for (std::size_t length = 0; length < content.size(); length += step) {
    // A copy of exactly that length, so that the address sanitizer sees any read past its end.
    const std::vector<std::uint8_t> cut(content.begin(),
                                        content.begin() + static_cast<std::ptrdiff_t>(length));
    LLVMFuzzerTestOneInput(cut.data(), cut.size());
  }
  const std::vector<std::uint8_t> whole(content.begin(), content.end());
  LLVMFuzzerTestOneInput(whole.data(), whole.size());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 || !std::filesystem::is_directory(arguments[1])) {
    std::cerr << "usage: " << arguments[0] << " CORPUS_FOLDER\n";
    return EXIT_FAILURE;
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) {
    if (!entry.is_regular_file()) continue;
    replay(entry.path());
    ++files;
  }
  std::cout << files << " inputs replayed\n";
  if (files == 0) std::cerr << arguments[1] << " is empty\n";
  return files == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
