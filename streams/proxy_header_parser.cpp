#include "streams/proxy_header_parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "streams/crc32c.h"

namespace sidestream {
namespace {

// Section 2.1.
constexpr std::string_view v1_signature = "PROXY";
constexpr std::size_t v1_bytes_max = 107;
// Section 2.2.
constexpr std::uint8_t version_2 = 2;
constexpr std::size_t unix_address_bytes = 108;
constexpr std::size_t unique_id_bytes_max = 128;

enum class Family : std::uint8_t { unspecified, inet, inet6, unix_socket, count };

std::size_t address_block_bytes(Family family) {
  switch (family) {
    case Family::inet:
      return 2 * (4 + 2);
    case Family::inet6:
      return 2 * (16 + 2);
    case Family::unix_socket:
      return 2 * unix_address_bytes;
    default:
      return 0;
  }
}

IpAddress read_address(ByteReader& reader, Family family) {
  if (family == Family::inet) return IpAddress::v4(reader.u32());
  std::array<std::uint8_t, 16> bytes{};
  const Bytes field = reader.take(bytes.size());
  std::ranges::copy(field, bytes.begin());
  return IpAddress::v6(bytes);
}

// The next word of a line, which is followed by one space or the line's end.
std::string_view take_word(std::string_view& line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return word;
}

// Decimal without leading zeros (section 2.1).
std::optional<std::uint16_t> parse_port(std::string_view word) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  if (word.size() > 1 && word.front() == '0') return std::nullopt;
  return port;
}

}  // namespace

ProxyHeaderParser::Fed ProxyHeaderParser::feed(Bytes bytes) {
  std::size_t consumed = 0;
  while (verdict_ == Verdict::need_more && consumed < bytes.size()) {
    if (v2_bytes_ == 0) {
      feed_byte(bytes[consumed++]);
      continue;
    }
    const std::size_t count = std::min(bytes.size() - consumed, v2_bytes_ - seen_.size());
    const Bytes part = bytes.subspan(consumed, count);
    seen_.insert(seen_.end(), part.begin(), part.end());
    consumed += count;
    if (seen_.size() == v2_bytes_) parse_v2_header();
  }
  return {.verdict = verdict_, .consumed = consumed};
}

void ProxyHeaderParser::feed_byte(std::uint8_t byte) {
  seen_.push_back(byte);
  const std::string_view seen = text_of(seen_);
  if (seen.starts_with(v1_signature)) {
    feed_v1_byte();
  } else if (seen.starts_with(text_of(proxy_v2_signature))) {
    feed_v2_byte();
  } else if (!v1_signature.starts_with(seen) && !text_of(proxy_v2_signature).starts_with(seen)) {
    verdict_ = Verdict::not_proxy;
  }
}

void ProxyHeaderParser::feed_v1_byte() {
  const std::string_view seen = text_of(seen_);
  if (seen.size() == v1_signature.size() + 1 && seen.back() != ' ') {
    fail(Verdict::malformed, "PROXY is not followed by a space");
  } else if (seen.ends_with("\r\n")) {
    parse_v1_line(seen.substr(0, seen.size() - 2));
  } else if (seen.back() == '\n' || (seen.size() > 1 && seen[seen.size() - 2] == '\r')) {
    fail(Verdict::malformed, "a line that does not end with CR LF");
  } else if (seen.size() == v1_bytes_max) {
    fail(Verdict::too_large, "a line of more than 107 bytes");
  }
}

void ProxyHeaderParser::parse_v1_line(std::string_view line) {
  line.remove_prefix(v1_signature.size() + 1);
  const std::string_view protocol = take_word(line);
  header_.version = 1;
  if (protocol == "UNKNOWN") {  // whatever follows is ignored
    header_.transport = ProxyHeader::Transport::unspecified;
    verdict_ = Verdict::header;
    return;
  }
  if (protocol != "TCP4" && protocol != "TCP6") {
    fail(Verdict::malformed, "neither TCP4 nor TCP6 nor UNKNOWN");
    return;
  }
  const auto source = IpAddress::parse(take_word(line));
  const auto destination = IpAddress::parse(take_word(line));
  const auto source_port = parse_port(take_word(line));
  const std::string_view last_word = line;  // with everything that should not be there
  const auto destination_port = parse_port(last_word);
  if (!source || !destination || !source_port || !destination_port) {
    fail(Verdict::malformed, "a wrong address or port");
    return;
  }
  const bool v4 = protocol == "TCP4";
  const bool families_fit = source->is_v4() == v4 && destination->is_v4() == v4;
  if (!families_fit && !limits_.mixed_families_in_v1) {
    fail(Verdict::malformed, "an address of the other family");
    return;
  }
  header_.source = SocketAddress{*source, *source_port};
  header_.destination = SocketAddress{*destination, *destination_port};
  verdict_ = Verdict::header;
}

