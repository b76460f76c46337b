"""sidestream with the kernel's WireGuard, in a qemu guest without root: a sidecar there with a
user-space edge here, and an edge there with user-space sidecars here. One guest for all of it."""

import hashlib
import json
import os
import pathlib
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "kernel_guest"), str(HERE.parent / "system")]

import backends  # noqa: E402
import harness  # noqa: E402
from blob_servers import BlobServer, sha256  # noqa: E402
from kernel_guest import HOST, WIREGUARD_PORT, KernelGuest  # noqa: E402
from product import CONTROL_PORT, Edge, Sidecar  # noqa: E402
from tunnel_peer import TunnelPeer, peer  # noqa: E402
from wireguard_keys import Keys  # noqa: E402

NAME = "tls.kernel.test"
SSH_PORT, TLS_PORT, BLOB_PORT = 2222, 8443, 9000
NETWORK, EDGE_ADDRESS = "10.87.0.0/24", "10.87.0.1"
GOOD, BAD = "10.87.0.10", "10.87.0.11"  # two sidecars, of which one turns bad
MEBIBYTE = 1 << 20
FOREIGN = "ip link show wg9; ip address show wg9; wg show wg9"


class GuestRole:
    """A `sidestream edge` or `sidestream sidecar` in the guest."""

    def __init__(self, guest, role, configuration):
        self.guest, self.role, self.folder = guest, role, f"/tmp/{role}"
        self.configuration = {"state": f"{self.folder}/state",
                              "admin": f"unix:{self.folder}/admin.sock", **configuration}
        guest.run(f"mkdir -p {self.folder} && chmod 700 {self.folder} &&\n"
                  f"cat >{self.folder}/{role}.yaml <<'FILE'\n{json.dumps(self.configuration)}\n"
                  f"FILE\nchmod 600 {self.folder}/{role}.yaml")
        self.start()

    def start(self):
        self.guest.run(f"sidestream {self.role} --config {self.folder}/{self.role}.yaml "
                       f">>{self.folder}/log 2>&1 & echo $! >{self.folder}/pid")
        self.eventually(lambda: self.status(), "answers status")

    def eventually(self, predicate, what, seconds=60):
        try:
            return harness.eventually(predicate, seconds, f"the guest's {self.role} {what}")
        except harness.Failure as failure:
            raise harness.Failure(f"{failure}\n{self.log()}") from failure

    def log(self):
        return self.guest.run(f"tail -n 30 {self.folder}/log")

    def run(self, *words):
        return self.guest.run(f"sidestream {' '.join(words)} --config "
                              f"{self.folder}/{self.role}.yaml")

    def status(self):
        code, text = self.guest.try_run(
            f"sidestream status --json --admin unix:{self.folder}/admin.sock 2>/dev/null")
        return json.loads(text) if code == 0 else None

    def kill(self, signal):
        self.guest.run(f"kill -{signal} $(cat {self.folder}/pid)")
        self.eventually(lambda: self.guest.try_run(
            f"grep -q '^State:.[^Z]' /proc/$(cat {self.folder}/pid)/status")[0] != 0, "has ended")


class Backends:
    """What is at home: the demo's two, and one whose bytes are known."""

    def __init__(self, stage, blob_bytes):
        self.ssh = backends.OpenSshServer(stage)
        self.tls = backends.TlsServer(stage, NAME)
        self.blobs = BlobServer(blob_bytes)

    def services(self, host, ports):
        return {"ssh": {"publish": f":{ports[SSH_PORT]}", "backend": f"{host}:{self.ssh.port}",
                        "health": "ssh"},
                "web": {"publish": f"{NAME}:{ports[TLS_PORT]}",
                        "backend": f"{host}:{self.tls.port}", "health": "tls"},
                "blob": {"publish": f":{ports[BLOB_PORT]}",
                         "backend": f"{host}:{self.blobs.port}"}}

    def demo(self, ports):
        """The steps of dev/demo, by the host's `ports` of the edge."""
        answer = harness.run([*self.ssh.ssh("127.0.0.1", ports[SSH_PORT]), "echo $((6*7))"]).stdout
        harness.expect(answer == "42\n", f"ssh said {answer!r}")
        page = harness.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert",
             self.tls.certificate, "--resolve", f"{NAME}:{ports[TLS_PORT]}:127.0.0.1",
             f"https://{NAME}:{ports[TLS_PORT]}/"]).stdout
        harness.expect("s_server" in page, f"curl got {page[:200]!r}")

    def copy(self, port):
        began, digest, size = time.monotonic(), hashlib.sha256(), 0
        with socket.create_connection(("127.0.0.1", port), 60) as stream:
            while part := stream.recv(65536):
                digest.update(part)
                size += len(part)
        harness.expect(digest.hexdigest() == sha256(self.blobs.blob), f"{size} bytes, another hash")
        seconds = time.monotonic() - began
        print(f"  {size / MEBIBYTE:.0f} MiB intact: {size * 8 / seconds / 1e6:.1f} Mbit/s")


