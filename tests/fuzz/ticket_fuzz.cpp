// What parses as a ticket is valid and has one text form, the one that was parsed.
#include <cstdlib>

#include "control/ticket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using sidestream::control::Ticket;
  const auto text = sidestream::text_of({bytes, size});
  const auto ticket = Ticket::parse(text);
  // With a frame around it the input is a ticket's content, which a checksum guards otherwise.
  const auto content = Ticket::parse_content({bytes, size});
  if (content && (!content->is_valid() || Ticket::parse(content->text().reveal()) != content))
    std::abort();
  if (ticket && (!ticket->is_valid() || !text.contains(ticket->text().reveal()))) std::abort();
  return 0;
}
