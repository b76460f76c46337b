"""TLS that begins again on the way to the backend (`backend: tls://…`), always verified."""

import socket
import ssl
import threading

import harness
from product import Edge, Sidecar
from tls_test import make_pair

NAME = "home.demo.test"


class TlsLineServer:
    """Answers lines in TLS, after a PROXY v1 line when `introduced`."""

    def __init__(self, chain, key, introduced=False):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(chain, key)
        self.introduced = introduced
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.names, self.introductions = [], []
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            if self.introduced and connection.recv(1, socket.MSG_PEEK) == b"P":
                line = b""
                while not line.endswith(b"\r\n"):
                    line += connection.recv(1)
                self.introductions.append(line)
            with self.context.wrap_socket(connection, server_side=True) as secured:
                while received := secured.recv(65536):
                    secured.sendall(b"you said " + received)
        except OSError:
            pass


class Home:
    """TLS ends at home and begins again."""

    def __init__(self, stage, server, more):
        self.port = harness.free_port()
        endpoint = f"{NAME}:{self.port}"
        edge = Edge(stage, [self.port])
        self.sidecar = Sidecar(stage, [edge.invite("home", endpoint)],
                               {"lines": {"publish": endpoint, "tls": "terminate",
                                          "certificate": "self-signed",
                                          "backend": f"tls://127.0.0.1:{server.port}", **more}})
        self.endpoint = endpoint

    def say(self, text):
        pinned = self.sidecar.folder / "state" / f"self-signed-{NAME}.pem"
        context = ssl.create_default_context(cafile=pinned)
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=NAME) as secured:
                secured.sendall(text)
                return secured.recv(1000)

    def reason(self):
        status = self.sidecar.status()
        return status["services"][0].get("health_reason", "") if status else ""


def check_the_backends_certificate_is_for_the_name(stage):
    chain, key = make_pair(stage, "backend", names=["app.internal"])
    server = TlsLineServer(chain, key, introduced=True)
    home = Home(stage, server, {"server_name": "app.internal", "ca": str(chain),
                                "proxy_protocol": "v1"})
    home.sidecar.wait_until_published(home.endpoint)
    harness.expect(home.say(b"hello\n") == b"you said hello\n", "no answer")
    harness.expect(server.names[-1] == "app.internal", server.names)
    harness.expect(server.introductions[-1].startswith(b"PROXY TCP4 127.0.0.1 "),
                   server.introductions)


def check_a_certificate_that_is_not_good_is_never_spoken_to(stage):
    chain, key = make_pair(stage, "backend", names=["app.internal"])
    server = TlsLineServer(chain, key)
    home = Home(stage, server, {"ca": str(chain)})
    harness.eventually(lambda: "TLS: certificate refused: IP address mismatch" in home.reason(),
                       10, f"the reason: {home.reason()}")
    # And without a health check, at each stream.
    home.sidecar.program.stop()
    service = home.sidecar.configuration["services"]["lines"]
    service.update({"health": "none", "server_name": "app.internal"})
    del service["ca"]
    home.sidecar.start().wait_until_published(home.endpoint)
    try:
        answer = home.say(b"hello\n")
    except OSError:
        answer = b""
    harness.expect(answer == b"", answer)
    home.sidecar.program.wait_for_line(
        r"backend not reached: TLS: certificate refused: (self-signed certificate|unable to get)")


if __name__ == "__main__":
    harness.main(globals())
