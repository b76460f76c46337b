// One TLS connection over memory (RFC 8446, RFC 5246): a machine that is fed the other side's
// bytes and asked for ours. It knows no socket and no clock, and waits for nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/bytes.h"
#include "streams/tls_openssl.h"

namespace sidestream {

class TlsSession {
 public:
  enum class Progress : std::uint8_t {
    done,
    need_more,  // feed it
    failed,     // problem() says why; an alert may be there to transmit
  };
  enum class Readable : std::uint8_t {
    bytes,
    need_more,
    end,  // close_notify: the peer has ended its direction in order
    failed,
  };

  // Made by TlsServer and TlsClient.
  explicit TlsSession(SslOwner ssl);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // What the peer has sent. The bytes stay the caller's and must stay where they are until
  // has_input() is false; only then may more be fed.
  void feed(Bytes received);
  [[nodiscard]] bool has_input() const;
  // The peer's transport has ended. Without close_notify before it that is a failure: somebody may
  // have cut the stream off.
  void feed_end();

  // Goes on with the handshake; transmit, and feed, until it is done.
  Progress handshake();

  // What read() would find, without taking any of it.
  Readable look();
  // Takes as much as is there and fits; 0: look() says why.
  std::size_t read(MutableBytes into);

  // Seals all of `from` into records for transmitting; false: it failed.
  bool write(Bytes from);
  // close_notify: our direction has ended. The other one goes on.
  void close_write();

  // Records to be sent, in order; empty when there are none.
  [[nodiscard]] std::vector<std::uint8_t> poll_transmit();
  [[nodiscard]] bool has_output() const;

  // ---- after the handshake -----------------------------------------------------------------
  [[nodiscard]] std::string version() const;  // `TLSv1.3`
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] std::string alpn() const;  // empty: none was agreed on
  // Who the peer is by its certificate, as RFC 2253 writes names; empty: it has shown none.
  [[nodiscard]] std::string peer() const;

  // Why it failed, in a few words for a person; empty: it did not.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // Whether that is an end without close_notify, after the handshake.
  [[nodiscard]] bool truncated() const { return truncated_; }
  // OpenSSL's own, for the files named tls_*.cpp and tests.
  [[nodiscard]] ssl_st* ssl() const { return ssl_.get(); }

 private:
  struct Wire;
  Readable outcome(int result);
  Readable fail();

  std::unique_ptr<Wire> wire_;  // what OpenSSL reads from and writes to
  SslOwner ssl_;
  std::string problem_;
  bool closed_write_ = false;
  bool truncated_ = false;
};

}  // namespace sidestream
