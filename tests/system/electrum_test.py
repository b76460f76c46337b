"""Debian's Electrum wallet, an edge, a tunnel, TLS that ends at home, and an Electrum server that
speaks none. As root: the wallet gets a hosts file and authorities of its own."""

import json

import harness
from electrum_server import ElectrumServer
from pebble import Pebble
from product import Edge, Sidecar

NAME = "electrum.demo.test"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def in_mounts(mounts):
    """What a program has to be started with to see other files."""
    return [harness.tool("unshare"), "-m", "sh", "-c", mounts + ' && exec "$@"', "sh"]


class Home:
    """An Electrum server at home, published by name and by port."""

    def __init__(self, stage, certificate, port=None, **options):
        self.server = ElectrumServer()
        self.port, self.bare_port = port or harness.free_port(), harness.free_port()
        self.endpoints = [f"{NAME}:{self.port}", f":{self.bare_port}"]
        self.edge = Edge(stage, [self.port, self.bare_port])
        self.sidecar = Sidecar(
            stage, [self.edge.invite("home", *self.endpoints)],
            {"electrum": {"publish": self.endpoints, "backend": f"127.0.0.1:{self.server.port}",
                          "tls": "terminate", "certificate": certificate, "health": "electrum"}},
            **options)

    def wait_until_served(self):
        self.sidecar.wait_until_published(*self.endpoints)
        harness.eventually(self.certificates, 30, "a certificate")

    def certificates(self):
        status = self.sidecar.status()
        return [one["sha256"] for one in status["services"][0].get("certificates", [])]


class Wallet:
    """The wallet's daemon, which speaks to one server and to no other. `enter` are words that lead to
    another network."""

    def __init__(self, stage, port, authorities=None, enter=()):
        self.stage, self.port = stage, port
        self.folder = stage.folder / "wallet"
        hosts = stage.write("hosts", f"127.0.0.1 localhost {NAME}\n")
        mounts = f"mount --bind {hosts} /etc/hosts"
        if authorities:
            mounts += f" && mount --bind {authorities} {AUTHORITIES}"
        self.mounts = in_mounts(mounts)
        self.command = [*enter, harness.tool("electrum"), "--regtest", "-D", self.folder]
        self.starts = 0
        self.daemon = None
        self.start()

    def start(self):
        self.starts += 1
        self.daemon = self.stage.start(
            f"wallet-{self.starts}",
            [*self.mounts, *self.command, "daemon", "-1", "-s", f"{NAME}:{self.port}:s", "-v"])
        return self

    def restart(self):
        self.daemon.stop()
        return self.start()

    def ask(self, *words):
        done = harness.run([*self.command, *words], check=False)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else {}

    def wait_until_connected(self, seconds=30):
        harness.eventually(lambda: self.ask("getinfo").get("connected"), seconds,
                           "the wallet is connected")
        harness.expect(self.ask("getaddressbalance", ADDRESS).get("confirmed") == "1.5",
                       "another balance")

    def pinned(self):
        return self.folder / "regtest" / "certs" / NAME


def check_a_wallet_pins_a_self_signed_certificate(stage):
    home = Home(stage, "self-signed")
    home.wait_until_served()
    wallet = Wallet(stage, home.port)
    wallet.wait_until_connected()
    kept = (home.sidecar.folder / "state" / f"self-signed-{NAME}.pem").read_text()
    certificate = kept[kept.index("-----BEGIN CERTIFICATE"):].strip()
    harness.expect(wallet.pinned().read_text().strip() in certificate, "it pinned something else")
    # Everything at home is started anew, and the wallet does not mind.
    home.sidecar.program.kill()
    home.sidecar.start()
    home.wait_until_served()
    wallet.restart().wait_until_connected()
    # With the certificate lost it does.
    home.sidecar.program.kill()
    for file in (home.sidecar.folder / "state").glob("self-signed-*"):
        file.unlink()
    home.sidecar.start()
    home.wait_until_served()
    wallet.restart().daemon.wait_for_line("certificate verify failed|SSLError|ErrorSSLCert", 20)
    harness.expect(not wallet.ask("getinfo").get("connected"), "it took another certificate")


def check_a_wallet_takes_a_certificate_of_an_authority(stage):
    port = harness.free_port()
    pebble = Pebble(stage, port, nonce_rejects=0)
    # The sidecar knows pebble as an authority of the system, as it stands in the image.
    home = Home(stage, "acme", port=port, more={"acme": {"directory": pebble.directory}},
                enter=in_mounts("mount -t tmpfs none /usr/lib/ssl "
                                f"&& mount --bind {pebble.certificate} {AUTHORITIES}"))
    home.wait_until_served()
    wallet = Wallet(stage, port, authorities=pebble.root())
    wallet.wait_until_connected()
    harness.expect(wallet.pinned().read_text() == "", "it pinned a certificate of an authority")


if __name__ == "__main__":
    harness.main(globals())
