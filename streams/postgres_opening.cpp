#include "streams/postgres_opening.h"

#include <algorithm>

namespace sidestream {
namespace {

bool begins_as(Bytes bytes, Bytes request) {
  const std::size_t count = std::min(bytes.size(), request.size());
  return std::ranges::equal(bytes.first(count), request.first(count));
}

}  // namespace

PostgresOpening::Verdict PostgresOpening::feed(Bytes received) {
  bytes_.insert(bytes_.end(), received.begin(), received.end());
  const bool is_ssl = begins_as(bytes_, postgres_ssl_request);
  // After the refusal PostgreSQL takes a second one for a version that nobody knows.
  const bool is_gss = !gss_refused_ && begins_as(bytes_, postgres_gss_request);
  if (!is_ssl && !is_gss) return Verdict::other;
  if (bytes_.size() < postgres_ssl_request.size()) return Verdict::need_more;
  if (bytes_.size() > postgres_ssl_request.size()) return Verdict::premature;
  bytes_.clear();
  if (is_ssl) return Verdict::ssl_request;
  gss_refused_ = true;
  return Verdict::gss_request;
}

}  // namespace sidestream
