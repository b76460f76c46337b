// Session tickets as OpenSSL asks for them (SSL_CTX_set_tlsext_ticket_key_evp_cb): AES-256-CBC and
// HMAC-SHA-256 with TlsTicketKeys. For the files named tls_*.cpp.
#pragma once

#include "streams/tls_ticket_keys.h"

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;

namespace sidestream {

// Fills `name` (16 bytes) and `iv` (16 bytes). 1: done, below 0: failed.
int seal_ticket(const TlsTicketKeys& keys, unsigned char* name, unsigned char* iv,
                evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac);
// 1: opens it, 2: does, and the client should get a new one, 0: the key is not known.
int open_ticket(const TlsTicketKeys& keys, const unsigned char* name, const unsigned char* iv,
                evp_cipher_ctx_st* cipher, evp_mac_ctx_st* mac);

}  // namespace sidestream
