// Differential test: what we route by is what OpenSSL, as the server behind, takes for the name.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <boost/json.hpp>
#include <map>
#include <memory>

#include "streams/client_hello.h"
#include "streams/ip_address.h"
#include "tests/support/client_hello_builder.h"
#include "tests/support/seeded_random.h"
#include "tests/support/vectors.h"

namespace sidestream {
namespace {

using Verdict = ClientHelloParser::Verdict;

// What OpenSSL's server-name callback saw.
struct OpensslView {
  bool reached = false;  // the hello was parsed to its end; otherwise OpenSSL refused it
  std::optional<std::string> name;
};

int on_server_name(SSL* ssl, int* /*alert*/, void* view_pointer) {
  auto* view = static_cast<OpensslView*>(view_pointer);
  view->reached = true;
  if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) view->name = name;
  return SSL_TLSEXT_ERR_OK;
}

class OpensslServer {
 public:
  OpensslServer() : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_tlsext_servername_callback(context_.get(), on_server_name);
  }

  OpensslView read(Bytes bytes) {
    OpensslView view;
    SSL_CTX_set_tlsext_servername_arg(context_.get(), &view);
    const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), SSL_free);
    BIO* in = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    BIO_write(in, bytes.data(), static_cast<int>(bytes.size()));
    SSL_set_bio(ssl.get(), in, BIO_new(BIO_s_mem()));
    SSL_accept(ssl.get());
    return view;
  }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

struct Tally {
  std::map<std::string, int> stricter;  // why we refused what OpenSSL took
  int same_name = 0;
  int both_nameless = 0;
  int both_refused = 0;
  int later_refused = 0;  // OpenSSL refused for what is not ours to judge
};

void compare(OpensslServer& server, const ByteVector& bytes, Tally& tally) {
  ClientHelloParser parser;
  parser.feed(bytes);
  const OpensslView view = server.read(bytes);
  if (parser.verdict() != Verdict::hello) {
    if (!view.reached) {
      ++tally.both_refused;
    } else {
      ++tally
            .stricter[parser.verdict() == Verdict::not_tls ? "not TLS" : std::string(parser.why())];
    }
    return;
  }
  if (!view.reached) {
    ++tally.later_refused;
    return;
  }
  const auto ours = parser.hello().server_name;
  if (!view.name) {
    EXPECT_FALSE(ours) << ours->text();
    ++tally.both_nameless;
    return;
  }
  const auto theirs = ServerName::parse(*view.name);
  if (ours) {
    ASSERT_TRUE(theirs) << *view.name;
    EXPECT_EQ(*ours, *theirs);
    ++tally.same_name;
  } else {  // the one form that we take for no name
    const auto literal = IpAddress::parse(*view.name);
    EXPECT_TRUE(literal && literal->is_v6()) << *view.name;
  }
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (const boost::json::value& vector : load_vectors("clienthello.json"))
    all.push_back(bytes_of_json(vector.at("hex")));
  for (const char* name : {"a.test", "A.TEST.", "192.0.2.1", "2001:db8::1", "under_score.test",
                           "a b.test", "a.test\n", "*.test", ".", "..", ""})
    all.push_back(client_hello_for(name));
  all.push_back(client_hello_for(std::string("a.test\0.evil", 12)));
  all.push_back(client_hello_for(std::string(255, 'a')));
  all.push_back(client_hello_for(std::nullopt));
  const auto records = [&](std::vector<HelloExtension> extensions) {
    all.push_back(tls_records(serialize_hello({.extensions = std::move(extensions)})));
  };
  const HelloExtension name = server_name_extension("a.test");
  records({name, name});
  records({server_name_extension({{std::uint8_t{0}, "a.test"}, {std::uint8_t{0}, "b.test"}})});
  records({server_name_extension({{std::uint8_t{1}, "x"}, {std::uint8_t{0}, "a.test"}})});
  records({{21, ByteVector(40'000)}, name});
  const ByteVector message = serialize_hello({.extensions = {name}});
  for (const std::size_t record_bytes : {2U, 3U, 7U, 50U})
    all.push_back(tls_records(message, record_bytes));
  return all;
}

// Changes a few bytes, lengths included, and now and then cuts the stream into other records.
ByteVector mutated(ByteVector bytes, SeededRandom& random) {
  const auto position = [&] { return random.below(static_cast<std::uint32_t>(bytes.size())); };
  if (random.chance(0.3) && bytes.size() > 9 && bytes.size() < 2000) {
    const ByteVector message(bytes.begin() + 5, bytes.end());
    bytes = tls_records(message, 1 + random.below(static_cast<std::uint32_t>(message.size())));
  }
  for (std::uint32_t count = random.below(4); count > 0 && !bytes.empty(); --count) {
    switch (random.below(5)) {
      case 0:
        bytes[position()] = static_cast<std::uint8_t>(random.u32());
        break;
      case 1:
        bytes[position()] ^= static_cast<std::uint8_t>(1U << random.below(8));
        break;
      case 2:
        ++bytes[position()];
        break;
      case 3:
        --bytes[position()];
        break;
      default: {
        static constexpr std::string_view interesting("\0.*_-A \n:", 9);
        bytes[position()] = static_cast<std::uint8_t>(
            interesting[random.below(static_cast<std::uint32_t>(interesting.size()))]);
      }
    }
  }
  return bytes;
}

TEST(ClientHelloOpensslTest, NeverAnotherNameThanOpenssl) {
  OpensslServer server;
  Tally tally;
  const std::vector<ByteVector> all = seeds();
  for (const ByteVector& seed : all) compare(server, seed, tally);
  SeededRandom random(54);
  for (int round = 0; round < 20'000; ++round) {
    const ByteVector bytes =
        mutated(all[random.below(static_cast<std::uint32_t>(all.size()))], random);
    compare(server, bytes, tally);
    if (HasFailure()) FAIL() << "round " << round;
  }
  // Where OpenSSL goes on and we do not, this is why; anything else would be a lost client.
  const std::map<std::string, int> reasons = tally.stricter;
  for (const auto& [why, count] : reasons) {
    RecordProperty("stricter: " + why, count);
    EXPECT_TRUE(why == "a server name that no host can have" ||
                why == "a server name extension that is not one host name" ||
                why == "an empty handshake record" || why == "a ClientHello in too many records" ||
                why == "bytes after the ClientHello inside its last record")
        << why << ": " << count;
  }
  EXPECT_GT(tally.same_name, 1000);
  EXPECT_GT(tally.both_nameless, 1000);
  EXPECT_GT(tally.both_refused, 1000);
  RecordProperty("same name", tally.same_name);
  RecordProperty("refused by OpenSSL only", tally.later_refused);
}

}  // namespace
}  // namespace sidestream
