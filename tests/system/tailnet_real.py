"""Beside a real tailnet: tailscaled nodes and a headscale with an embedded relay, in a network
namespace without internet (dev/tailnet makes it and says where the programs are). The tailnet and
sidestream's own tunnel work at once; what the daemon's node goes through is told."""

import json
import os
import pathlib

import harness
from backends import TlsServer
from product import Edge, Sidecar

PEERS = pathlib.Path(os.environ.get("SIDESTREAM_TAILNET_PEERS", ""))
ADDRESS = "10.99.0.1"
CONTROL = "127.0.0.1:18080"
ENVIRONMENT = {"TS_ASSUME_NETWORK_UP_FOR_TEST": "1", "TS_NO_LOGS_NO_SUPPORT": "true",
               # The proof that nothing leaves: it would end if it ever asked the public service.
               "TS_PANIC_IF_HIT_MAIN_CONTROL": "1", "TS_DISABLE_PORTMAPPER": "1",
               "TS_DEBUG_USE_DERP_HTTP": "1"}


def link_up():
    """A namespace with loopback alone counts as one without network there."""
    harness.run(["ip", "link", "set", "lo", "up"])
    if harness.run(["ip", "link", "show", "d0"], check=False).returncode != 0:
        harness.run(["ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"])
        harness.run(["ip", "address", "add", f"{ADDRESS}/24", "dev", "d0"])
        harness.run(["ip", "link", "set", "d0", "up"])
        harness.run(["ip", "link", "set", "d1", "up"])


