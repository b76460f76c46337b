// TLS towards the backends of one service: whom it trusts, read anew when the file changes.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sidecar/backend_io.h"
#include "sidecar/sidecar_configuration.h"
#include "streams/tls_client.h"

namespace sidestream::sidecar {

class BackendTls {
 public:
  using ReadFile = std::function<std::expected<std::string, std::string>(const std::string& path)>;
  // `settings` outlives it.
  BackendTls(const BackendTlsSettings& settings, ReadFile read_file);

  // Reads the authorities; what cannot be used leaves the old ones, if there were any.
  void look();
  // For one connection, which must not outlive it. Without authorities it can dial nothing, and
  // its problem says why.
  [[nodiscard]] BackendOpening opening() const;

 private:
  std::expected<void, std::string> read();

  const BackendTlsSettings& settings_;
  ReadFile read_file_;
  std::string authorities_;  // as they were read
  std::optional<TlsClient> client_;
  std::string problem_;
};

}  // namespace sidestream::sidecar
