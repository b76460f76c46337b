#include "tunnel/allowed_ips.h"

#include <algorithm>
#include <bit>

namespace sidestream::tunnel {
namespace {

// An address as 128 bits, left-aligned, so that both families share the code.
struct Key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  static Key of(const IpAddress& address) {
    ByteReader reader(address.bytes());
    if (address.is_v4()) return {std::uint64_t{reader.u32()} << 32U, 0};
    const std::uint64_t first = reader.u64();
    return {first, reader.u64()};
  }
  [[nodiscard]] unsigned bit(unsigned at) const {
    return at < 64 ? static_cast<unsigned>(high >> (63U - at)) & 1U
                   : static_cast<unsigned>(low >> (127U - at)) & 1U;
  }
  // How many leading bits are the same.
  [[nodiscard]] unsigned equal_bits(const Key& other) const {
    if (high != other.high) return static_cast<unsigned>(std::countl_zero(high ^ other.high));
    return 64U + static_cast<unsigned>(std::countl_zero(low ^ other.low));
  }
};

}  // namespace

// A node without owner is a fork and has two children.
struct AllowedIps::Node {
  IpPrefix prefix;
  Key key;
  std::optional<PeerId> owner;
  std::array<Link, 2> children;

  explicit Node(const IpPrefix& of) : prefix(of), key(Key::of(of.address())) {}
  [[nodiscard]] bool contains(const Key& other, unsigned bits) const {
    return bits >= prefix.length() && key.equal_bits(other) >= prefix.length();
  }
  Link& child_towards(const Key& other) { return children[other.bit(prefix.length())]; }

  // Replaces a node that is of no use any more by what is below it.
  static void collapse(Link& link) {
    auto& [left, right] = link->children;
    if (link->owner || (left && right)) return;
    Link below = std::move(left ? left : right);
    link = std::move(below);
  }
};

AllowedIps::AllowedIps() = default;
AllowedIps::~AllowedIps() = default;

void AllowedIps::insert(const IpPrefix& prefix, PeerId peer) {
  auto added = std::make_unique<Node>(prefix);
  added->owner = peer;
  Link* link = prefix.address().is_v6() ? &v6_ : &v4_;
  while (*link && (*link)->prefix != prefix && (*link)->contains(added->key, prefix.length()))
    link = &(*link)->child_towards(added->key);
  if (*link && (*link)->prefix == prefix) {
    if (!(*link)->owner) ++size_;
    (*link)->owner = peer;
    return;
  }
  ++size_;
  if (!*link) {
    *link = std::move(added);
    return;
  }
  Link below = std::move(*link);
  const unsigned equal = std::min(below->key.equal_bits(added->key), prefix.length());
  if (equal == prefix.length()) {
    added->child_towards(below->key) = std::move(below);
    *link = std::move(added);
    return;
  }
  auto fork = std::make_unique<Node>(IpPrefix(prefix.address(), equal));
  fork->child_towards(below->key) = std::move(below);
  fork->child_towards(added->key) = std::move(added);
  *link = std::move(fork);
}

void AllowedIps::remove(const IpPrefix& prefix, PeerId peer) {
  const Key key = Key::of(prefix.address());
  Link* parent = nullptr;
  Link* link = prefix.address().is_v6() ? &v6_ : &v4_;
  while (*link && (*link)->prefix != prefix) {
    if (!(*link)->contains(key, prefix.length())) return;
    parent = link;
    link = &(*link)->child_towards(key);
  }
  if (!*link || (*link)->owner != peer) return;
  (*link)->owner.reset();
  --size_;
  Node::collapse(*link);
  if (parent != nullptr && *parent) Node::collapse(*parent);
}

void AllowedIps::remove_peer(PeerId peer) {
  remove_peer_below(v4_, peer);
  remove_peer_below(v6_, peer);
}

void AllowedIps::remove_peer_below(Link& link, PeerId peer) {
  if (!link) return;
  for (Link& child : link->children) remove_peer_below(child, peer);
  if (link->owner == peer) {
    link->owner.reset();
    --size_;
  }
  Node::collapse(link);
}

void AllowedIps::clear() {
  v4_.reset();
  v6_.reset();
  size_ = 0;
}

std::optional<PeerId> AllowedIps::find(const IpAddress& address) const {
  const Key key = Key::of(address);
  std::optional<PeerId> best;
  const Node* node = address.is_v6() ? v6_.get() : v4_.get();
  while (node != nullptr && node->contains(key, address.bits())) {
    if (node->owner) best = node->owner;
    if (node->prefix.length() == address.bits()) break;
    node = node->children[key.bit(node->prefix.length())].get();
  }
  return best;
}

std::vector<IpPrefix> AllowedIps::prefixes_of(PeerId peer) const {
  std::vector<IpPrefix> prefixes;
  std::vector<const Node*> rest{v4_.get(), v6_.get()};
  while (!rest.empty()) {
    const Node* node = rest.back();
    rest.pop_back();
    if (node == nullptr) continue;
    if (node->owner == peer) prefixes.push_back(node->prefix);
    for (const Link& child : node->children) rest.push_back(child.get());
  }
  std::ranges::sort(prefixes);
  return prefixes;
}

}  // namespace sidestream::tunnel