def own_interfaces(guest):
    return guest.run("ls /sys/class/net | grep '^sidestream-' || true").split()


def endpoints(status):
    return {endpoint["endpoint"]: endpoint["state"] for service in status["services"]
            for endpoint in service["endpoints"]}


def sidecar_in_the_kernel(stage, guest, home, foreign):
    """Its edge is here, in user space."""
    ports = {port: harness.free_port() for port in (SSH_PORT, TLS_PORT, BLOB_PORT)}
    edge = Edge(stage, list(ports.values()), endpoint=HOST)
    ticket = edge.invite("home", f":{ports[SSH_PORT]}", f":{ports[BLOB_PORT]}",
                         f"{NAME}:{ports[TLS_PORT]}")
    sidecar = GuestRole(guest, "sidecar", {"edges": [{"ticket": ticket}],
                                           "services": home.services(HOST, ports)})
    check = sidecar.run("check")

    def published():
        return set(endpoints(sidecar.status()).values()) == {"published"}
    sidecar.eventually(published, "has published")
    mode = sidecar.status()["edges"][0]["tunnel_mode"]
    (interface,) = own_interfaces(guest)
    harness.expect(mode == f"kernel ({interface})", f"the tunnel's mode is {mode}\n{sidecar.log()}")
    harness.expect("tunnel: the kernel" in check, f"check said {check!r}")
    home.demo(ports)
    home.copy(ports[BLOB_PORT])

    # A new edge process knows nothing of the session; the kernel would wait for 15 s or more.
    edge.program.kill()
    edge.start().wait_until_up()
    began = time.monotonic()
    harness.eventually(lambda: harness.port_open(ports[SSH_PORT]), 30, "published again")
    print(f"  published {time.monotonic() - began:.1f} s after a new edge had started")
    home.demo(ports)

    sidecar.kill("KILL")
    harness.expect(own_interfaces(guest) == [interface], "a crash leaves the interface")
    sidecar.start()
    sidecar.eventually(published, "has published after a crash")
    harness.expect(own_interfaces(guest) == [interface], f"after it: {own_interfaces(guest)}")
    home.demo(ports)
    sidecar.kill("TERM")
    harness.expect(own_interfaces(guest) == [], "the interface goes with its process")
    harness.expect("sidestream" not in guest.run("nft list tables"), "so do the rules")
    harness.expect(guest.run(FOREIGN) == foreign, f"wg9 has changed: {guest.run(FOREIGN)}")
    edge.program.kill()


def edge_in_the_kernel(stage, guest, home, foreign):
    """Its sidecars are here, in user space."""
    good, bad = Keys(), Keys()
    edge = GuestRole(guest, "edge", {
        "endpoint": f"127.0.0.1:{guest.wireguard_port}",
        "tunnel": {"listen": f"0.0.0.0:{WIREGUARD_PORT}", "network": NETWORK, "mode": "kernel"},
        "public": {"address": "0.0.0.0", "ports": [SSH_PORT, TLS_PORT, BLOB_PORT]},
        "sidecars": {"good": {"public_key": good.public, "address": GOOD, "allow": ":2222"},
                     "bad": {"public_key": bad.public, "address": BAD, "allow": ":2222"}}})
    (interface,) = own_interfaces(guest)
    ticket = edge.run("invite home --allow :2222 --allow :9000 --allow", f"{NAME}:8443")
    ticket = next(word for word in ticket.split() if word.startswith("ss1_"))
    there = {port: port for port in guest.ports}
    sidecar = Sidecar(stage, [ticket], home.services("127.0.0.1", there))
    sidecar.wait_until_published(f":{SSH_PORT}", f"{NAME}:{TLS_PORT}", f":{BLOB_PORT}", seconds=60)
    mode = edge.status()["tunnel_mode"]
    harness.expect(mode == f"kernel ({interface})", f"the tunnel's mode is {mode}")
    home.demo(guest.ports)
    home.copy(guest.ports[BLOB_PORT])
    nobody_reaches_more(stage, guest, edge, interface, good, bad)
    edge.run("revoke home")
    harness.eventually(lambda: not answers(guest.ports[SSH_PORT]), 20, "revoked")
    edge.kill("KILL")
    edge.start()
    harness.expect(own_interfaces(guest) == [interface], f"after a crash: {own_interfaces(guest)}")
    edge.kill("TERM")
    harness.expect(own_interfaces(guest) == [], "the interface goes with its process")
    harness.expect(guest.run(FOREIGN) == foreign, f"wg9 has changed: {guest.run(FOREIGN)}")


