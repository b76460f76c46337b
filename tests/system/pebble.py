"""An ACME authority for tests: Debian's pebble, with a name server that knows one address."""

import json
import os
import pathlib

import harness


def make_server_pair(stage, name):
    """(certificate, key) for HTTPS on loopback."""
    chain, key = stage.folder / f"{name}.pem", stage.folder / f"{name}.key"
    harness.run([harness.tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7", "-subj", "/CN=pebble",
                 "-addext",
                 "subjectAltName=DNS:localhost,DNS:host.docker.internal,IP:127.0.0.1",
                 "-keyout", key, "-out", chain])
    return chain, key


class Pebble:
    """Looks at names on `tls_port`, or `http_port`, of `address`. `certificate` is what its own HTTPS
    shows. `enter` are words that lead to another network, where it listens on `listen`."""

    def __init__(self, stage, tls_port, life_seconds=0, nonce_rejects=90, reuse=50, binding=None,
                 http_port=None, address="127.0.0.1", listen="127.0.0.1", enter=()):
        self.stage = stage
        self.enter = list(enter)
        self.port, self.management_port = harness.free_port(), harness.free_port()
        self.certificate, key = make_server_pair(stage, "pebble")
        self.directory = f"https://127.0.0.1:{self.port}/dir"
        self.address = stage.write("address", address)
        dns_port = harness.free_port()
        self.name_server = f"127.0.0.1:{dns_port}"
        dns_stub = pathlib.Path(__file__).parent / "dns_stub.py"
        stage.start("names", [*self.enter, "python3", dns_stub, "127.0.0.1", dns_port, self.address]) \
            .wait_for_line("ready")
        configuration = {"pebble": {
            "listenAddress": f"{listen}:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management_port}",
            "certificate": str(self.certificate), "privateKey": str(key),
            "httpPort": http_port or harness.free_port(), "tlsPort": tls_port, "ocspResponderURL": "",
            **({"certificateValidityPeriod": life_seconds} if life_seconds else {}),
            **({"externalAccountBindingRequired": True, "externalAccountMACKeys": binding}
               if binding else {})}}
        self.command = [*self.enter, harness.tool("pebble"), "-config",
                        stage.write("pebble.json", json.dumps(configuration)),
                        "-dnsserver", f"127.0.0.1:{dns_port}"]
        self.environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1",
                            "PEBBLE_WFE_NONCEREJECT": str(nonce_rejects),
                            "PEBBLE_AUTHZREUSE": str(reuse)}
        self.starts_ = 0
        self.program = None
        self.start()

    def start(self):
        self.starts_ += 1
        self.program = self.stage.start(f"pebble-{self.starts_}", self.command,
                                        env=self.environment)
        self.program.wait_for_line("Listening on")

    def issued(self):
        return self.program.output().count("Issued certificate serial")

    def root(self):
        """The authority that its certificates lead to, in a file."""
        url = f"https://127.0.0.1:{self.management_port}/roots/0"
        answer = harness.run([*self.enter, harness.tool("curl"), "--silent", "--fail", "--noproxy", "*",
                              "--cacert", self.certificate, url])
        return self.stage.write("root.pem", answer.stdout)
