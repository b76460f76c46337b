"""Certificates proven by http-01, on port 80 of the edge. As root, for that port."""

import re

import harness
from pebble import Pebble
from product import Edge, Sidecar
from tls_test import LineServer

ADDRESS, NAME = "127.0.0.80", "home.demo.test"  # an address that has its port 80 to itself


def check_a_name_is_proven_on_port_80(stage):
    port, server = harness.free_port(), LineServer()
    pebble = Pebble(stage, harness.free_port(), nonce_rejects=0, http_port=80, address=ADDRESS)
    endpoint = f"{NAME}:{port}"
    edge = Edge(stage, [80, port], address=ADDRESS)
    sidecar = Sidecar(
        stage, [edge.invite("home", endpoint, ":80")],
        {"lines": {"publish": endpoint, "backend": f"127.0.0.1:{server.port}",
                   "tls": "terminate"}},
        more={"acme": {"directory": pebble.directory, "ca": str(pebble.certificate),
                       "challenge": "http-01"}})
    sidecar.wait_until_published(endpoint, ":80")

    def certificates():
        services = {one["name"]: one for one in sidecar.status()["services"]}
        return services["lines"].get("certificates", [])
    harness.eventually(certificates, 30, "a certificate")
    moved = harness.run(["curl", "-si", "--resolve", f"{NAME}:80:{ADDRESS}",
                         f"http://{NAME}/page"]).stdout
    harness.expect(re.search(rf"(?i)^location: https://{NAME}/page\r?$", moved, re.MULTILINE), moved)
    # A reload leaves it alone.
    sidecar.program.signal(1)
    sidecar.program.wait_for_line("configuration", 10)
    sidecar.wait_until_published(endpoint, ":80")


if __name__ == "__main__":
    harness.main(globals())
