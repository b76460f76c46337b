// What a TlsCertificate is made of, for the files named tls_*.cpp.
#pragma once

#include <vector>

#include "streams/tls_certificate.h"
#include "streams/tls_openssl.h"

namespace sidestream {

struct TlsCertificate::Parts {
  X509Owner leaf;
  std::vector<X509Owner> issuers;  // from the leaf's upwards
  KeyOwner key;
};

}  // namespace sidestream
