"""TLS that ends at home, with real clients: openssl, curl, gnutls-cli, Python's own."""

import contextlib
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time

import harness
from product import Edge, Sidecar

NAME = "home.demo.test"
BIG_BYTES = 10 << 20


class LineServer:
    """Speaks in lines, without TLS: answers each one, and at the end of what it is sent says how
    many bytes that was. It ends the connection after `bye`, and resets it after `reset`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends = []  # how each connection ended
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        count = 0
        with connection:
            try:
                while received := connection.recv(65536):
                    count += len(received)
                    if received == b"big\n":
                        connection.sendall(b"x" * BIG_BYTES)
                    elif received == b"reset\n":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + b"\0" * 7)
                        return
                    elif received.endswith(b"\n"):
                        connection.sendall(b"you said " + received)
                    if received.endswith(b"bye\n"):
                        return
                if count == 0:
                    return  # a health check
                self.ends.append("end")
                connection.sendall(b"%d bytes\n" % count)
            except OSError:
                self.ends.append("reset")


class Home:
    """A service whose TLS ends at home, by name and by port."""

    def __init__(self, stage, certificate="self-signed", more=None, start=True):
        self.stage = stage
        self.server = LineServer()
        self.port, self.bare_port = harness.free_port(), harness.free_port()
        self.endpoints = [f"{NAME}:{self.port}", f":{self.bare_port}"]
        self.edge = Edge(stage, [self.port, self.bare_port])
        self.service = {"publish": self.endpoints, "backend": f"127.0.0.1:{self.server.port}",
                        "tls": "terminate", "certificate": certificate, **(more or {})}
        self.sidecar = Sidecar(stage, [self.edge.invite("home", *self.endpoints)],
                               {"lines": self.service}, start=start)
        if start:
            self.sidecar.wait_until_published(*self.endpoints)

    def state_file(self, name):
        return pathlib.Path(self.sidecar.configuration["state"]) / name

    def pinned(self):
        return self.state_file(f"self-signed-{NAME}.pem")

    def certificate(self):
        return self.sidecar.status()["services"][0]["certificates"][0]

    def client(self, trusted=None, port=None, **options):
        """An openssl s_client that trusts one certificate."""
        trusted = trusted or self.pinned()
        options.setdefault("ign_eof", True)
        words = [word for name, value in options.items()
                 if value is not False
                 for word in (f"-{name}", *([value] if value is not True else []))]
        return [harness.tool("openssl"), "s_client", "-connect", f"127.0.0.1:{port or self.port}",
                "-servername", NAME, "-verify_return_error", "-verify_hostname", NAME,
                "-CAfile", trusted, *words]

    def connect(self, trusted=None):
        context = ssl.create_default_context(cafile=trusted or self.pinned())
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return context.wrap_socket(plain, server_hostname=NAME, suppress_ragged_eofs=False)

    def logged(self, pattern, seconds=10):
        return self.sidecar.program.wait_for_line(pattern, seconds)


def make_pair(stage, name, names=(NAME,), issuer=None, usage="serverAuth", days="7"):
    """(certificate, key) in files, signed by itself or by another pair."""
    chain, key = stage.folder / f"{name}.pem", stage.folder / f"{name}.key"
    words = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
    harness.run([harness.tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", days, "-subj", f"/CN={name}",
                 "-addext", "subjectAltName=" + ",".join(f"DNS:{one}" for one in names),
                 "-addext", "basicConstraints=critical,CA:" + ("FALSE" if issuer else "TRUE"),
                 *(["-addext", f"extendedKeyUsage={usage}"] if issuer else []),
                 *words, "-keyout", key, "-out", chain])
    return chain, key


def check_a_self_signed_certificate_is_pinned_and_outlives_restarts(stage):
    home = Home(stage)
    for version in ("tls1_2", "tls1_3"):
        done = harness.run(home.client(**{version: True}), input="ping\nbye\n")
        harness.expect("you said ping" in done.stdout, done.stdout)
    harness.expect(home.pinned().stat().st_mode & 0o777 == 0o600, "others can read it")
    shown = home.certificate()["sha256"]
    printed = harness.run([harness.tool("openssl"), "x509", "-in", home.pinned(), "-noout",
                           "-fingerprint", "-sha256"]).stdout
    harness.expect(shown in printed, f"{shown} is not {printed}")
    # What wallets look for before they pin: a leaf that signed itself (18), and no unknown issuer.
    stranger = harness.run([harness.tool("openssl"), "s_client", "-connect",
                            f"127.0.0.1:{home.bare_port}", "-noservername", "-ign_eof"], input="bye\n")
    harness.expect("Verify return code: 18 (self-signed certificate)" in stranger.stdout,
                   stranger.stdout)
    home.sidecar.program.stop()
    home.sidecar.start().wait_until_published(*home.endpoints)
    harness.expect(home.certificate()["sha256"] == shown, "another certificate")
    table = home.sidecar.run("status").stdout
    harness.expect(shown in table, table)


class HalfClosing:
    """A client that ends its direction with close_notify and reads on, which Python's sockets
    cannot: they would wait for the other side."""

    def __init__(self, home):
        context = ssl.create_default_context(cafile=home.pinned())
        self.plain = socket.create_connection(("127.0.0.1", home.port), timeout=10)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=NAME)
        self.carry(self.tls.do_handshake)

    def carry(self, step, *words):
        while True:
            try:
                return step(*words)
            except ssl.SSLWantReadError:
                self.send()
                received = self.plain.recv(65536)
                if received:
                    self.incoming.write(received)
                else:
                    self.incoming.write_eof()
            finally:
                self.send()

    def send(self):
        self.plain.sendall(self.outgoing.read())

    def end_writing(self):
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.send()

    def read_all(self):
        heard = b""
        with contextlib.suppress(ssl.SSLZeroReturnError):  # close_notify
            while True:
                heard += self.carry(self.tls.read, 65536)
        return heard


def check_each_direction_ends_by_itself(stage):
    home = Home(stage)
    client = HalfClosing(home)
    client.carry(client.tls.write, b"x" * BIG_BYTES)
    client.end_writing()
    heard = client.read_all()
    harness.expect(heard == b"%d bytes\n" % BIG_BYTES, heard)
    client.plain.close()
    harness.eventually(lambda: home.server.ends == ["end"], 10, "an end in order")
    home.logged(r"stream ended.*end=\"both ended\".*tls=TLSv1.3|tls=TLSv1.3.*both ended")


def check_a_client_that_was_cut_off_is_no_end(stage):
    home = Home(stage)
    client = home.connect()
    client.sendall(b"half a line")
    client.settimeout(0.5)
    try:
        client.recv(1)  # what is not read when it closes would make a reset of its end
    except TimeoutError:
        pass
    socket.socket(fileno=client.detach()).close()  # without close_notify
    harness.eventually(lambda: home.server.ends == ["reset"], 10, "a reset at the backend")
    home.logged(r"end=\"client side broke: it ended without close_notify\"")


def check_a_backends_reset_is_no_end(stage):
    home = Home(stage)
    client = home.connect()
    client.sendall(b"reset\n")
    try:
        received = client.recv(100)
        raise harness.Failure(f"an end in order, after {received}")
    except (ssl.SSLError, ConnectionError):
        pass


def check_ten_mebibytes_arrive_whole(stage):
    home = Home(stage)
    client = home.connect()
    client.sendall(b"big\n")
    heard = 0
    while heard < BIG_BYTES:
        part = client.recv(1 << 20)
        harness.expect(part and not part.strip(b"x"), "an end too early, or other bytes")
        heard += len(part)
    client.close()


def check_sessions_are_resumed(stage):
    home = Home(stage)
    for version in ("tls1_2", "tls1_3"):
        kept = stage.folder / f"session-{version}"
        for wanted in ("New", "Reused"):
            words = {"sess_out" if wanted == "New" else "sess_in": kept, version: True}
            done = harness.run(home.client(**words), input="ping\nbye\n")
            harness.expect(re.search(f"^{wanted}, TLS", done.stdout, re.MULTILINE),
                           f"{version}: not {wanted}\n{done.stdout}")


def commanded(stage, home, name, *steps, **options):
    """An s_client that is given its lines (and commands) one at a time."""
    client = stage.start(name, home.client(ign_eof=False, **options), stdin=subprocess.PIPE)
    client.wait_for_line("Verify return code|Verification")
    for line, answer in steps:
        client.process.stdin.write(line)
        client.process.stdin.flush()
        client.wait_for_line(answer)
        time.sleep(0.3)  # what comes with a command in one piece is lost
    client.process.stdin.close()
    return client


def check_keys_are_renewed_and_renegotiation_is_refused(stage):
    home = Home(stage)
    commanded(stage, home, "renewing", (b"K\n", "KEYUPDATE"), (b"still here\n", "said still here"),
              (b"k\n", "KEYUPDATE"), (b"and now bye\n", "said and now bye"), tls1_3=True).wait()
    refused = commanded(stage, home, "refused", (b"R\n", "RENEGOTIATING"), tls1_2=True,
                        legacy_renegotiation=True)
    refused.wait_for_line("no renegotiation")


def check_protocols_are_agreed_on(stage):
    home = Home(stage, more={"alpn": ["postgresql", "h2"]})
    done = harness.run(home.client(alpn="h2,postgresql"), input="bye\n")
    harness.expect("ALPN protocol: postgresql" in done.stdout, done.stdout)
    other = harness.run(home.client(alpn="imap"), input="bye\n", check=False)
    harness.expect("no application protocol" in other.stderr, other.stderr)
    validator = harness.run(home.client(alpn="acme-tls/1"), input="bye\n", check=False)
    harness.expect("no application protocol" in validator.stderr, validator.stderr)


def check_files_are_swapped_without_dropping_a_stream(stage):
    authority = make_pair(stage, "authority")
    first = make_pair(stage, "first", issuer=authority)
    second = make_pair(stage, "second", issuer=authority)
    used = stage.folder / "used.pem", stage.folder / "used.key"
    for source, target in zip(first, used):
        target.touch(0o600)
        target.write_bytes(source.read_bytes())
    home = Home(stage, {"chain": str(used[0]), "key": str(used[1])})
    before = home.certificate()["sha256"]
    client = home.connect(authority[0])
    # A pair that does not match keeps the old one, and says why.
    used[0].write_bytes(second[0].read_bytes())
    home.logged(r"certificate needs care.*the key does not belong", seconds=30)
    status = home.sidecar.status()["services"][0]
    harness.expect("does not belong" in status["certificate_problem"], status)
    harness.expect(home.certificate()["sha256"] == before, "the bad one is in use")
    used[1].chmod(0o644)
    home.logged(r"certificate needs care.*chmod 600", seconds=30)
    used[1].chmod(0o600)
    used[1].write_bytes(second[1].read_bytes())
    home.sidecar.program.signal(1)  # SIGHUP: now, and not within ten seconds
    harness.eventually(lambda: home.certificate()["sha256"] != before, 5, "the new certificate")
    client.sendall(b"still here\n")
    harness.expect(client.recv(100) == b"you said still here\n", "the stream was dropped")
    client.close()
    done = harness.run(home.client(authority[0]), input="bye\n")
    harness.expect("CN = second" in done.stdout, done.stdout)


def check_clients_with_certificates(stage):
    authority = make_pair(stage, "authority")
    friend = make_pair(stage, "friend", issuer=authority, usage="clientAuth")
    stranger = make_pair(stage, "stranger", issuer=make_pair(stage, "nobody"), usage="clientAuth")
    home = Home(stage, more={"client_ca": str(authority[0])})
    done = harness.run(home.client(cert=friend[0], key=friend[1]), input="ping\nbye\n")
    harness.expect("you said ping" in done.stdout, done.stdout)
    home.logged(r"stream ended.*client_certificate=\"?CN=friend")
    for words, why in (({}, "peer did not return a certificate"),
                       ({"cert": stranger[0], "key": stranger[1]}, "certificate refused")):
        refused = harness.run(home.client(**words), input="ping\nbye\n", check=False)
        harness.expect("you said" not in refused.stdout, refused.stdout)
        home.logged(f"end=\"refused: TLS: {why}")
        time.sleep(1.1)  # what strangers do is logged once in a second


def check_what_is_no_tls_is_refused(stage):
    home = Home(stage)
    with socket.create_connection(("127.0.0.1", home.bare_port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while plain.recv(100):
                pass
    home.logged("end=\"refused: TLS: http request\"")
    old = harness.run(home.client(tls1_1=True, cipher="ALL:@SECLEVEL=0"), input="bye\n", check=False)
    harness.expect(old.returncode != 0, old.stdout)


def check_mistakes_are_found_before_anything_starts(stage):
    pair, other = make_pair(stage, "one"), make_pair(stage, "other")
    home = Home(stage, {"chain": str(pair[0]), "key": str(other[1])}, start=False)
    home.sidecar.write_configuration()
    found = home.sidecar.run("check", check=False)
    output = found.stdout + found.stderr
    harness.expect(found.returncode == 2, output)
    harness.expect(re.search(r"sidecar.yaml:\d+:\d+: services.lines.certificate: the key does not "
                             "belong", output), output)


def check_gnutls_and_curl(stage):
    home = Home(stage)
    done = harness.run([harness.tool("gnutls-cli"), "--x509cafile", home.pinned(), "--sni-hostname",
                        NAME, "--verify-hostname", NAME, "-p", home.port, "127.0.0.1"],
                       input="ping\nbye\n")
    harness.expect("you said ping" in done.stdout, done.stdout)
    page = harness.run(["curl", "-sS", "--noproxy", "*", "--http0.9", "--cacert", home.pinned(),
                        "--resolve", f"{NAME}:{home.port}:127.0.0.1", "--max-time", "3",
                        f"https://{NAME}:{home.port}/"], check=False)
    harness.expect("you said GET / HTTP/1.1" in page.stdout, page.stdout + page.stderr)


if __name__ == "__main__":
    harness.main(globals())
