#include "tunnel/interface_filter_io.h"

// Before the kernel's own headers, which then leave out what both define.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>

#include <array>
#include <functional>
#include <vector>

#include "tunnel/netlink_socket_io.h"

namespace sidestream::tunnel {
namespace {

constexpr std::string_view port_set = "ports";
constexpr std::uint32_t port_set_id = 1;
// What nft(8) calls inet_service.
constexpr std::uint32_t port_key_type = 13;
constexpr std::size_t tcp_flags_offset = 13;

std::uint16_t type_of(int message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

nfgenmsg family(std::uint8_t family, std::uint16_t resource = 0) {
  return {.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
}

// A transaction: all of it or nothing.
class Batch {
 public:
  Batch() { messages_.emplace_back(begin_type, 0, family(AF_UNSPEC, NFNL_SUBSYS_NFTABLES)); }
  NetlinkMessage& add(int message, std::uint16_t flags = NLM_F_CREATE) {
    return messages_.emplace_back(type_of(message), static_cast<std::uint16_t>(flags | NLM_F_ACK),
                                  family(NFPROTO_INET));
  }
  void commit() {
    messages_.emplace_back(end_type, 0, family(AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    NetlinkSocket(NETLINK_NETFILTER).request(messages_);
  }

 private:
  static constexpr std::uint16_t begin_type = NFNL_MSG_BATCH_BEGIN;
  static constexpr std::uint16_t end_type = NFNL_MSG_BATCH_END;
  std::vector<NetlinkMessage> messages_;
};

// The expressions of one rule, as `nft --debug=netlink` shows them.
class Rule {
 public:
  explicit Rule(NetlinkMessage& message) : message_(message) {}

  Rule& load_meta(std::uint32_t key) {
    expression("meta", [&] {
      message_.put_u32_be(NFTA_META_DREG, NFT_REG_1);
      message_.put_u32_be(NFTA_META_KEY, key);
    });
    return *this;
  }
  Rule& load_transport(std::size_t offset, std::size_t size) {
    expression("payload", [&] {
      message_.put_u32_be(NFTA_PAYLOAD_DREG, NFT_REG_1);
      message_.put_u32_be(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
      message_.put_u32_be(NFTA_PAYLOAD_OFFSET, static_cast<std::uint32_t>(offset));
      message_.put_u32_be(NFTA_PAYLOAD_LEN, static_cast<std::uint32_t>(size));
    });
    return *this;
  }
  Rule& mask(std::uint8_t mask) {
    constexpr std::uint8_t none = 0;
    expression("bitwise", [&] {
      message_.put_u32_be(NFTA_BITWISE_SREG, NFT_REG_1);
      message_.put_u32_be(NFTA_BITWISE_DREG, NFT_REG_1);
      message_.put_u32_be(NFTA_BITWISE_LEN, sizeof mask);
      value(NFTA_BITWISE_MASK, {&mask, 1});
      value(NFTA_BITWISE_XOR, {&none, 1});
    });
    return *this;
  }
  Rule& compare(std::uint32_t operation, Bytes with) {
    expression("cmp", [&] {
      message_.put_u32_be(NFTA_CMP_SREG, NFT_REG_1);
      message_.put_u32_be(NFTA_CMP_OP, operation);
      value(NFTA_CMP_DATA, with);
    });
    return *this;
  }
  Rule& look_up_port() {
    expression("lookup", [&] {
      message_.put_text(NFTA_LOOKUP_SET, port_set);
      message_.put_u32_be(NFTA_LOOKUP_SREG, NFT_REG_1);
      message_.put_u32_be(NFTA_LOOKUP_SET_ID, port_set_id);
    });
    return *this;
  }
  void verdict(std::uint32_t code) {
    expression("immediate", [&] {
      message_.put_u32_be(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      message_.put_nested(NFTA_IMMEDIATE_DATA, [&] {
        message_.put_nested(NFTA_DATA_VERDICT,
                            [&] { message_.put_u32_be(NFTA_VERDICT_CODE, code); });
      });
    });
  }

 private:
  void value(std::uint16_t type, Bytes bytes) {
    message_.put_nested(type, [&] { message_.put(NFTA_DATA_VALUE, bytes); });
  }
  template <typename Fill>
  void expression(std::string_view name, Fill fill) {
    message_.put_nested(NFTA_LIST_ELEM, [&] {
      message_.put_text(NFTA_EXPR_NAME, name);
      message_.put_nested(NFTA_EXPR_DATA, fill);
    });
  }

  NetlinkMessage& message_;
};

void add_chain(Batch& batch, const std::string& table, std::string_view name, std::uint32_t hook) {
  NetlinkMessage& chain = batch.add(NFT_MSG_NEWCHAIN);
  chain.put_text(NFTA_CHAIN_TABLE, table);
  chain.put_text(NFTA_CHAIN_NAME, name);
  chain.put_nested(NFTA_CHAIN_HOOK, [&] {
    chain.put_u32_be(NFTA_HOOK_HOOKNUM, hook);
    chain.put_u32_be(NFTA_HOOK_PRIORITY, 0);
  });
  chain.put_text(NFTA_CHAIN_TYPE, "filter");
}

void add_rule(Batch& batch, const std::string& table, std::string_view chain,
              const std::function<void(Rule&)>& fill) {
  NetlinkMessage& message = batch.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
  message.put_text(NFTA_RULE_TABLE, table);
  message.put_text(NFTA_RULE_CHAIN, chain);
  message.put_nested(NFTA_RULE_EXPRESSIONS, [&] {
    Rule rule(message);
    fill(rule);
  });
}

void add_port_set(Batch& batch, const std::string& table) {
  NetlinkMessage& set = batch.add(NFT_MSG_NEWSET);
  set.put_text(NFTA_SET_TABLE, table);
  set.put_text(NFTA_SET_NAME, port_set);
  set.put_u32_be(NFTA_SET_FLAGS, 0);
  set.put_u32_be(NFTA_SET_KEY_TYPE, port_key_type);
  set.put_u32_be(NFTA_SET_KEY_LEN, sizeof(in_port_t));
  set.put_u32_be(NFTA_SET_ID, port_set_id);
}

// What comes in for this host.
void add_input_rules(Batch& batch, const std::string& table, Bytes interface) {
  constexpr std::array<std::uint8_t, 1> tcp{IPPROTO_TCP};
  constexpr std::array<std::uint8_t, 1> icmp{IPPROTO_ICMP};
  constexpr std::array<std::uint8_t, 1> icmp6{IPPROTO_ICMPV6};
  constexpr std::array<std::uint8_t, 1> opening{TH_SYN};
  const auto rule = [&](const std::function<void(Rule&)>& fill) {
    add_rule(batch, table, "input", fill);
  };
  rule([&](Rule& other) {
    other.load_meta(NFT_META_IIFNAME).compare(NFT_CMP_NEQ, interface).verdict(NF_ACCEPT);
  });
  // Path MTU discovery needs it.
  for (const Bytes protocol : {Bytes(icmp), Bytes(icmp6)})
    rule([&](Rule& control) {
      control.load_meta(NFT_META_L4PROTO).compare(NFT_CMP_EQ, protocol).verdict(NF_ACCEPT);
    });
  rule([&](Rule& no_tcp) {
    no_tcp.load_meta(NFT_META_L4PROTO).compare(NFT_CMP_NEQ, tcp).verdict(NF_DROP);
  });
  // What opens no connection belongs to one, or is answered with a reset.
  rule([&](Rule& open_already) {
    open_already.load_transport(tcp_flags_offset, 1)
        .mask(TH_SYN | TH_ACK | TH_RST)
        .compare(NFT_CMP_NEQ, opening)
        .verdict(NF_ACCEPT);
  });
  rule([&](Rule& listened_on) {
    listened_on.load_transport(offsetof(tcphdr, th_dport), sizeof(in_port_t))
        .look_up_port()
        .verdict(NF_ACCEPT);
  });
  rule([&](Rule& rest) { rest.verdict(NF_DROP); });
}

void name_table(NetlinkMessage& message, const std::string& table) {
  message.put_text(NFTA_TABLE_NAME, table);
}

// Also when there is none, so that there is none afterwards.
void remove_table(Batch& batch, const std::string& table) {
  name_table(batch.add(NFT_MSG_NEWTABLE), table);
  name_table(batch.add(NFT_MSG_DELTABLE, 0), table);
}

void change_port(const std::string& table, std::uint16_t port, int message, std::uint16_t flags) {
  Batch batch;
  NetlinkMessage& elements = batch.add(message, flags);
  const std::array<std::uint8_t, 2> key{static_cast<std::uint8_t>(port >> 8U),
                                        static_cast<std::uint8_t>(port)};
  elements.put_text(NFTA_SET_ELEM_LIST_TABLE, table);
  elements.put_text(NFTA_SET_ELEM_LIST_SET, port_set);
  elements.put_nested(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
    elements.put_nested(NFTA_LIST_ELEM, [&] {
      elements.put_nested(NFTA_SET_ELEM_KEY, [&] { elements.put(NFTA_DATA_VALUE, key); });
    });
  });
  batch.commit();
}

}  // namespace

InterfaceFilter::InterfaceFilter(const std::string& interface) : table_(interface) {
  std::array<std::uint8_t, IFNAMSIZ> name{};
  std::memcpy(name.data(), interface.data(), std::min(interface.size(), name.size() - 1));
  Batch batch;
  remove_table(batch, table_);
  name_table(batch.add(NFT_MSG_NEWTABLE), table_);
  add_port_set(batch, table_);
  add_chain(batch, table_, "input", NF_INET_LOCAL_IN);
  add_input_rules(batch, table_, name);
  add_chain(batch, table_, "forward", NF_INET_FORWARD);
  // Nothing goes through this host, neither from one peer to another nor to or from anybody else.
  for (const std::uint32_t direction : {NFT_META_IIFNAME, NFT_META_OIFNAME})
    add_rule(batch, table_, "forward", [&](Rule& rule) {
      rule.load_meta(direction).compare(NFT_CMP_EQ, name).verdict(NF_DROP);
    });
  batch.commit();
}

InterfaceFilter::~InterfaceFilter() {
  try {
    Batch batch;
    remove_table(batch, table_);
    batch.commit();
  } catch (const system_error&) {
    // The next process that wants this name removes it.
  }
}

void InterfaceFilter::open_port(std::uint16_t port) {
  change_port(table_, port, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
}

void InterfaceFilter::close_port(std::uint16_t port) noexcept {
  try {
    change_port(table_, port, NFT_MSG_DELSETELEM, 0);
  } catch (const system_error&) {
    // Nobody listens there any more.
  }
}

}  // namespace sidestream::tunnel
