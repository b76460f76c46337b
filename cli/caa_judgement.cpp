#include "cli/caa_judgement.h"

#include <algorithm>
#include <map>
#include <optional>

#include "streams/message_text.h"

namespace sidestream::cli {
namespace {

constexpr std::size_t shown_bytes_max = 200;

// The value of `issue` (RFC 8659 section 4.2).
struct Issue {
  std::string issuer;  // empty: nobody
  std::map<std::string, std::string> parameters;

  [[nodiscard]] std::string parameter(const std::string& tag) const {
    const auto found = parameters.find(tag);
    return found == parameters.end() ? "" : found->second;
  }
};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Issue parse_issue(std::string_view value) {
  Issue issue;
  for (const std::string& part : split(value, ';')) {
    const std::size_t equals = part.find('=');
    if (equals != std::string::npos)
      issue.parameters[lower(trimmed(part.substr(0, equals)))] = trimmed(part.substr(equals + 1));
    else if (issue.issuer.empty())
      issue.issuer = lower(part);
  }
  return issue;
}

bool is_ours(const Issue& issue, const CaaWish& wish) {
  if (issue.issuer.empty()) return false;
  return wish.issuers.empty() ||
         std::ranges::find(wish.issuers, issue.issuer) != wish.issuers.end();
}

bool allows_method(const Issue& issue, const CaaWish& wish) {
  const std::string methods = issue.parameter("validationmethods");
  if (methods.empty()) return true;
  const auto all = split(methods, ',');
  return std::ranges::find(all, wish.method) != all.end();
}

// Whether only one account can use it.
bool is_bound(const Issue& issue) {
  return issue.issuer.empty() || !issue.parameter("accounturi").empty();
}

std::string why_not_ours(const std::vector<Issue>& ours, const CaaWish& wish) {
  if (ours.empty())
    return "has a CAA record that allows no certificates of this authority" +
           (wish.issuers.empty() ? "" : " (" + wish.issuers.front() + ")");
  if (std::ranges::none_of(ours, [&](const Issue& one) { return allows_method(one, wish); }))
    return "has a CAA record whose validationmethods leave out " + wish.method;
  return "has a CAA record for another account: " +
         printable(ours.front().parameter("accounturi"), shown_bytes_max);
}

}  // namespace

CaaJudgement judge_caa(std::span<const CaaRecord> records, const CaaWish& wish) {
  using Kind = CaaJudgement::Kind;
  std::vector<Issue> all;
  std::vector<Issue> ours;
  for (const CaaRecord& record : records) {
    const bool known = record.tag == "issue" || record.tag == "issuewild" || record.tag == "iodef";
    if (record.critical && !known)
      return {Kind::forbidden,
              "has a critical CAA record of a kind that authorities may not know: " +
                  printable(record.tag, shown_bytes_max)};
    if (record.tag != "issue") continue;
    all.push_back(parse_issue(record.value));
    if (is_ours(all.back(), wish)) ours.push_back(all.back());
  }
  if (all.empty())
    return {Kind::open,
            "has no CAA record, so whoever holds the edge could get certificates for it"};
  const bool usable = std::ranges::any_of(ours, [&](const Issue& one) {
    const std::string account = one.parameter("accounturi");
    return allows_method(one, wish) &&
           (account.empty() || wish.account.empty() || account == wish.account);
  });
  if (!usable) return {Kind::forbidden, why_not_ours(ours, wish)};
  const auto loose = std::ranges::find_if_not(all, is_bound);
  if (loose != all.end())
    return {Kind::open, "has a CAA record that allows every account of " +
                            printable(loose->issuer, shown_bytes_max) +
                            ", so whoever holds the edge could get certificates for it"};
  if (wish.account.empty())
    return {Kind::open, "has a CAA record for one account; ours is not known yet"};
  return {Kind::closed, "has a CAA record that allows certificates for our account only"};
}

std::string caa_line(const CaaWish& wish) {
  const std::string issuer = wish.issuers.empty() ? "AUTHORITY" : wish.issuers.front();
  return wish.name + ". CAA 0 issue \"" + issuer + ";validationmethods=" + wish.method +
         ";accounturi=" + wish.account + "\"";
}

}  // namespace sidestream::cli
