#include "tests/support/tcp_transcript.h"

#include <charconv>
#include <map>
#include <sstream>

#include "tunnel/cubic.h"
#include "tunnel/internet_checksum.h"

namespace sidestream::tunnel {
namespace {

constexpr std::size_t mtu_v4 = 1040;
constexpr std::size_t mtu_v6 = 1280;

using Fields = std::map<std::string, std::string>;

bool has_value(const std::string& key) {
  return key != "sackok";
}

Fields fields_of(std::string_view words) {
  std::istringstream stream{std::string(words)};
  Fields fields{{"len", "0"}, {"sack", ""}};
  stream >> fields["flags"];
  std::erase(fields["flags"], 'P');
  std::string key;
  while (stream >> key) {
    fields[key];
    if (has_value(key)) stream >> fields[key];
  }
  return fields;
}

std::uint32_t number(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::pair<std::uint32_t, std::uint32_t> two_numbers(std::string_view text, char between) {
  const std::size_t at = text.find(between);
  return {number(text.substr(0, at)), number(text.substr(at + 1))};
}

std::string_view name_of(TcpError error) {
  switch (error) {
    case TcpError::none:
      return "";
    case TcpError::refused:
      return " refused";
    case TcpError::reset:
      return " reset";
    case TcpError::timed_out:
      return " timed_out";
    case TcpError::unreachable:
      return " unreachable";
    case TcpError::aborted:
      return " aborted";
    default:
      return " other";
  }
}

std::string words_of(const StackEvent& event) {
  switch (event.kind) {
    case StackEvent::Kind::accepted:
      return "accepted";
    case StackEvent::Kind::connected:
      return "connected";
    case StackEvent::Kind::readable:
      return "readable";
    case StackEvent::Kind::writable:
      return "writable";
    case StackEvent::Kind::closed:
      return "closed" + std::string(name_of(event.error));
  }
  return {};
}

}  // namespace

TcpTranscript::TcpTranscript(const TcpLimits& limits, bool v6)
    : local_(v6 ? *IpAddress::parse("fd00::1") : *IpAddress::parse("10.0.0.1")),
      remote_(v6 ? *IpAddress::parse("fd00::2") : *IpAddress::parse("10.0.0.2")),
      stack_({{local_}, v6 ? mtu_v6 : mtu_v4, limits, make_cubic}, random_) {}

// ---- time ---------------------------------------------------------------------------------------

void TcpTranscript::drain() {
  std::vector<std::uint8_t> buffer(mtu_v6);
  for (bool busy = true; busy;) {
    busy = false;
    while (const std::size_t bytes = stack_.poll_transmit(now_, buffer)) {
      busy = true;
      if (is_path_mtu_probe(Bytes(buffer).first(bytes))) continue;
      sent_.emplace_back(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(bytes));
    }
    while (const auto event = stack_.poll_event()) {
      if (event->kind == StackEvent::Kind::accepted) id_ = event->connection;
      events_.push_back(tunnel::words_of(*event));
      busy = true;
    }
  }
}

void TcpTranscript::advance(Duration by) {
  const Instant end = now_ + by;
  while (const auto deadline = stack_.next_deadline()) {
    if (*deadline > end) break;
    now_ = std::max(now_, *deadline);
    stack_.handle_timeout(now_);
    drain();
  }
  now_ = end;
}

// ---- the peer -----------------------------------------------------------------------------------

void TcpTranscript::push(std::string_view words, Where where) {
  Fields fields = fields_of(words);
  TcpSegment segment;
  for (const char flag : fields["flags"]) {
    segment.syn |= flag == 'S';
    segment.fin |= flag == 'F';
    segment.rst |= flag == 'R';
    segment.ack |= flag == 'A';
  }
  segment.source_port = peer_port_;
  segment.destination_port = stack_port_;
  segment.sequence = remote_initial_ + number(fields["seq"]);
  if (segment.ack) segment.acknowledgment = local_initial() + number(fields["ack"]);
  segment.window = 60000;
  if (fields.contains("win")) segment.window = static_cast<std::uint16_t>(number(fields["win"]));
  if (fields.contains("mss"))
    segment.options.mss = static_cast<std::uint16_t>(number(fields["mss"]));
  if (fields.contains("ws"))
    segment.options.window_scale = static_cast<std::uint8_t>(number(fields["ws"]));
  segment.options.sack_permitted = fields.contains("sackok");
  if (fields.contains("ts")) {
    const auto [value, echo] = two_numbers(fields["ts"], ':');
    segment.options.timestamps = TcpTimestamps{value, echo + local_clock_.value_or(0)};
  }
  std::istringstream blocks(fields["sack"]);
  for (std::string block; std::getline(blocks, block, ',');) {
    const auto [begin, end] = two_numbers(block, '-');
    segment.options.add_sack({local_initial() + begin, local_initial() + end});
  }
  const std::size_t length = number(fields["len"]);
  const std::size_t headers =
      ip_header_bytes(remote_) + tcp_header_bytes + tcp_options_bytes(segment.options);
  std::vector<std::uint8_t> packet(headers + length);
  for (std::size_t i = 0; i < length; ++i)
    packet[headers + i] = byte_at(number(fields["seq"]) + segment.syn - 1 + i);
  if (write_tcp_packet(packet, remote_, local_, segment, length) != packet.size())
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line())) << words;
  push_packet(packet);
}

