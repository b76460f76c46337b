#include "edge/stream_record.h"

#include <array>
#include <utility>
#include <vector>

namespace sidestream::edge {
namespace {

struct Words {
  std::string_view text;
  std::string_view counter;
};

constexpr std::array<Words, stream_end_count> words{{
    {"finished", "finished"},
    {"the client broke it", "client_broke"},
    {"the sidecar broke it", "sidecar_broke"},
    {"idle for too long", "idle"},
    {"cut: the sidecar was revoked", "cut"},
    {"the edge was stopped", "edge_stopped"},
    {"ended: memory is scarce", "shed"},
    {"the client left", "client_left"},
    {"no ClientHello in time", "hello_late"},
    {"a malformed ClientHello", "hello_malformed"},
    {"a ClientHello that is too large", "hello_too_large"},
    {"not TLS, and no service for the port itself", "not_tls"},
    {"no service for this name", "no_such_name"},
    {"the sidecar cannot be reached", "sidecar_unreachable"},
    {"too many streams", "too_many_streams"},
    {"too many streams of this client", "too_many_of_client"},
    {"given up for newer streams", "given_up"},
    {"memory is scarce", "no_memory"},
    {"banned by the sidecar", "banned"},
}};

}  // namespace

std::string_view text_of(StreamEnd end) {
  return words.at(std::to_underlying(end)).text;
}
std::string_view counter_of(StreamEnd end) {
  return words.at(std::to_underlying(end)).counter;
}

std::string_view StreamRecord::event() const {
  return is_refusal(end) ? "stream refused" : "stream ended";
}

void StreamRecord::tell(const std::function<void(std::span<const LogField>)>& write) const {
  const std::string client_text = client.text();
  const std::string endpoint_text =
      endpoint ? endpoint->text() : control::Endpoint{.name = server_name, .port = port}.text();
  std::vector<LogField> fields{{"client", client_text}, {"endpoint", endpoint_text}};
  if (server_name && endpoint && server_name != endpoint->name)
    fields.push_back({"server_name", server_name->text()});
  if (!sidecar.empty()) {
    fields.push_back({"sidecar", sidecar});
    fields.push_back({"service", service});
  }
  if (!is_refusal(end)) {
    fields.push_back({"bytes_in", bytes_from_client});
    fields.push_back({"bytes_out", bytes_to_client});
  }
  fields.push_back({"duration", duration});
  fields.push_back({"end", text_of(end)});
  if (!why.empty()) fields.push_back({"why", why});
  if (!error.empty()) fields.push_back({"error", error});
  if (untold_refusals > 0) fields.push_back({"untold_refusals", untold_refusals});
  write(fields);
}

}  // namespace sidestream::edge
