// churn: streams that come and go, and others that stay, each byte of which is checked.
//
//   churn serve ADDRESS PORT
//     sends back what comes and ends when the client has ended
//   churn clients ADDRESS PORT SECONDS RATE LONG
//     keeps LONG streams open, each with a question a second, and begins RATE short ones a second,
//     with one question each, whether or not the ones before have ended. Every eighth short one is
//     reset after its answer, the others end in order. Prints one line of JSON a minute and at the
//     end; the exit code is 1 when a stream was not as it should be.
#include <sys/resource.h>

#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/load_sockets_io.h"
#include "tests/system/churn_clients_io.h"

namespace sidestream {
namespace {

void raise_descriptor_limit() {
  rlimit limit{};
  checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  checked(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

int run(std::span<char* const> words) {
  try {
    raise_descriptor_limit();
    if (words.size() == 3 && std::string_view(words[0]) == "serve")
      serve_echo(address_of(words[1], words[2]));
    if (words.size() == 6 && std::string_view(words[0]) == "clients") {
      const ChurnPlan plan{address_of(words[1], words[2]),
                           std::chrono::seconds(number_of<unsigned>(words[3])),
                           number_of<unsigned>(words[4]), number_of<unsigned>(words[5])};
      return run_churn(plan) ? 0 : 1;
    }
  } catch (const std::exception& failure) {
    std::cerr << "churn: " << failure.what() << '\n';
    return 1;
  }
  std::cerr << "usage: churn serve ADDRESS PORT | clients ADDRESS PORT SECONDS RATE LONG\n";
  return 2;
}

}  // namespace
}  // namespace sidestream

int main(int count, char** values) {
  return sidestream::run(std::span(values + 1, values + count));
}