void TcpTranscript::push_packet(Bytes packet) {
  stack_.handle_packet(now_, packet);
  drain();
}

std::string TcpTranscript::words_of(Bytes packet) {
  const auto ip = parse_ip_packet(packet);
  if (!ip || ip->source != local_ || ip->destination != remote_) return "not an IP packet of ours";
  const auto segment = parse_tcp_segment(ip->payload, ip->source, ip->destination);
  if (!segment) return "not a TCP segment";
  if (segment->syn) {
    local_initial_ = segment->sequence;
    stack_port_ = segment->source_port;
    if (segment->options.timestamps && !local_clock_)
      local_clock_ = segment->options.timestamps->value;
  }
  std::ostringstream words;
  words << (segment->syn ? "S" : "") << (segment->fin ? "F" : "") << (segment->rst ? "R" : "")
        << (segment->ack ? "A" : "");
  if (words.view().empty()) words << '-';
  const std::uint32_t seq = segment->sequence - local_initial();
  words << " seq " << seq;
  if (segment->ack) words << " ack " << segment->acknowledgment - remote_initial_;
  words << " len " << segment->payload.size() << " win " << segment->window;
  const TcpOptions& options = segment->options;
  if (options.mss) words << " mss " << *options.mss;
  if (options.window_scale) words << " ws " << unsigned{*options.window_scale};
  if (options.sack_permitted) words << " sackok";
  if (options.timestamps)
    words << " ts " << options.timestamps->value - local_clock_.value_or(0) << ':'
          << options.timestamps->echo;
  for (std::size_t i = 0; i < options.sack().size(); ++i)
    words << (i == 0 ? " sack " : ",") << options.sack()[i].begin - remote_initial_ << '-'
          << options.sack()[i].end - remote_initial_;
  for (std::size_t i = 0; i < segment->payload.size(); ++i)
    if (segment->payload[i] != byte_at(seq + segment->syn - 1 + i))
      return words.str() + " with wrong bytes";
  return words.str();
}

std::optional<std::vector<std::uint8_t>> TcpTranscript::next_packet() {
  if (sent_.empty()) return std::nullopt;
  auto packet = std::move(sent_.front());
  sent_.pop_front();
  return packet;
}

std::string TcpTranscript::next_segment() {
  const auto packet = next_packet();
  return packet ? words_of(*packet) : std::string();
}

void TcpTranscript::expect(std::string_view words, Where where) {
  const std::string seen = next_segment();
  Fields actual = fields_of(seen);
  bool good = !seen.empty() && seen.find("wrong") == std::string::npos;
  for (const auto& [key, value] : fields_of(words))
    good &= actual.contains(key) && actual[key] == value;
  if (!good)
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "expected: " << words << "\n     got: " << (seen.empty() ? "silence" : seen)
        << "\n      at "
        << std::chrono::duration_cast<std::chrono::milliseconds>(since_start()).count() << " ms";
}

void TcpTranscript::expect_silence(Where where) {
  if (const std::string seen = next_segment(); !seen.empty())
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "expected silence\n     got: " << seen;
}

void TcpTranscript::change_remote_port(std::uint16_t port) {
  peer_port_ = port;
  local_initial_.reset();
  written_ = read_ = 0;
}

