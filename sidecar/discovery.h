// What is known of an engine's containers, and what has to be asked to know it. Answers are states,
// events only say whose state to ask for again, so that a lost one costs nothing but time.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/label_services.h"

namespace sidestream::sidecar {

class Discovery {
 public:
  // `own_container` is the ID of the sidecar's own container, or its beginning, or its name; empty:
  // it runs in none, or `in_container` without knowing in which.
  Discovery(std::string own_container, bool in_container)
      : own_name_(std::move(own_container)), in_container_(in_container) {}

  // ---- answers: an error is one sentence, and nothing has changed then
  // --------------------------- To GET /containers/json. Each container that matters has to be
  // asked for.
  std::expected<void, std::string> handle_list(std::string_view body);
  // To GET /containers/ID/json, asked for by poll_question().
  std::expected<void, std::string> handle_container(const std::string& id, std::string_view body);
  // There is no such container.
  void handle_gone(const std::string& id);

  // A line of the events. What it is about has to be asked for again; true when that is the list.
  std::expected<bool, std::string> handle_event(std::string_view line);

  // The ID or name of a container to ask for.
  [[nodiscard]] std::optional<std::string> poll_question();
  [[nodiscard]] bool has_questions() const { return !questions_.empty(); }

  // ---- what has come of it
  // -----------------------------------------------------------------------
  [[nodiscard]] LabelServices services(const std::vector<ServiceConfiguration>& of_file) const;
  // Running containers with labels of ours.
  [[nodiscard]] std::size_t labelled() const;

 private:
  [[nodiscard]] const Container* find(const std::string& id) const;
  void ask(const std::string& id);
  void ask_for_owner(const Container& container);
  void forget_strangers();

  std::string own_name_;
  bool in_container_;
  std::string own_id_;                           // empty: not known yet
  std::map<std::string, Container> containers_;  // that matter, by ID
  std::set<std::string> questions_;
};

}  // namespace sidestream::sidecar