class Headscale:
    def __init__(self, stage):
        folder = stage.folder / "headscale"
        folder.mkdir()
        stage.write("headscale/policy.hujson", json.dumps({
            "tagOwners": {"tag:edge": []},
            "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}))
        self.configuration = stage.write("headscale/headscale.yaml", json.dumps({
            "server_url": f"http://{CONTROL}", "listen_addr": CONTROL, "metrics_listen_addr": "",
            "grpc_listen_addr": "127.0.0.1:15443",
            "noise": {"private_key_path": str(folder / "noise.key")},
            "prefixes": {"v4": "100.64.0.0/10", "v6": "fd7a:115c:a1e0::/48",
                         "allocation": "random"},
            "database": {"type": "sqlite", "sqlite": {"path": str(folder / "db.sqlite")}},
            "derp": {"server": {"enabled": True, "region_id": 999, "region_code": "headscale",
                                "region_name": "test", "verify_clients": True,
                                "stun_listen_addr": "127.0.0.1:13478", "ipv4": "127.0.0.1",
                                "private_key_path": str(folder / "derp.key"),
                                "automatically_add_embedded_derp_region": True},
                     "urls": [], "paths": [], "auto_update_enabled": False},
            "dns": {"magic_dns": True, "base_domain": "tn.test", "override_local_dns": False},
            "unix_socket": str(folder / "headscale.sock"),
            "policy": {"mode": "file", "path": str(folder / "policy.hujson")},
            "disable_check_updates": True, "logtail": {"enabled": False}}))
        stage.start("headscale", [PEERS / "headscale", "-c", self.configuration, "serve"])
        harness.eventually(lambda: self.run("users", "create", "alice", check=False).returncode == 0,
                           30, "headscale answers")

    def run(self, *words, **options):
        return harness.run([PEERS / "headscale", "-c", self.configuration, *words], **options)

    def key(self):
        return self.run("preauthkeys", "create", "--user", "1",
                        "--reusable").stdout.split()[-1]


class Node:
    def __init__(self, stage, headscale, name, tun="userspace-networking"):
        self.stage, self.headscale, self.name, self.tun = stage, headscale, name, tun
        self.folder = stage.folder / name
        self.folder.mkdir()
        self.socket = self.folder / "tailscaled.sock"
        self.program = None
        self.starts_ = 0

    def start(self):
        self.starts_ += 1
        self.program = self.stage.start(
            f"{self.name}-{self.starts_}",
            [PEERS / "tailscaled", f"--tun={self.tun}", "--statedir", self.folder, "--socket",
             self.socket, "--port=0"], env={**os.environ, **ENVIRONMENT})
        harness.eventually(self.socket.exists, 20, f"{self.name} has a socket")
        return self

    def run(self, *words, **options):
        return harness.run([PEERS / "tailscale", "--socket", self.socket, *words], **options)

    def up(self):
        self.run("up", f"--login-server=http://{CONTROL}", f"--auth-key={self.headscale.key()}",
                 f"--hostname={self.name}", "--accept-dns=false", "--timeout=60s",
                 seconds=70)
        return self

    def address(self):
        return self.run("ip", "-4").stdout.strip()


class Beside:
    """An edge and a sidecar with their own tunnel, the sidecar beside the node `home`."""

    def __init__(self, stage, tun="userspace-networking"):
        link_up()
        self.headscale = Headscale(stage)
        self.home = Node(stage, self.headscale, "home", tun).start()
        self.other = Node(stage, self.headscale, "other").start().up()
        self.server = TlsServer(stage, "tls.example.com")
        self.port = harness.free_port()
        self.edge = Edge(stage, [self.port], address=ADDRESS, name="vps")
        self.sidecar = Sidecar(stage, [self.edge.invite("box", f":{self.port}")],
                               {"tls": {"publish": f":{self.port}",
                                        "backend": f"127.0.0.1:{self.server.port}"}},
                               name="box", more={"tailscale": f"unix:{self.home.socket}"})
        self.sidecar.wait_until_published(f":{self.port}")

    def wait_for(self, what, seconds, test):
        harness.eventually(lambda: test((self.sidecar.status() or {}).get("tailnet") or {}),
                           seconds, what)

    def expect_both_work(self):
        done = harness.run(["openssl", "s_client", "-connect", f"{ADDRESS}:{self.port}", "-brief"],
                           input="", check=False)
        harness.expect("CONNECTION ESTABLISHED" in done.stderr, done.stderr)
        self.other.run("ping", "--c=3", "--timeout=5s", self.home.address())


def life_of_a_node(stage, tun):
    beside = Beside(stage, tun)
    beside.wait_for("it has to log in", 20, lambda node: node.get("state") == "NeedsLogin")
    beside.home.up()
    beside.wait_for("it runs", 20, lambda node: node.get("problem") == "")
    node = beside.sidecar.status()["tailnet"]
    harness.expect(node["addresses"][0] == beside.home.address(), str(node))
    harness.expect(node["userspace"] == (tun == "userspace-networking"), str(node))
    beside.expect_both_work()
    beside.home.program.stop()
    beside.wait_for("the daemon is gone", 10, lambda node: node.get("state") == "Unknown")
    beside.home.start()
    beside.wait_for("it is back", 20, lambda node: node.get("problem") == "")
    beside.expect_both_work()
    beside.home.run("down")
    beside.wait_for("it is stopped", 5, lambda node: node.get("state") == "Stopped")
    beside.home.up()
    beside.wait_for("it is up again", 10, lambda node: node.get("problem") == "")
    # Another address: the node loses its state, as a container without a volume, and registers anew.
    before = beside.home.address()
    beside.home.program.stop()
    (beside.home.folder / "tailscaled.state").unlink()
    beside.home.start()
    beside.wait_for("it has to log in again", 20, lambda node: node.get("state") == "NeedsLogin")
    beside.home.up()
    beside.wait_for("it has another address", 20,
                    lambda node: node.get("addresses", [before])[:1] not in ([], [before]))
    beside.expect_both_work()
    print(f"tailnet: {tun}: {before} became {beside.home.address()}; "
          f"Tailscale {beside.sidecar.status()['tailnet']['version']}")


def check_in_user_space(stage):
    life_of_a_node(stage, "userspace-networking")


def check_with_a_device(stage):
    life_of_a_node(stage, "tailscale0")


if __name__ == "__main__":
    harness.expect((PEERS / "tailscaled").exists(), "run dev/tailnet, which installs the peers")
    harness.main(globals())
