#include "tests/support/simulated_datagram_io.h"

#include <algorithm>

namespace sidestream {

SimulatedDatagramSocket::SimulatedDatagramSocket(SimulatedHost& host, const SocketAddress& local)
    : host_(host), local_(local) {
  counters_.receive_buffer_bytes = inbox_bytes_max;
  host_.sockets_.push_back(this);
}

SimulatedDatagramSocket::~SimulatedDatagramSocket() {
  close();
}

void SimulatedDatagramSocket::close() noexcept {
  if (!std::exchange(open_, false)) return;
  std::erase(host_.sockets_, this);
  inbox_.clear();
  inbox_bytes_.clear();
  readable_.notify_all();
}

Task<> SimulatedDatagramSocket::wait_readable() {
  while (open_ && inbox_.empty()) co_await readable_.wait();
  if (!open_) throw_error(asio::error::operation_aborted, "receive");
}

Task<> SimulatedDatagramSocket::wait_writable() {
  co_await yield_now();
  if (!open_) throw_error(asio::error::operation_aborted, "send");
}

// Datagrams of equal size that came in a row from one address are one batch, as with GRO.
std::span<const DatagramSocket::Batch> SimulatedDatagramSocket::receive() {
  taken_.clear();
  taken_bytes_.swap(inbox_bytes_);
  inbox_bytes_.clear();
  MutableBytes rest = taken_bytes_;
  bool closed = true;  // the last batch takes no more: its last datagram was shorter
  for (const Datagram& datagram : inbox_) {
    const MutableBytes bytes = rest.first(datagram.size);
    rest = rest.subspan(datagram.size);
    Batch* last = closed ? nullptr : &taken_.back();
    if (last && last->remote == datagram.remote && last->traffic_class == datagram.traffic_class &&
        datagram.size <= last->segment_bytes &&
        last->bytes.size() + datagram.size <= batch_bytes_max) {
      last->bytes = {last->bytes.data(), last->bytes.size() + datagram.size};
    } else {
      taken_.push_back({.remote = datagram.remote,
                        .bytes = bytes,
                        .segment_bytes = datagram.size,
                        .traffic_class = datagram.traffic_class});
    }
    closed = datagram.size < taken_.back().segment_bytes;
  }
  inbox_.clear();
  return taken_;
}

bool SimulatedDatagramSocket::send(const Batch& batch) {
  if (!open_) return true;
  std::optional<IpAddress> source = local_.address;
  if (local_.address.is_unspecified()) {
    const auto sticky = local_of_.find(batch.remote);
    if (sticky != local_of_.end() && !host_.has_address(sticky->second)) local_of_.erase(sticky);
    const auto known = local_of_.find(batch.remote);
    source = known == local_of_.end() ? host_.source_for(batch.remote.address)
                                      : std::optional(known->second);
  }
  const std::size_t segment_bytes =
      batch.segment_bytes == 0 ? batch.bytes.size() : batch.segment_bytes;
  for (Bytes rest = batch.bytes; !rest.empty();) {
    const Bytes datagram = rest.first(std::min(rest.size(), segment_bytes));
    rest = rest.subspan(datagram.size());
    if (!source || (!host_.has_address(*source) && !source->is_loopback())) {
      ++counters_.sent_dropped;
      continue;
    }
    ++counters_.sent;
    host_.world_.send_datagram(host_, {*source, local_.port}, batch.remote, datagram,
                               batch.traffic_class);
  }
  return true;
}

bool SimulatedDatagramSocket::matches(const SocketAddress& address) const {
  if (local_.port != address.port) return false;
  if (local_.address == address.address) return true;
  return local_.address.is_unspecified() && (local_.address.is_v6() || address.address.is_v4());
}

void SimulatedDatagramSocket::push(const SocketAddress& remote, const IpAddress& local, Bytes bytes,
                                   std::uint8_t traffic_class) {
  if (bytes.empty()) return;
  if (inbox_bytes_.size() + bytes.size() > inbox_bytes_max) {
    ++counters_.received_dropped;
    return;
  }
  ++counters_.received;
  if (local_.address.is_unspecified()) local_of_[remote] = local;
  inbox_.push_back({.remote = remote, .traffic_class = traffic_class, .size = bytes.size()});
  inbox_bytes_.insert(inbox_bytes_.end(), bytes.begin(), bytes.end());
  readable_.notify_all();
}

}  // namespace sidestream
