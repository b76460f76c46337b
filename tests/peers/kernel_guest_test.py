"""The peers themselves: the kernel's WireGuard in the guest against Debian's wireguard-go, both
dialling, so that a failure with our own tunnel is a failure of our own tunnel."""

import hashlib
import os
import pathlib
import socket
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "kernel_guest"), str(HERE.parent / "system")]

import harness  # noqa: E402
from kernel_guest import HOST, KernelGuest  # noqa: E402
from namespaces import Namespaces  # noqa: E402
from wireguard_go import WireGuardGo  # noqa: E402
from wireguard_keys import Keys, peer_section, preshared_key  # noqa: E402

BLOB_BYTES = 3_000_001


def check_the_guest_boots_without_root(stage):
    guest = KernelGuest(stage)
    print(f"Linux {guest.kernel_version} up after {guest.boot_seconds:.1f} s")
    harness.expect(guest.try_run("exit 3")[0] == 3, "exit codes arrive")
    harness.expect(guest.try_run("sleep 20", seconds=1)[0] != 0, "scripts are bounded")
    guest.run("load_module sch_netem && tc qdisc add dev eth0 root netem delay 20ms loss 1%")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        port = server.getsockname()[1]
        guest.run(f"echo question | nc {HOST} {port} >/tmp/answer 2>&1 &")
        peer, _ = server.accept()
        with peer, peer.makefile("rw") as lines:
            harness.expect(lines.readline() == "question\n", "the guest reaches our loopback")
            lines.write("answer\n")
        harness.eventually(lambda: "answer" in guest.run("cat /tmp/answer"), 5, "the answer is in")


def through_the_tunnel(guest, wireguard_go, guest_address):
    guest.run(f"head -c {BLOB_BYTES} /dev/urandom >/tmp/blob")
    guest.serve(7000, "cat /tmp/blob")
    guest.serve(7001, "sha256sum")
    read = ["python3", "-c", "import socket, sys, hashlib\n"
            f"peer = socket.create_connection(('{guest_address}', 7000), 10)\n"
            "hash = hashlib.sha256()\n"
            "while part := peer.recv(65536): hash.update(part)\n"
            "print(hash.hexdigest())"]
    read_hash = wireguard_go.space.run(*read, seconds=60).strip()
    guest_hash = guest.run("sha256sum /tmp/blob").split()[0]
    harness.expect(read_hash == guest_hash, f"{read_hash} is not {guest_hash}")
    blob = os.urandom(BLOB_BYTES)
    write = ["python3", "-c", "import socket, sys\n"
             f"peer = socket.create_connection(('{guest_address}', 7001), 10)\n"
             "peer.sendall(sys.stdin.buffer.read())\n"
             "peer.shutdown(socket.SHUT_WR)\n"
             "print(peer.makefile().read())"]
    answer = wireguard_go.space.run(*write, input=blob, text=False, seconds=60)
    harness.expect(hashlib.sha256(blob).hexdigest().encode() in answer, answer)


def check_wireguard_go_dials_the_kernel(stage):
    guest_keys, go_keys, preshared = Keys(), Keys(), preshared_key()
    with Namespaces() as spaces:
        space = spaces.add("go")
        guest = KernelGuest(stage, enter=space.enter)
        guest.start_wireguard(guest_keys.private, "10.9.0.2/24", [
            peer_section(go_keys.public, "10.9.0.1/32", preshared=preshared)])
        go = WireGuardGo(stage, space, go_keys.private, "10.9.0.1/24", [
            peer_section(guest_keys.public, "10.9.0.2/32", f"127.0.0.1:{guest.wireguard_port}",
                         preshared)])
        through_the_tunnel(guest, go, "10.9.0.2")


def check_the_kernel_dials_wireguard_go(stage):
    guest_keys, go_keys, preshared = Keys(), Keys(), preshared_key()
    with Namespaces() as spaces:
        space = spaces.add("go")
        port = harness.free_port()
        go = WireGuardGo(stage, space, go_keys.private, "10.9.0.1/24", [
            peer_section(guest_keys.public, "10.9.0.2/32", preshared=preshared)], port)
        guest = KernelGuest(stage, enter=space.enter)
        guest.start_wireguard(guest_keys.private, "10.9.0.2/24", [
            peer_section(go_keys.public, "10.9.0.1/32", f"{HOST}:{port}", preshared, keepalive=1)])
        harness.eventually(lambda: go.handshake_age() is not None, 10, "the handshake")
        through_the_tunnel(guest, go, "10.9.0.2")


if __name__ == "__main__":
    harness.main(globals())