void ProxyHeaderParser::feed_v2_byte() {
  ByteReader reader(Bytes(seen_).subspan(proxy_v2_signature.size()));
  switch (seen_.size()) {
    case proxy_v2_signature.size() + 1: {
      const std::uint8_t version_command = reader.u8();
      const unsigned command = version_command & 0x0fU;
      if (version_command >> 4U != version_2 || command > 1) {
        fail(Verdict::malformed, "an unknown version or command");
        return;
      }
      header_.command = command == 0 ? ProxyHeader::Command::local : ProxyHeader::Command::proxy;
      return;
    }
    case proxy_v2_fixed_bytes: {
      reader.skip(2);
      v2_bytes_ = proxy_v2_fixed_bytes + reader.u16();
      if (v2_bytes_ > limits_.v2_bytes_max) {
        fail(Verdict::too_large, "a header of too many bytes");
      } else if (v2_bytes_ == proxy_v2_fixed_bytes) {
        parse_v2_header();
      }
      return;
    }
    default:
      return;
  }
}

void ProxyHeaderParser::parse_v2_header() {
  // Of LOCAL nothing but its length counts (section 2.2).
  if (header_.command == ProxyHeader::Command::local) {
    header_.transport = ProxyHeader::Transport::unspecified;
    verdict_ = Verdict::header;
    return;
  }
  ByteReader body(Bytes(seen_).subspan(proxy_v2_fixed_bytes));
  if (!parse_v2_addresses(body)) return;
  // Without addresses nobody knows where the TLVs begin.
  if (header_.transport != ProxyHeader::Transport::unspecified && !parse_v2_tlvs(body)) return;
  verdict_ = Verdict::header;
}

bool ProxyHeaderParser::parse_v2_addresses(ByteReader& body) {
  const std::uint8_t family_transport = seen_[proxy_v2_signature.size() + 1];
  const unsigned family_nibble = family_transport >> 4U;
  const unsigned transport_nibble = family_transport & 0x0fU;
  if (family_nibble >= static_cast<unsigned>(Family::count) || transport_nibble > 2)
    return fail(Verdict::malformed, "an unknown family or transport");
  const auto family = static_cast<Family>(family_nibble);
  header_.transport = static_cast<ProxyHeader::Transport>(transport_nibble);
  if (family == Family::unspecified || transport_nibble == 0) {
    header_.transport = ProxyHeader::Transport::unspecified;
    return true;
  }
  if (body.size() < address_block_bytes(family))
    return fail(Verdict::malformed, "a header too short for its addresses");
  if (family == Family::unix_socket) {
    body.skip(address_block_bytes(family));
    return true;
  }
  SocketAddress source;
  SocketAddress destination;
  source.address = read_address(body, family);
  destination.address = read_address(body, family);
  source.port = body.u16();
  destination.port = body.u16();
  header_.source = source;
  header_.destination = destination;
  return true;
}

bool ProxyHeaderParser::parse_v2_tlvs(ByteReader tlvs) {
  while (!tlvs.empty()) {
    const std::uint8_t type = tlvs.u8();
    const Bytes value = tlvs.take(tlvs.u16());
    if (tlvs.failed()) return fail(Verdict::malformed, "a TLV with a wrong length");
    const auto known = static_cast<ProxyTlvType>(type);
    if (known == ProxyTlvType::crc32c &&
        !crc32c_matches(static_cast<std::size_t>(value.data() - seen_.data()), value.size()))
      return fail(Verdict::malformed, "a wrong CRC32C");
    if (known == ProxyTlvType::unique_id && value.size() > unique_id_bytes_max)
      return fail(Verdict::malformed, "a unique id of more than 128 bytes");
    header_.tlvs.push_back({.type = type, .value = {value.begin(), value.end()}});
  }
  return true;
}

// Over the whole header with the checksum's own four bytes as zero (section 2.2.3).
bool ProxyHeaderParser::crc32c_matches(std::size_t offset, std::size_t bytes) const {
  constexpr std::array<std::uint8_t, 4> zeros{};
  if (bytes != zeros.size()) return false;
  const Bytes header(seen_);
  std::uint32_t crc = crc32c(header.first(offset));
  crc = crc32c(zeros, crc);
  crc = crc32c(header.subspan(offset + bytes), crc);
  return crc == ByteReader(header.subspan(offset)).u32();
}

bool ProxyHeaderParser::fail(Verdict verdict, std::string_view why) {
  verdict_ = verdict;
  why_ = why;
  header_ = {};
  return false;
}

}  // namespace sidestream
