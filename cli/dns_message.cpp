#include "cli/dns_message.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace sidestream::cli {
namespace {

// RFC 1035 section 4.1
constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t type_opt = 41;
constexpr std::uint16_t udp_bytes = 1232;
constexpr unsigned flag_response = 0x80;
constexpr unsigned flag_truncated = 0x02;
constexpr unsigned flag_recursion = 0x01;
constexpr unsigned code_mask = 0x0f;
constexpr unsigned pointer_mask = 0xc0;
constexpr unsigned caa_critical = 0x80;
constexpr std::size_t records_max = 200;

void add_u16(std::vector<std::uint8_t>& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8U));
  to.push_back(static_cast<std::uint8_t>(value & 0xffU));
}

std::vector<std::uint8_t> question(const ServerName& name, DnsType type) {
  std::vector<std::uint8_t> bytes;
  std::string_view rest = name.text();
  while (!rest.empty()) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    bytes.insert(bytes.end(), label.begin(), label.end());
    rest.remove_prefix(std::min(label.size() + 1, rest.size()));
  }
  bytes.push_back(0);
  add_u16(bytes, static_cast<unsigned>(type));
  add_u16(bytes, class_in);
  return bytes;
}

// Names of records are not needed: the server has followed aliases.
void skip_name(ByteReader& reader) {
  for (;;) {
    const unsigned length = reader.u8();
    if (reader.failed() || length == 0) return;
    if ((length & pointer_mask) == pointer_mask) return reader.skip(1);
    if ((length & pointer_mask) != 0) return reader.fail();
    reader.skip(length);
  }
}

void read_record(Bytes bytes, unsigned type, DnsAnswer& answer) {
  ByteReader reader(bytes);
  if (type == static_cast<unsigned>(DnsType::a) && bytes.size() == 4) {
    std::array<std::uint8_t, 4> address{};
    std::ranges::copy(bytes, address.begin());
    answer.addresses.push_back(IpAddress::v4(address));
  } else if (type == static_cast<unsigned>(DnsType::aaaa) && bytes.size() == 16) {
    std::array<std::uint8_t, 16> address{};
    std::ranges::copy(bytes, address.begin());
    answer.addresses.push_back(IpAddress::v6(address));
  } else if (type == static_cast<unsigned>(DnsType::caa)) {
    CaaRecord record{.critical = (reader.u8() & caa_critical) != 0, .tag = "", .value = ""};
    record.tag = text_of(reader.take(reader.u8()));
    std::ranges::transform(record.tag, record.tag.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (reader.failed() || record.tag.empty()) return;
    record.value = text_of(reader.rest());
    answer.caa.push_back(std::move(record));
  }
}

}  // namespace

std::vector<std::uint8_t> serialize_dns_query(std::uint16_t id, const ServerName& name,
                                              DnsType type) {
  std::vector<std::uint8_t> bytes;
  add_u16(bytes, id);
  bytes.push_back(flag_recursion);
  bytes.push_back(0);
  for (const unsigned count : {1U, 0U, 0U, 1U}) add_u16(bytes, count);
  const auto asked = question(name, type);
  bytes.insert(bytes.end(), asked.begin(), asked.end());
  bytes.push_back(0);  // the root, of whom OPT is
  add_u16(bytes, type_opt);
  add_u16(bytes, udp_bytes);
  bytes.insert(bytes.end(), 6, 0);  // no extended code, version 0, no flags, no data
  return bytes;
}

std::expected<DnsAnswer, std::string> parse_dns_answer(Bytes message, std::uint16_t id,
                                                       const ServerName& name, DnsType type) {
  ByteReader reader(message);
  const unsigned answered = reader.u16();
  const unsigned flags = reader.u8();
  DnsAnswer answer{.code = reader.u8() & code_mask, .truncated = (flags & flag_truncated) != 0};
  const unsigned questions = reader.u16();
  const unsigned records = reader.u16();
  reader.skip(4);
  const auto asked = question(name, type);
  const Bytes repeated = reader.take(asked.size());
  const auto same = [](std::uint8_t one, std::uint8_t other) {
    return std::tolower(one) == std::tolower(other);
  };
  if (reader.failed() || answered != id || (flags & flag_response) == 0 || questions != 1 ||
      !std::ranges::equal(repeated, asked, same))
    return std::unexpected("is no answer to the question");
  for (std::size_t i = 0; i < std::min<std::size_t>(records, records_max); ++i) {
    skip_name(reader);
    const unsigned kind = reader.u16();
    const unsigned space = reader.u16();
    reader.skip(4);
    const Bytes content = reader.take(reader.u16());
    if (reader.failed()) break;
    if (space == class_in) read_record(content, kind, answer);
  }
  if (reader.failed() && !answer.truncated) return std::unexpected("is cut short");
  return answer;
}

}  // namespace sidestream::cli
