#include "edge/lease_sentences.h"

namespace sidestream::edge {

using control::Reason;
using control::Refusal;

std::string explain(Reason reason, const SentenceFacts& facts) {
  const std::string port = std::to_string(facts.port);
  switch (reason) {
    case Reason::standby:
      return "another sidecar serves it with priority " + std::to_string(facts.other_priority) +
             "; this one (priority " + std::to_string(facts.wanted->priority) +
             ") takes over when that one withdraws";
    case Reason::listener_opening:
      return "the edge is about to listen on port " + port;
    case Reason::listener_failed:
      return "the edge cannot listen on port " + port + ": " + std::string(facts.detail);
    case Reason::router_behind:
      return facts.detail.empty()
                 ? "the edge is about to tell its router"
                 : "the edge's router does not have it: " + std::string(facts.detail);
    case Reason::not_allowed:
      return "sidecar " + std::string(facts.sidecar) +
             " may not publish it; the edge's owner can add it to `allow` in edge.yaml or, for "
             "one that was invited, revoke it and invite it anew with --allow";
    case Reason::held_by_another:
      return "it belongs to another sidecar, whose allow list names it more exactly; publish "
             "another name or change the allow lists on the edge";
    case Reason::port_not_open:
      return "port " + port + " is not open on this edge; add it to `public.ports` in edge.yaml " +
             "or use one of " + std::string(facts.public_ports);
    case Reason::duplicate:
      return "service " + std::string(facts.other_service) +
             " publishes it too; an endpoint belongs to one service of a sidecar";
    case Reason::too_many:
      return "this edge accepts " + std::to_string(facts.endpoints_max) +
             " endpoints of one sidecar; publish fewer, or a wildcard";
    case Reason::bad_endpoint:
      return std::string(facts.detail);
    case Reason::none:
    case Reason::other:
      break;
  }
  return {};
}

std::string explain(Refusal refusal, std::string_view instance) {
  switch (refusal) {
    case Refusal::session_unknown:
      return "the edge has restarted or the lease has ended; open a new session";
    case Refusal::session_superseded:
      return "a newer session has taken over (instance \"" + std::string(instance) +
             "\"); if two sidecars run with this ticket, give each its own";
    case Refusal::stale_sequence:
      return "the message is older than one that came before it";
    case Refusal::unknown_sidecar:
      return "no sidecar of this edge has this tunnel address";
    case Refusal::revoked:
      return "this sidecar was revoked and its ticket is worth nothing any more; get a new one "
             "from "
             "the edge's owner (`sidestream invite`)";
    case Refusal::unsupported_protocol:
      return "this edge speaks version " + std::to_string(control::protocol_version) +
             " of the control protocol; run the same version of sidestream on both sides";
    case Refusal::too_many_requests:
      return "too many messages; wait before the next one";
    case Refusal::not_found:
      return "there is nothing at this address";
    case Refusal::method_not_allowed:
      return "this address does not take that method";
    case Refusal::bad_message:
    case Refusal::other:
      break;
  }
  return "the message cannot be understood";
}

}  // namespace sidestream::edge
