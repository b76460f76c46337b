// Whatever a name server says, it is an answer or a sentence about why not.
#include "cli/dns_message.h"

#include <cstdlib>

#include "cli/caa_judgement.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace sidestream;
  const auto name = ServerName::parse("a.test");
  const auto answer = cli::parse_dns_answer({bytes, size}, 7, *name, cli::DnsType::caa);
  if (!answer && answer.error().empty()) std::abort();
  if (!answer) return 0;
  const auto judgement = cli::judge_caa(answer->caa, {.name = "a.test", .account = "https://a"});
  if (judgement.why.find('\n') != std::string::npos) std::abort();
  return 0;
}
