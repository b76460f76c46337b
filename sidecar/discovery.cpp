#include "sidecar/discovery.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace sidestream::sidecar {

const Container* Discovery::find(const std::string& id) const {
  const auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : &found->second;
}

void Discovery::ask(const std::string& id) {
  if (is_engine_name(id) && questions_.size() < ContainerLimits::containers_max)
    questions_.insert(id);
}

// Whoever has another container's network is where that one is.
void Discovery::ask_for_owner(const Container& container) {
  const auto owner = container.network_owner();
  if (owner && find(*owner) == nullptr) ask(*owner);
}

std::expected<void, std::string> Discovery::handle_list(std::string_view body) {
  const auto list = parse_container_list(body);
  if (!list) return std::unexpected(list.error());
  const auto labelled = std::ranges::count_if(*list, &ListedContainer::has_labels);
  if (static_cast<std::size_t>(labelled) > ContainerLimits::labelled_max)
    return std::unexpected("it has " + std::to_string(labelled) + " containers with labels; " +
                           std::to_string(ContainerLimits::labelled_max) + " are allowed");
  std::set<std::string> running;
  for (const ListedContainer& one : *list) {
    running.insert(one.id);
    if (one.has_labels || containers_.contains(one.id)) ask(one.id);
  }
  std::erase_if(containers_, [&](const auto& known) { return !running.contains(known.first); });
  if (!own_name_.empty()) ask(own_name_);
  return {};
}

std::expected<void, std::string> Discovery::handle_container(const std::string& id,
                                                             std::string_view body) {
  auto container = parse_container(body);
  if (!container) return std::unexpected(container.error());
  if (id == own_name_) own_id_ = container->id;
  ask_for_owner(*container);
  containers_.insert_or_assign(container->id, std::move(*container));
  if (questions_.empty()) forget_strangers();
  return {};
}

void Discovery::handle_gone(const std::string& id) {
  if (id == own_name_) own_id_.clear();
  containers_.erase(id);
  if (questions_.empty()) forget_strangers();
}

// What has no labels and is nobody's network.
void Discovery::forget_strangers() {
  std::set<std::string> wanted{own_id_};
  for (const Container& container : containers_ | std::views::values) {
    if (!container.labels.empty()) wanted.insert(container.id);
    if (const auto owner = container.network_owner()) wanted.insert(*owner);
  }
  std::erase_if(containers_, [&](const auto& known) { return !wanted.contains(known.first); });
}

std::expected<bool, std::string> Discovery::handle_event(std::string_view line) {
  const auto event = parse_engine_event(line);
  if (!event) return std::unexpected(event.error());
  if (!*event) return false;
  if ((*event)->container.empty()) return true;
  ask((*event)->container);
  return false;
}

std::optional<std::string> Discovery::poll_question() {
  if (questions_.empty()) return std::nullopt;
  return std::move(questions_.extract(questions_.begin()).value());
}

LabelServices Discovery::services(const std::vector<ServiceConfiguration>& of_file) const {
  std::vector<const Container*> labelled;
  for (const Container& container : containers_ | std::views::values)
    if (!container.labels.empty()) labelled.push_back(&container);
  const OwnPlace own{.container = find(own_id_), .on_host = !in_container_};
  return read_label_services(
      std::move(labelled), own, [this](const std::string& id) { return find(id); }, of_file);
}

std::size_t Discovery::labelled() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      containers_ | std::views::values,
      [](const Container& one) { return one.running && !one.labels.empty(); }));
}

}  // namespace sidestream::sidecar
