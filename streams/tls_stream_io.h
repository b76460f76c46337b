// TLS over another stream, as a Stream. Each direction ends by itself: close_notify and the end of
// the transport's direction are one. A transport that ends without close_notify is an error
// (connection_aborted) and never the end of the stream; what cannot be TLS is protocol_error.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "streams/asio_io.h"
#include "streams/event_io.h"
#include "streams/relay_buffers_io.h"
#include "streams/tls_session.h"

namespace sidestream {

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> transport, std::unique_ptr<TlsSession> session);

  // To be called first, once. When it fails, the alert that tells the peer why has been sent; close
  // the transport in order then, so that the alert arrives. The caller limits the time.
  Task<> handshake();

  Task<> wait_readable() override;
  Task<std::size_t> read_some(MutableBytes into) override;
  Task<> write_all(Bytes from) override;
  Task<> close_write() override;
  Task<> wait_broken() override { return transport_->wait_broken(); }
  void abort() noexcept override;
  [[nodiscard]] SocketAddress local_address() const override { return transport_->local_address(); }
  [[nodiscard]] SocketAddress remote_address() const override {
    return transport_->remote_address();
  }

  [[nodiscard]] const TlsSession& session() const { return *session_; }
  // After both directions have ended, the transport is to be closed in order: the peer ends its
  // own direction a moment after its close_notify, and resetting it before would destroy what is
  // still on the way.
  [[nodiscard]] Stream& transport() { return *transport_; }
  // For a person; empty: nothing went wrong with TLS.
  [[nodiscard]] const std::string& problem() const { return session_->problem(); }

 private:
  Task<> receive();
  Task<> transmit();
  Task<> transmit_unless_busy();
  Task<> fail();

  std::unique_ptr<Stream> transport_;
  std::unique_ptr<TlsSession> session_;
  std::optional<RelayBuffers::Lease> received_;  // while the session has not taken all of it
  bool transmitting_ = false;
  Event transmitted_;
  bool write_ended_ = false;
};

}  // namespace sidestream
