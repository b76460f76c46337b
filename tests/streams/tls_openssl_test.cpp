#include "streams/tls_openssl.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>

namespace sidestream {
namespace {

TEST(TlsOpenSsl, WhatOpenSslHadNoMemoryForIsAnError) {
  EXPECT_THROW((void)owned<BioOwner>(nullptr), std::bad_alloc);
  EXPECT_TRUE(owned<BioOwner>(BIO_new(BIO_s_mem())));
}

TEST(TlsOpenSsl, NothingCanBeRead) {
  EXPECT_TRUE(reader_of({}));
}

}  // namespace
}  // namespace sidestream
