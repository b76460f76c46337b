"""Our tunnel against the kernel's WireGuard and TCP, in a qemu guest without root: both roles, with
a preshared key, clean and over a bad path."""

import os
import pathlib
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "kernel_guest"), str(HERE.parent / "system")]

import harness  # noqa: E402
from blob_servers import BlobServer, HashServer, sha256  # noqa: E402
from kernel_guest import HOST, KernelGuest  # noqa: E402
from tunnel_peer import TunnelPeer, peer  # noqa: E402
from wireguard_keys import Keys, peer_section, preshared_key  # noqa: E402

OURS, KERNEL = "10.9.0.1", "10.9.0.2"
BLOB_BYTES = 3_000_001
HASH_PORT, BLOB_PORT, ECHO_PORT = 7000, 7001, 7002
# The guest's eth0 in both directions: what it sends, and (through ifb0) what it receives.
BAD_PATH = """
load_module sch_netem && load_module ifb && load_module sch_ingress &&
load_module act_mirred && load_module cls_matchall &&
ip link set ifb0 up &&
tc qdisc add dev eth0 ingress &&
tc filter add dev eth0 parent ffff: matchall action mirred egress redirect dev ifb0 &&
tc qdisc add dev eth0 root netem delay 20ms 4ms loss 1% duplicate 1% reorder 5% &&
tc qdisc add dev ifb0 root netem delay 20ms 4ms loss 1% duplicate 1% reorder 5%
"""


class Link:
    """The guest and our tunnel joined; `we_dial` says who sends the first handshake."""

    def __init__(self, stage, we_dial):
        ours, kernel, preshared = Keys(), Keys(), preshared_key()
        self.guest = KernelGuest(stage)
        self.hashes = HashServer()
        self.blobs = BlobServer(BLOB_BYTES)
        endpoint = f"127.0.0.1:{self.guest.wireguard_port}" if we_dial else None
        self.out = {port: harness.free_port() for port in (HASH_PORT, BLOB_PORT, ECHO_PORT)}
        self.ours = TunnelPeer(
            stage, ours.private, OURS,
            [peer(kernel.public, f"{KERNEL}/32", endpoint, preshared)],
            out={local: f"{KERNEL}:{port}" for port, local in self.out.items()},
            into={HASH_PORT: f"127.0.0.1:{self.hashes.port}",
                  BLOB_PORT: f"127.0.0.1:{self.blobs.port}"})
        self.guest.start_wireguard(kernel.private, f"{KERNEL}/24", [
            peer_section(ours.public, f"{OURS}/32", preshared=preshared) if we_dial else
            peer_section(ours.public, f"{OURS}/32", f"{HOST}:{self.ours.port}", preshared)])
        self.guest.run(f"head -c {BLOB_BYTES} /dev/urandom >/tmp/blob")
        self.guest_hash = self.guest.run("sha256sum /tmp/blob").split()[0]
        self.guest.serve(HASH_PORT, "sha256sum")
        self.guest.serve(BLOB_PORT, "cat /tmp/blob")
        self.guest.serve(ECHO_PORT, "cat")

    def handshake_time(self):
        return int(self.guest.run("wg show wg0 latest-handshakes").split()[1])

    def dial(self, port):
        return socket.create_connection(("127.0.0.1", self.out[port]), 60)

    def our_client_uploads(self):
        blob = os.urandom(BLOB_BYTES)
        with self.dial(HASH_PORT) as stream:
            stream.sendall(blob)
            stream.shutdown(socket.SHUT_WR)
            answer = stream.makefile().read()
        harness.expect(answer.startswith(sha256(blob)), f"the kernel's side read {answer!r}")

    def our_client_downloads(self):
        with self.dial(BLOB_PORT) as stream:
            blob = stream.makefile("rb").read()
        harness.expect(sha256(blob) == self.guest_hash, f"{len(blob)} bytes, another hash")

    def the_guests_client_uploads(self):
        answer = self.guest.run(f"nc {OURS} {HASH_PORT} </tmp/blob", seconds=60)
        harness.expect(answer == self.guest_hash, f"we read {answer!r}")

    def the_guests_client_downloads(self):
        answer = self.guest.run(f"nc {OURS} {BLOB_PORT} </dev/null | sha256sum", seconds=60)
        harness.expect(answer.split()[0] == sha256(self.blobs.blob), f"the guest read {answer!r}")

    def transfers(self, first):
        """All four directions of dialling and sending; `first` is the one that must go first."""
        everyone = [self.our_client_uploads, self.our_client_downloads,
                    self.the_guests_client_uploads, self.the_guests_client_downloads]
        for transfer in sorted(everyone, key=lambda transfer: transfer != first):
            began = time.monotonic()
            transfer()
            seconds = time.monotonic() - began
            print(f"  {transfer.__name__}: {BLOB_BYTES * 8 / seconds / 1e6:.1f} Mbit/s")


def check_we_dial_the_kernel(stage):
    link = Link(stage, we_dial=True)
    link.transfers(first=link.our_client_uploads)


def check_the_kernel_dials_us(stage):
    link = Link(stage, we_dial=False)
    link.transfers(first=link.the_guests_client_uploads)


def check_a_bad_path_loses_nothing(stage):
    link = Link(stage, we_dial=True)
    link.guest.run(BAD_PATH)
    link.transfers(first=link.our_client_downloads)


def long_an_idle_stream_outlives_a_rekey(stage):
    """380 s, so at least two new keys of the kernel's or of ours, idle and under traffic."""
    link = Link(stage, we_dial=True)
    link.our_client_uploads()
    handshakes = {link.handshake_time()}
    with link.dial(ECHO_PORT) as echo:
        lines = echo.makefile("rw")
        for second in range(0, 380, 10):
            if second % 60 == 0:
                lines.write(f"{second}\n")
                lines.flush()
                answer = lines.readline()
                harness.expect(answer == f"{second}\n", f"the echo of {second} is {answer!r}")
            time.sleep(10)
            handshakes.add(link.handshake_time())
    harness.expect(len(handshakes) >= 3, f"handshakes at {sorted(handshakes)}")
    link.transfers(first=link.our_client_uploads)


if __name__ == "__main__":
    harness.main(globals())
