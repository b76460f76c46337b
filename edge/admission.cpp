#include "edge/admission.h"

namespace sidestream::edge {
namespace {

constexpr unsigned ipv6_client_bits = 64;

}  // namespace

IpAddress Admission::client_of(const IpAddress& address) {
  const IpAddress client = address.unmapped();
  return client.is_v4() ? client : IpPrefix(client, ipv6_client_bits).address();
}

AdmissionVerdict Admission::admit(const IpAddress& client) {
  if (streams_ >= limits_.streams_max) return AdmissionVerdict::too_many_streams;
  const IpAddress key = client_of(client);
  const auto known = clients_.find(key);
  if (known != clients_.end() && known->second.streams >= limits_.streams_per_client_max)
    return AdmissionVerdict::too_many_of_client;
  ++clients_[key].streams;
  ++streams_;
  return AdmissionVerdict::admitted;
}

void Admission::leave(const IpAddress& client) {
  const auto known = clients_.find(client_of(client));
  --streams_;
  if (--known->second.streams == 0) clients_.erase(known);
}

bool Admission::let_looker_in() {
  if (streams_ >= limits_.streams_max || lookers_ >= limits_.lookers_max) return false;
  ++lookers_;
  ++streams_;
  return true;
}

bool Admission::begin_undecided(const IpAddress& client) {
  Client& counts = clients_[client_of(client)];
  if (counts.undecided >= limits_.undecided_per_client_max) return false;
  ++counts.undecided;
  ++undecided_;
  return true;
}

void Admission::end_undecided(const IpAddress& client) {
  --clients_[client_of(client)].undecided;
  --undecided_;
}

}  // namespace sidestream::edge
