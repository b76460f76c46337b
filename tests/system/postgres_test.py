"""PostgreSQL by name: Debian's psql asks for TLS before it says a name, and gets through edge and
tunnel to a server that ends TLS itself, and to one whose TLS ends at the sidecar."""

import glob
import os
import pathlib
import pwd
import shutil
import socket
import ssl
import struct
import subprocess

import harness
from product import Edge, Sidecar
from tls_test import make_pair

PASS, END, STRANGER = "pass.demo.test", "end.demo.test", "stranger.demo.test"
SSL_REQUEST, GSS_REQUEST = struct.pack(">II", 8, 80877103), struct.pack(">II", 8, 80877104)
CANCEL_REQUEST = struct.pack(">IIII", 16, 80877102, 1, 2)
ROWS = 20_000  # of 100 bytes, which is more than the buffers on the way hold


def server_tool(name):
    """Debian keeps them beside the PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    harness.expect(found, f"{name} is not installed; run dev/setup")
    return found[-1]


class Server:
    """A throw-away cluster on loopback, which trusts everyone. PostgreSQL does not run as root."""

    def __init__(self, stage):
        self.port = harness.free_port()
        self.chain, key = make_pair(stage, "postgres", names=[PASS])
        folder = stage.folder / "cluster"
        folder.mkdir(mode=0o700)
        enter = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            stage.folder.chmod(0o711)
            os.chown(folder, user.pw_uid, user.pw_gid)
            enter = [harness.tool("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                     "--clear-groups"]
        harness.run([*enter, server_tool("initdb"), "--no-sync", "--auth=trust", "-U", "owner", "-D",
                     folder], cwd="/")
        for source, name in ((self.chain, "server.crt"), (key, "server.key")):
            target = pathlib.Path(shutil.copy(source, folder / name))
            target.chmod(0o600)
            if enter:
                os.chown(target, user.pw_uid, user.pw_gid)
        settings = {"port": self.port, "listen_addresses": "127.0.0.1",
                    "unix_socket_directories": "", "ssl": "on", "fsync": "off"}
        stage.start("postgres", [*enter, server_tool("postgres"), "-D", folder, *(
            word for name, value in settings.items() for word in ("-c", f"{name}={value}"))],
                    cwd="/")
        harness.wait_for_port(self.port)


class Home:
    def __init__(self, stage):
        server = Server(stage)
        self.port, self.ending_port, self.raw_port = (harness.free_port() for _ in range(3))
        backend = {"backend": f"127.0.0.1:{server.port}"}
        ending = {"tls": "terminate", "certificate": "self-signed", "alpn": "postgresql", **backend}
        services = {"pass": {"publish": f"{PASS}:{self.port}", **backend},
                    "end": {"publish": [f"{END}:{self.port}", f":{self.ending_port}"], **ending},
                    "raw": {"publish": f":{self.raw_port}", **backend}}
        endpoints = [f"{PASS}:{self.port}", f"{END}:{self.port}", f":{self.ending_port}",
                     f":{self.raw_port}"]
        edge = Edge(stage, [self.port, self.ending_port, self.raw_port])
        self.sidecar = Sidecar(stage, [edge.invite("home", *endpoints)], services)
        self.sidecar.wait_until_published(*endpoints)
        self.roots = {PASS: server.chain,
                      END: self.sidecar.folder / "state" / f"self-signed-{END}.pem"}

    def psql(self, name, query, mode="verify-full", port=None):
        where = {"host": name, "hostaddr": "127.0.0.1", "port": port or self.port, "sslmode": mode,
                 "user": "owner", "dbname": "postgres", "connect_timeout": 10}
        if mode == "verify-full":
            where["sslrootcert"] = self.roots[name]
        return subprocess.run(
            [harness.tool("psql"), "-XAtq", "-c", query,
             " ".join(f"{key}={value}" for key, value in where.items())],
            capture_output=True, text=True, timeout=30, check=False)

    def say(self, *pieces, port=None):
        """What comes for each piece, and then the end."""
        answers = []
        with socket.create_connection(("127.0.0.1", port or self.port), 10) as client:
            for piece in pieces:
                client.sendall(piece)
                try:
                    answers.append(client.recv(1000))
                except ConnectionResetError:
                    answers.append("reset")
        return answers


def psql_finds_its_server_by_name(home):
    in_tls = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    for name, mode, expected in ((PASS, "verify-full", "t"), (PASS, "require", "t"),
                                 (END, "verify-full", "f"), (END, "require", "f")):
        done = home.psql(name, in_tls, mode)
        harness.expect(done.stdout == f"{expected}\n", f"{name} {mode}: {done}")
    rows = f"SELECT repeat('x', 100) FROM generate_series(1, {ROWS})"
    for name in (PASS, END):
        done = home.psql(name, rows)
        harness.expect(done.stdout == ("x" * 100 + "\n") * ROWS, f"{name}: {done.stderr}")
    # A port of its own needs no name; the sidecar, or the server, is the one who is asked.
    for port, expected in ((home.ending_port, "f"), (home.raw_port, "t")):
        done = home.psql("127.0.0.1", in_tls, "require", port)
        harness.expect(done.stdout == f"{expected}\n", f"port {port}: {done}")


def what_is_not_tls_goes_nowhere(home):
    done = home.psql(PASS, "SELECT 1", "disable")
    harness.expect(done.returncode != 0 and not done.stdout, f"without TLS: {done}")
    done = home.psql(STRANGER, "SELECT 1", "require")
    harness.expect("unrecognized name" in done.stderr, f"a name that nobody has: {done}")
    for port in (home.port, home.ending_port):
        harness.expect(home.say(GSS_REQUEST, SSL_REQUEST, b"not TLS", port=port)[:2] == [b"N", b"S"],
                       "requests are answered")
        harness.expect(home.say(CANCEL_REQUEST, port=port)[0] in (b"", "reset"), "no cancelling")
        harness.expect(home.say(SSL_REQUEST + b"\x16", port=port)[0] in (b"", "reset"),
                       "nothing may come before the answer")


def direct_tls_still_works(home):
    context = ssl.create_default_context(cafile=home.roots[END])
    context.set_alpn_protocols(["postgresql"])
    words = b"user\0owner\0database\0postgres\0\0"
    with socket.create_connection(("127.0.0.1", home.port), 10) as plain:
        with context.wrap_socket(plain, server_hostname=END) as client:
            harness.expect(client.selected_alpn_protocol() == "postgresql", "the protocol")
            client.sendall(struct.pack(">II", 8 + len(words), 196608) + words)
            harness.expect(client.recv(1) == b"R", "the server asks for no password")


def check_postgres_by_name(stage):
    home = Home(stage)  # whose cluster takes seconds to make
    psql_finds_its_server_by_name(home)
    what_is_not_tls_goes_nowhere(home)
    direct_tls_still_works(home)


if __name__ == "__main__":
    harness.main(globals())