void TcpTranscript::push_icmp(std::uint8_t type, std::uint8_t code, std::uint32_t field,
                              std::uint32_t seq) {
  const bool v4 = local_.is_v4();
  const IpProtocol protocol = v4 ? IpProtocol::icmp_v4 : IpProtocol::icmp_v6;
  const std::size_t headers = ip_header_bytes(local_);
  std::vector<std::uint8_t> packet(headers + 8 + headers + 8);
  const MutableBytes icmp = MutableBytes(packet).subspan(headers);
  write_ip_header(packet, remote_, local_, protocol, icmp.size());
  ByteWriter writer(icmp);
  writer.u8(type);
  writer.u8(code);
  writer.u16(0);
  writer.u32(field);
  write_ip_header(writer.reserve(headers), local_, remote_, IpProtocol::tcp, 1000);
  writer.u16(stack_port_);
  writer.u16(peer_port_);
  writer.u32(local_initial() + seq);
  InternetChecksum sum;
  if (!v4) sum = pseudo_header_checksum(remote_, local_, protocol, icmp.size());
  sum.add(icmp).store(icmp.subspan(2, 2));
  push_packet(packet);
}

void TcpTranscript::push_icmp_too_big(std::size_t mtu, std::uint32_t seq) {
  const bool v4 = local_.is_v4();
  push_icmp(v4 ? 3 : 2, v4 ? 4 : 0, static_cast<std::uint32_t>(mtu), seq);
}

void TcpTranscript::push_icmp_unreachable(std::uint32_t seq) {
  push_icmp(local_.is_v4() ? 3 : 1, local_.is_v4() ? 1 : 0, 0, seq);
}

// ---- the user -----------------------------------------------------------------------------------

void TcpTranscript::listen() {
  EXPECT_TRUE(stack_.listen(local_port).has_value());
}

void TcpTranscript::connect(Where where) {
  connect_saying(0, where);
}

std::size_t TcpTranscript::connect_saying(std::size_t bytes, Where where) {
  const auto id = stack_.connect(now_, {remote_, peer_port_});
  if (!id) ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line())) << "cannot connect";
  id_ = id.value_or(ConnectionId{});
  const std::size_t taken = put(bytes);
  drain();
  return taken;
}

std::size_t TcpTranscript::write(std::size_t bytes) {
  const std::size_t taken = put(bytes);
  drain();
  return taken;
}

std::size_t TcpTranscript::put(std::size_t bytes) {
  std::vector<std::uint8_t> text(bytes);
  for (std::size_t i = 0; i < bytes; ++i) text[i] = byte_at(written_ + i);
  const std::size_t taken = stack_.write(now_, id_, text);
  written_ += taken;
  return taken;
}

std::size_t TcpTranscript::read(std::size_t bytes, Where where) {
  std::vector<std::uint8_t> text(bytes);
  const auto result = stack_.read(now_, id_, text);
  for (std::size_t i = 0; i < result.bytes; ++i) {
    if (text[i] == byte_at(read_ + i)) continue;
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "wrong byte at " << read_ + i;
    break;
  }
  read_ += result.bytes;
  drain();
  return result.bytes;
}

bool TcpTranscript::at_end() {
  return stack_.read(now_, id_, {}).end;
}

TcpError TcpTranscript::read_error() {
  return stack_.read(now_, id_, {}).error;
}

void TcpTranscript::expect_event(std::string_view words, Where where) {
  const std::string seen = events_.empty() ? "none" : events_.front();
  if (!events_.empty()) events_.pop_front();
  if (seen != words)
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "expected event: " << words << "\n           got: " << seen;
}

void TcpTranscript::expect_no_event(Where where) {
  if (!events_.empty())
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "expected no event\n     got: " << events_.front();
}

// ---- beginnings ---------------------------------------------------------------------------------

void TcpTranscript::accept(std::string_view options, Where where) {
  const bool timestamps = options.find("ts") != std::string_view::npos;
  listen();
  push("S seq 0 win 60000 " + std::string(options), where);
  expect("SA seq 0 ack 1", where);
  advance(10ms);
  push(timestamps ? "A seq 1 ack 1 ts 10:0" : "A seq 1 ack 1", where);
  expect_event("accepted", where);
  expect_silence(where);
}

}  // namespace sidestream::tunnel
