"""Certificates from an ACME authority (pebble), proven through the edge by tls-alpn-01."""

import http.server
import json
import re
import socket
import ssl
import threading
import time

import harness
import metrics_text
from pebble import Pebble
from product import Edge, Sidecar
from tls_test import LineServer

NAME, OTHER = "home.demo.test", "other.demo.test"


class Home:
    """A service whose certificate comes from pebble. The edge's port is where pebble looks."""

    def __init__(self, stage, more=None, service=None, **options):
        self.stage = stage
        self.server = LineServer()
        self.port = harness.free_port()
        self.pebble = Pebble(stage, self.port, **options)
        self.endpoints = [f"{NAME}:{self.port}", f"{OTHER}:{self.port}"]
        self.edge = Edge(stage, [self.port])
        self.sidecar = Sidecar(
            stage, [self.edge.invite("home", *self.endpoints)],
            {"lines": {"publish": self.endpoints, "backend": f"127.0.0.1:{self.server.port}",
                       "tls": "terminate", **(service or {})}},
            more={"acme": {"email": "me@example.com", "directory": self.pebble.directory,
                           "ca": str(self.pebble.certificate), **(more or {})}})

    def service(self):
        status = self.sidecar.status()
        return status["services"][0] if status else {}

    def fingerprints(self):
        return [one["sha256"] for one in self.service().get("certificates", [])]

    def metric(self, name, **labels):
        page = harness.run(["curl", "-sf", "--unix-socket", self.sidecar.admin,
                            "http://admin/metrics"]).stdout
        return metrics_text.parse(page)[name].value(service="lines", **labels)

    def wait_for_certificate(self, seconds=30, other_than=()):
        return harness.eventually(
            lambda: [one for one in self.fingerprints() if one not in other_than], seconds,
            f"a certificate: {self.service().get('certificate_problem')}")

    def wait_for_problem(self, pattern, seconds=30):
        harness.eventually(
            lambda: re.search(pattern, self.service().get("certificate_problem", "")), seconds,
            f"the problem /{pattern}/")

    def say(self, name, text):
        done = harness.run([harness.tool("openssl"), "s_client", "-connect",
                            f"127.0.0.1:{self.port}", "-servername", name, "-verify_return_error",
                            "-verify_hostname", name, "-CAfile", self.pebble.root(), "-ign_eof"],
                           input=f"{text}\nbye\n")
        return done.stdout


def check_a_certificate_for_two_names_outlives_restarts(stage):
    # Nine of ten nonces are refused, as by an authority with many machines under load.
    home = Home(stage)
    first = home.wait_for_certificate(60)
    for name in (NAME, OTHER):
        harness.expect("you said hello" in home.say(name, "hello"), name)
    for _ in range(3):
        home.sidecar.program.stop()
        home.sidecar.start()
        harness.expect(home.wait_for_certificate() == first, "another certificate")
    harness.expect(home.pebble.issued() == 1, f"{home.pebble.issued()} certificates")
    home.sidecar.wait_until_published(*home.endpoints)
    # Nobody is shown a challenge when none is expected.
    refused = harness.run([harness.tool("openssl"), "s_client", "-connect",
                           f"127.0.0.1:{home.port}", "-servername", NAME, "-alpn", "acme-tls/1"],
                          check=False)
    harness.expect("alert no application protocol" in refused.stderr, refused.stderr)
    state = home.sidecar.folder / "state"
    for file in state.iterdir():
        harness.expect(file.stat().st_mode & 0o077 == 0, f"others can read {file}")
    secret = next(state.glob("acme-home*.pem")).read_text()
    key = re.search("BEGIN PRIVATE KEY-----\n(.{40})", secret).group(1)
    harness.expect(key not in home.sidecar.program.output(), "a key in the log")


def check_an_authority_looks_where_nobody_is_let_in(stage):
    home = Home(stage, service={"allow": "192.0.2.1"})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    tries = 0

    def shown(alpn):
        """Whether a client that is not allowed sees any certificate."""
        context.set_alpn_protocols(alpn)
        try:
            with (socket.create_connection(("127.0.0.1", home.port), 5) as stream,
                  context.wrap_socket(stream, server_hostname=NAME)):
                return True
        except OSError:
            return False

    home.sidecar.wait_until_published(*home.endpoints)
    while not home.fingerprints():
        for alpn in (["h2"], ["h2", "acme-tls/1"], ["acme-tls/1", "h2"]):
            harness.expect(not shown(alpn), f"a client with {alpn}")
        tries += 1
        harness.expect(tries < 600, home.service())
        time.sleep(0.05)
    harness.expect(not shown(["acme-tls/1"]), "nobody is expected any longer")
    harness.expect(home.metric("sidestream_service_streams_ended_total", end="looked_at") >= 2,
                   "the authority has looked")
    print(f"{tries} times 3 clients were refused while the authority looked")


def long_a_short_life_is_renewed_without_dropping_a_stream(stage):
    # The one stream that the service may have lives, and does not keep the authority out.
    home = Home(stage, service={"limits": {"streams": 1}}, life_seconds=20, nonce_rejects=0,
                reuse=0)
    first = home.wait_for_certificate()
    talk = stage.start("talk", [harness.tool("openssl"), "s_client", "-connect",
                                f"127.0.0.1:{home.port}", "-servername", NAME, "-quiet"],
                       stdin=harness.subprocess.PIPE)
    talk.process.stdin.write(b"before\n")
    talk.process.stdin.flush()
    talk.wait_for_line("you said before")
    home.wait_for_certificate(45, other_than=first)
    talk.process.stdin.write(b"after\n")
    talk.process.stdin.flush()
    talk.wait_for_line("you said after")


