#include <string>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "streams/base64.h"
#include "streams/random_io.h"
#include "streams/secret_text.h"
#include "tunnel/crypto.h"

namespace sidestream::cli {

int run_keygen(const KeygenOptions&, Console& console) {
  SystemRandom random;
  const tunnel::KeyPair pair = tunnel::generate_key_pair(random);
  const SecretText private_key(serialize_base64(pair.private_key.reveal()));
  console.print("private_key: ");
  console.print(private_key.reveal());
  console.print("\npublic_key: " + pair.public_key.text() + "\n");
  return good;
}

}  // namespace sidestream::cli
