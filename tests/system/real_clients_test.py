"""Real clients and servers end to end, as ordinary processes on loopback: OpenSSH, rsync, OpenSSL,
curl, and a protocol in which the server speaks first."""

import hashlib
import os
import time

import harness
from backends import OpenSshServer, TlsServer
from product import Edge, Sidecar

NAME = "tls.demo.test"
MIB = 1 << 20
BIG_BYTES = 1 << 30


class Chain:
    """SSH by port and TLS by name, both behind one sidecar."""

    def __init__(self, stage):
        self.ssh = OpenSshServer(stage)
        self.tls = TlsServer(stage, NAME)
        self.ssh_port, self.tls_port = harness.free_port(), harness.free_port()
        endpoints = [f":{self.ssh_port}", f"{NAME}:{self.tls_port}"]
        self.edge = Edge(stage, [self.ssh_port, self.tls_port])
        self.sidecar = Sidecar(stage, [self.edge.invite("home", *endpoints)], {
            "ssh": {"publish": endpoints[0], "backend": f"127.0.0.1:{self.ssh.port}",
                    "health": "ssh"},
            "web": {"publish": endpoints[1], "backend": f"127.0.0.1:{self.tls.port}",
                    "health": "tls"}})
        self.sidecar.wait_until_published(*endpoints)

    def login(self):
        return self.ssh.ssh("127.0.0.1", self.ssh_port)

    def options(self):
        return self.ssh.options("127.0.0.1", self.ssh_port)


def write_random(path, size):
    """A file of that size that does not compress; its hash."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for _ in range(0, size, MIB):
            part = os.urandom(min(MIB, size))
            file.write(part)
            digest.update(part)
    return digest.hexdigest()


def hash_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_login(stage):
    chain = Chain(stage)
    answer = harness.run([*chain.login(), "echo", "$((6 * 7))"])
    harness.expect(answer.stdout == "42\n", answer.stdout)
    # A command's exit code and its standard input's end go through.
    counted = harness.run([*chain.login(), "wc", "-c"], input="x" * 100_000)
    harness.expect(counted.stdout.strip() == "100000", counted.stdout)
    harness.expect(harness.run([*chain.login(), "exit", "7"], check=False).returncode == 7, "7")


def check_scp_and_rsync_of_1_gib(stage):
    chain = Chain(stage)
    big = stage.folder / "big"
    wanted = write_random(big, BIG_BYTES)
    user = chain.ssh.user
    shell = " ".join(["ssh", *chain.options(), "-p", str(chain.ssh_port)])
    for how, command in {
            "scp up": ["scp", *chain.options(), "-P", chain.ssh_port, big,
                       f"{user}@127.0.0.1:{stage.folder}/copy"],
            "rsync down": ["rsync", "-e", shell, "--whole-file",
                           f"{user}@127.0.0.1:{big}", stage.folder / "copy"]}.items():
        began = time.monotonic()
        harness.run(command, seconds=300)
        seconds = time.monotonic() - began
        print(f"  {how} of 1 GiB: {seconds:.1f} s, {BIG_BYTES * 8 / seconds / 1e6:.0f} Mbit/s",
              flush=True)
        harness.expect(hash_of(stage.folder / "copy") == wanted, f"{how}: another hash")
        (stage.folder / "copy").unlink()


def idle_session(stage, seconds):
    chain = Chain(stage)
    done = harness.run([*chain.login(), "-o", "ServerAliveInterval=0",
                        f"echo before; sleep {seconds}; echo after"], seconds=seconds + 30)
    harness.expect(done.stdout == "before\nafter\n", done.stdout)


def check_ssh_session_idle_for_a_minute(stage):
    idle_session(stage, 60)


def long_ssh_session_idle_for_six_minutes(stage):
    idle_session(stage, 360)


def check_openssl_s_client(stage):
    chain = Chain(stage)
    done = harness.run([harness.tool("openssl"), "s_client", "-connect",
                        f"127.0.0.1:{chain.tls_port}", "-servername", NAME, "-verify_return_error",
                        "-CAfile", chain.tls.certificate, "-verify_hostname", NAME],
                       input="GET / HTTP/1.0\r\n\r\n")
    harness.expect("Verification: OK" in done.stdout, done.stdout)


def check_curl(stage):
    chain = Chain(stage)
    page = harness.run(["curl", "-sS", "--noproxy", "*", "--cacert", chain.tls.certificate,
                        "--resolve", f"{NAME}:{chain.tls_port}:127.0.0.1",
                        f"https://{NAME}:{chain.tls_port}/"])
    harness.expect("Ciphers supported" in page.stdout, page.stdout)


def check_an_unknown_name_gets_an_alert(stage):
    chain = Chain(stage)
    done = harness.run([harness.tool("openssl"), "s_client", "-connect",
                        f"127.0.0.1:{chain.tls_port}", "-servername", "other.demo.test"],
                       check=False)
    harness.expect(done.returncode != 0 and "unrecognized name" in done.stderr,
                   done.stdout + done.stderr)


if __name__ == "__main__":
    os.umask(0o077)
    harness.main(globals())
