"""The Compose examples with another program between: HAProxy as a filter of the engine's socket and as
the edge's router, an authority that gives certificates, a wallet."""

from daemon import IMAGES, keep_ticket, ticket_of
from docker import Project, harness
from electrum_test import NAME, Wallet
from pebble import Pebble

LABELLED = {"sidestream.services.late.publish": ":6380", "sidestream.services.late.port": "6379"}


def edge_on(docker, *ports):
    """The example `edge`, with these public ports instead of its own."""
    edge = Project(docker, "edge", name="edge-of-labels", service="edge", replace={
        "edge.yaml": {"vps.example.com": "edge", "[443, 2222]": str(list(ports))},
        "compose.yaml": {'      - "443:443"\n      - "2222:2222"\n': "".join(
            f'      - "{port}:{port}"\n' for port in ports)}}).up()
    harness.eventually(edge.healthy, 20, "the edge is healthy")
    return edge


def answer_to(docker, project, request):
    """The first line of what the socket proxy answers."""
    address = project.address("socket-proxy")[0]
    talk = (f"exec 3<>/dev/tcp/{address}/2375; printf '{request} HTTP/1.1\\r\\nHost: a\\r\\n"
            "Content-Length: 0\\r\\n\\r\\n' >&3; head -n 1 <&3")
    return docker.client("bash", "-c", talk).stdout.strip()


def the_labels_are_read_through_a_filter(docker):
    edge = edge_on(docker, 6379, 6380)
    labels = Project(docker, "labels", network="edge-of-labels_default", environment={
        **IMAGES, "SIDESTREAM_TICKET": ticket_of(edge, "home", ":6379", ":6380"),
        "DOCKER_SOCKET": docker.socket}, networks="[default, apps, engine, internet]").up()
    harness.eventually(lambda: docker.redis(6379, "ping") == "PONG", 30, "redis, by its labels")
    words = [word for key, text in LABELLED.items() for word in ("--label", f"{key}={text}")]
    docker.run("run", "--detach", "--name", "late", "--network", "labels_apps", *words,
               "test/redis")
    harness.eventually(lambda: docker.redis(6380, "ping") == "PONG", 10, "one that came later")
    docker.run("rm", "--force", "late")
    harness.eventually(lambda: docker.redis(6380, "ping") != "PONG", 10, "it is gone")
    for allowed in ("GET /_ping", "GET /v1.41/containers/json"):
        harness.expect(" 200 " in answer_to(docker, labels, allowed), allowed)
    for refused in ("POST /v1.41/containers/late/kill", "DELETE /v1.41/containers/late",
                    "POST /v1.41/containers/create", "GET /v1.41/images/json",
                    "GET /v1.41/containers/late/archive", "HEAD /v1.41/containers/json"):
        said = answer_to(docker, labels, refused)
        harness.expect(" 403 " in said, f"{refused}: {said}")
    print("  labels through a filter that lets only GET through: served, 6 other requests refused")
    labels.compose("down", "--timeout", "2")
    edge.compose("down", "--volumes", "--timeout", "2")


def the_wallet_is_served(docker, edge):
    """A server without TLS at home; the certificate is of an authority, by ACME."""
    stage = docker.stage
    authority = Pebble(stage, 443, nonce_rejects=0, listen="0.0.0.0",
                       enter=docker.in_its_network())
    authority.certificate.chmod(0o644)
    lines = "".join(f"      {line}\n" for line in (
        f"SIDESTREAM_ACME_DIRECTORY: https://host.docker.internal:{authority.port}/dir",
        "SIDESTREAM_ACME_CA: /authority.pem"))
    electrum = Project(docker, "electrum", network="edge-haproxy_default", environment={
        **IMAGES, "NAME": NAME}, replace={"compose.yaml": {
            "      SIDESTREAM_ACME_EMAIL: ${EMAIL:-}\n": lines,
            'volumes: ["state:/var/lib/sidestream"]':
                f'extra_hosts: ["host.docker.internal:host-gateway"]\n    volumes: '
                f'["state:/var/lib/sidestream", "{authority.certificate}:/authority.pem:ro"]'}})
    keep_ticket(electrum, ticket_of(edge, "electrum", NAME, f"{NAME}:50002"))
    electrum.up()
    harness.eventually(lambda: authority.issued() > 0, 60, "the authority gives a certificate")
    wallet = Wallet(stage, 50002, authorities=authority.root(), enter=docker.in_its_network())
    wallet.wait_until_connected()
    harness.expect(wallet.pinned().read_text() == "", "it pinned a certificate of an authority")
    print("  the Electrum wallet is connected, by a certificate of an authority")
    electrum.compose("down", "--volumes", "--timeout", "2")


def wallets_and_haproxy_work(docker):
    """Both together: what goes home goes through HAProxy."""
    edge = Project(docker, "edge-haproxy", service="edge", environment=IMAGES, replace={
        "edge.yaml": {"vps.example.com": "edge", "[443, 2222]": "[443, 2222, 50002]"},
        "compose.yaml": {'      - "2222:2222"\n': '      - "2222:2222"\n      - "50002:50002"\n'},
        "haproxy.cfg": {"    bind :::443 v4v6\n":
                        "    bind :::443 v4v6\n    bind :::50002 v4v6\n"}}).up()
    harness.eventually(edge.healthy, 20, "the edge is healthy")
    several = Project(docker, "several-services", network="edge-haproxy_default", replace={
        "sidecar.yaml": {'":6379"': '":2222"'}}, environment={
            **IMAGES, "SIDESTREAM_TICKET": ticket_of(edge, "home", "www.example.com",
                                                     ":2222")}).up()
    harness.eventually(lambda: docker.page("www.example.com"), 40, "the web page")
    harness.eventually(lambda: docker.redis(2222, "ping") == "PONG", 30, "redis")
    harness.expect(not docker.page("other.example.com"), "a name of nobody")
    # HAProxy is killed and comes back, with everything.
    docker.run("kill", edge.container("haproxy"))
    docker.run("start", edge.container("haproxy"))
    harness.eventually(lambda: docker.redis(2222, "ping") == "PONG", 10, "redis, after a kill")
    print("  HAProxy in front of the edge: a name and a port are served, after a kill too")
    several.compose("down", "--timeout", "2")
    the_wallet_is_served(docker, edge)
    edge.compose("down", "--volumes", "--timeout", "2")
