// A command line, one argument a line, is options or one line that says what is wrong.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "cli/command_table.h"
#include "cli/options.h"
#include "streams/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream;
  std::string_view rest = text_of(Bytes(bytes, size));
  std::vector<std::string_view> arguments;
  for (; !rest.empty(); rest.remove_prefix(std::min(rest.size(), arguments.back().size() + 1)))
    arguments.push_back(rest.substr(0, rest.find('\n')));
  const auto options = cli::parse_options(arguments, cli::all_commands());
  if (!options && (options.error().message.empty() || options.error().message.contains('\n')))
    std::abort();
  return 0;
}