def answers(port):
    """Whether who listens behind 127.0.0.1:port sends anything within 3 s."""
    with socket.create_connection(("127.0.0.1", port), 5) as stream:
        stream.settimeout(3)
        try:
            return bool(stream.recv(100))
        except OSError:
            return False


def nobody_reaches_more(stage, guest, edge, interface, good, bad):
    """A sidecar that turned bad, at an edge whose host forwards packets and has other servers."""
    guest.run("echo 1 >/proc/sys/net/ipv4/ip_forward")
    guest.run("nc -ll -p 7003 -e echo private >/dev/null 2>&1 &\n"
              "until netstat -ltn | grep -q :7003; do sleep 0.1; done")
    public_key = guest.run(f"wg show {interface} public-key").strip()
    endpoint = f"127.0.0.1:{guest.wireguard_port}"
    secret = BlobServer(1000)
    TunnelPeer(stage, good.private, GOOD, [peer(public_key, NETWORK, endpoint, keepalive=1)],
               into={443: f"127.0.0.1:{secret.port}"}, name="good")
    out = {name: harness.free_port() for name in ("control", "other", "neighbour")}
    TunnelPeer(stage, bad.private, BAD, [peer(public_key, "0.0.0.0/0", endpoint)],
               out={out["control"]: f"{EDGE_ADDRESS}:{CONTROL_PORT}",
                    out["other"]: f"{EDGE_ADDRESS}:7003",
                    out["neighbour"]: f"{GOOD}:443"}, name="bad")
    edge.eventually(lambda: f"{good.public}\t0" not in
                    guest.run(f"wg show {interface} latest-handshakes"), "sees the good one")
    with socket.create_connection(("127.0.0.1", out["control"]), 10) as control:
        control.sendall(b"GET /nothing HTTP/1.1\r\nHost: edge\r\n\r\n")
        control.settimeout(10)
        harness.expect(control.recv(100).startswith(b"HTTP/1.1 "), "the edge's port answers")
    reached = [name for name in ("other", "neighbour") if answers(out[name])]
    harness.expect(not reached, f"a sidecar reaches {reached}\n{guest.run('nft list ruleset')}")
    # That it is the rules that keep it out.
    guest.run(f"nft delete table inet {interface}")
    harness.eventually(lambda: answers(out["other"]), 20, "without rules the host is open")
    harness.eventually(lambda: answers(out["neighbour"]), 20, "without rules peers meet")


def both_roles(stage, blob_bytes):
    home = Backends(stage, blob_bytes)
    guest = KernelGuest(stage, program=harness.program(), ports=(SSH_PORT, TLS_PORT, BLOB_PORT),
                        memory=512)
    print(f"  {guest.kernel_version}, up in {guest.boot_seconds:.0f} s")
    guest.run("ip link add wg9 type wireguard && ip address add 10.99.0.1/24 dev wg9 && "
              "wg set wg9 listen-port 7999 && ip link set wg9 up")
    foreign = guest.run(FOREIGN)
    sidecar_in_the_kernel(stage, guest, home, foreign)
    edge_in_the_kernel(stage, guest, home, foreign)


def check_both_roles(stage):
    both_roles(stage, int(os.environ.get("SIDESTREAM_BLOB_MIB", "8")) * MEBIBYTE)


def long_a_gibibyte_in_both_roles(stage):
    both_roles(stage, 1024 * MEBIBYTE)


if __name__ == "__main__":
    harness.main(globals())