def check_the_doctor_shows_the_record_that_is_missing(stage):
    home = Home(stage, nonce_rejects=0)
    home.wait_for_certificate()

    def doctor():
        done = home.sidecar.run("doctor", "--dns", home.pebble.name_server, check=False)
        return done.returncode, done.stdout
    # Names lead to the edge, and its account is known.
    code, text = doctor()
    harness.expect(code == 0, text)
    harness.expect(f"good: {NAME} leads to the edge, 127.0.0.1" in text, text)
    url = re.search(r"certificate obtained.*account=\"?(\S+?)\"?$", home.sidecar.program.output(),
                    re.MULTILINE).group(1)
    line = f'{NAME}. CAA 0 issue "AUTHORITY;validationmethods=tls-alpn-01;accounturi={url}"'
    harness.expect(f"warning: {NAME} has no CAA record" in text and line in text, f"{line}\n{text}")
    value = re.search('issue "(.*)"', line).group(1)
    home.pebble.address.write_text(f"127.0.0.1\ncaa {value}\n")
    code, text = doctor()
    harness.expect(code == 0 and f"good: {NAME} has a CAA record that allows certificates for our "
                   "account only" in text, text)
    home.pebble.address.write_text(f"127.0.0.1\ncaa {value}9\n")
    code, text = doctor()
    harness.expect(code == 1 and f"problem: {NAME} has a CAA record for another account" in text,
                   text)
    home.sidecar.program.stop()
    code, text = doctor()
    harness.expect(code == 1 and "problem: the program does not run" in text, text)


class DnsHook:
    """Writes TXT records for the name server of a test."""

    def __init__(self, records):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.append((self.path, wish["fqdn"]))
                line = f"\ntxt {wish['value']}"
                present = records.read_text()
                records.write_text(present + line if self.path == "/present"
                                   else present.replace(line, ""))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()


def check_a_wildcard_is_proven_in_dns(stage):
    port = harness.free_port()
    pebble = Pebble(stage, harness.free_port(), nonce_rejects=0, reuse=0)
    hook, server = DnsHook(pebble.address), LineServer()
    endpoints = [f"*.demo.test:{port}", f"demo.test:{port}"]
    edge = Edge(stage, [port])
    sidecar = Sidecar(
        stage, [edge.invite("home", *endpoints)],
        {"lines": {"publish": endpoints, "backend": f"127.0.0.1:{server.port}",
                   "tls": "terminate"}},
        more={"acme": {"directory": pebble.directory, "ca": str(pebble.certificate),
                       "dns_hook": f"127.0.0.1:{hook.port}"}})
    sidecar.wait_until_published(*endpoints)
    names = harness.eventually(
        lambda: [one["names"] for one in sidecar.status()["services"][0].get("certificates", [])],
        30, f"a certificate: {sidecar.program.tail()}")
    harness.expect(names == ["*.demo.test, demo.test"] or names == ["demo.test, *.demo.test"], names)
    harness.eventually(lambda: len(hook.asked) == 4, 10, f"records come and go: {hook.asked}")
    harness.expect({name for _, name in hook.asked} == {"_acme-challenge.demo.test."}, hook.asked)
    harness.expect("txt" not in pebble.address.read_text(), "a record was left over")


def long_an_account_that_the_authority_knows(stage):
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    home = Home(stage, more={"eab": {"key_id": "kid-1", "key": key}}, nonce_rejects=0,
                binding={"kid-1": key})
    home.wait_for_certificate()


def check_what_went_wrong_is_told_and_not_tried_again_by_restarting(stage):
    home = Home(stage, nonce_rejects=0)
    # DNS leads somewhere else.
    home.pebble.address.write_text("127.0.0.99")
    home.sidecar.program.stop()
    for file in (home.sidecar.folder / "state").glob("acme-home*"):
        file.unlink()
    home.sidecar.start()
    home.wait_for_problem(f"could not see that .*demo.test is served here: .*; the next attempt")
    orders = home.pebble.program.output().count("new-order") + home.pebble.program.output().count(
        "order-plz")
    home.sidecar.program.stop()
    home.sidecar.start()
    home.wait_for_problem("an earlier attempt failed; the next one is at")
    again = home.pebble.program.output().count("new-order") + home.pebble.program.output().count(
        "order-plz")
    harness.expect(again == orders, "asked again")
    harness.expect(home.metric("sidestream_certificate_problem") == 1, "no problem is counted")
    # Mended, and told so.
    home.pebble.address.write_text("127.0.0.1")
    home.sidecar.program.signal(1)
    home.wait_for_certificate(45)
    harness.expect(home.metric("sidestream_certificate_problem") == 0, "a problem is counted")
    harness.expect(home.metric("sidestream_certificate_expiry_timestamp_seconds") > time.time(),
                   "it has expired")


def long_an_authority_that_is_down_is_asked_again(stage):
    home = Home(stage, nonce_rejects=0)
    home.wait_for_certificate()
    home.pebble.program.kill()
    home.sidecar.program.stop()
    for file in (home.sidecar.folder / "state").glob("acme-home*"):
        file.unlink()
    home.sidecar.start()
    home.wait_for_problem("the authority does not answer")
    home.pebble.start()
    home.sidecar.program.signal(1)
    home.wait_for_certificate(45)


if __name__ == "__main__":
    harness.main(globals())
