"""The image and the Compose examples, as a user meets them: `docker-compose up`, and a client
gets in. What is here runs in one daemon with one base image."""

import hashlib
import json
import re
import shutil
import time

from daemon import IMAGES, Daemon, keep_ticket, ticket_of
from docker import BASE, IMAGE, Docker, Project, harness
from examples import the_labels_are_read_through_a_filter, wallets_and_haproxy_work
from stalled_readers import SANDBOX, stalled_readers_fit_into_64_mb

IMAGE_BYTES_MAX = 15_000_000


def the_image_is_small_and_locked_in(docker):
    size = int(docker.run("inspect", "--format", "{{.Size}}", IMAGE).stdout)
    print(f"  the image has {size / 1e6:.1f} MB")
    harness.expect(size <= IMAGE_BYTES_MAX, f"{size} bytes")
    said = docker.run("run", "--rm", *SANDBOX, "--network", "none", IMAGE, "version").stdout
    harness.expect(re.fullmatch(r"sidestream \d+\.\d+\.\d+\n", said), said)
    facts = json.loads(docker.run("inspect", IMAGE).stdout)[0]["Config"]
    harness.expect(facts["User"] == "65532:65532", facts["User"])
    harness.expect(facts["Healthcheck"]["Test"] == ["CMD", "sidestream", "health"], facts)
    harness.expect("org.opencontainers.image.title" in facts["Labels"], facts["Labels"])
    shell = docker.run("run", "--rm", "--entrypoint", "/bin/sh", IMAGE, "-c", "true", check=False)
    harness.expect(shell.returncode != 0, "there is a shell in the image")
    # Without a ticket: one clear line, and not a restart loop without a word.
    nothing = docker.run("run", "--rm", *SANDBOX, "--network", "none", IMAGE, check=False)
    harness.expect(nothing.returncode == 2 and "SIDESTREAM_TICKET" in nothing.stderr,
                   f"{nothing.returncode} {nothing.stderr}")


def the_demo_serves_and_heals(docker):
    demo = Project(docker, "demo", environment=IMAGES)
    began = time.monotonic()
    demo.up()
    harness.eventually(lambda: docker.redis(16379, "ping") == "PONG", 60, "redis answers")
    print(f"  {time.monotonic() - began:.1f} s after `up` the first client was served")
    harness.eventually(lambda: docker.psql(15432, "demo", "select 6*7") == "42", 30,
                       "psql is served")
    harness.eventually(lambda: demo.state_of_health("sidecar") == "healthy", 40,
                       "the sidecar's container is healthy")

    # An app that is made anew with another address; meanwhile a stream of another one lives.
    live = docker.stage.start("live", [
        "docker", "run", "--rm", "--network", "host", BASE, "sh", "-c",
        "while sleep 0.2; do echo ping; done | redis-cli -h 127.0.0.1 -p 16379"],
        env=docker.environment)
    live.wait_for_line("PONG", 10)
    before = demo.address("postgres")
    demo.compose("rm", "--force", "--stop", "postgres")
    # Somebody else takes the address.
    docker.run("run", "--detach", "--name", "squatter", "--network", "demo_apps", "--entrypoint",
               "sleep", BASE, "600")
    demo.compose("up", "--detach", "--no-build", "--no-deps", "postgres")
    began = time.monotonic()
    harness.eventually(lambda: docker.psql(15432, "demo", "select 1") == "1", 30, "psql is served")
    print(f"  app made anew, {before[0]} is now {demo.address('postgres')[0]}: served after "
          f"{time.monotonic() - began:.1f} s, the start of the database included")
    harness.expect(demo.address("postgres") != before, "the address stayed")
    seen = live.output().count("PONG")
    harness.eventually(lambda: live.output().count("PONG") > seen, 5, "the live stream goes on")

    # Either of our own containers is killed.
    for service in ("sidecar", "edge"):
        docker.run("kill", demo.container(service))
        docker.run("start", demo.container(service))
        began = time.monotonic()
        harness.eventually(lambda: docker.redis(16379, "ping") == "PONG", 20,
                           f"redis answers after a kill of {service}")
        print(f"  {service} killed and started: served after {time.monotonic() - began:.1f} s")
    docker.run("rm", "--force", "squatter")
    # A second `up` changes nothing, the ticket included.
    demo.up()
    said = demo.compose("logs", "invite").stdout
    harness.expect("holds a ticket already" in said, said)
    demo.compose("down", "--volumes", "--timeout", "2")


def the_examples_work(docker):
    ports = {"edge.yaml": {"vps.example.com": "edge", "[443, 2222]": "[443, 2222, 5432, 6379]"},
             "compose.yaml": {'- "2222:2222"': '- "2222:2222"\n      - "5432:5432"\n      '
                                               '- "6379:6379"'}}
    edge = Project(docker, "edge", service="edge", replace=ports).up()
    harness.eventually(edge.healthy, 20, "the edge is healthy")

    docker.run("run", "--detach", "--name", "sshd", "--network", "host", "test/ssh")
    ssh = Project(docker, "ssh", network="edge_default", environment={
        "SIDESTREAM_TICKET": ticket_of(edge, "ssh", ":2222"),
        "SSH_SERVER": "host.docker.internal:2200"}).up()
    login = ["ssh", "-i", "/id", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
             "-p", "2222", "root@127.0.0.1", "echo $((6 * 7))"]
    harness.eventually(lambda: docker.client(*login, image="test/ssh").stdout == "42\n", 30,
                       "ssh logs in")
    ssh.compose("down", "--timeout", "2")

    postgres = Project(docker, "postgres", network="edge_default",
                       environment={**IMAGES, "POSTGRES_PASSWORD": "secret"})
    keep_ticket(postgres, ticket_of(edge, "db", ":5432"))
    postgres.up()
    harness.eventually(lambda: docker.psql(5432, "secret", "select 6*7") == "42", 30, "psql")
    postgres.compose("down", "--volumes", "--timeout", "2")

    several = Project(docker, "several-services", network="edge_default", environment={
        **IMAGES, "SIDESTREAM_TICKET": ticket_of(edge, "home", "www.example.com", ":6379")}).up()
    harness.eventually(lambda: docker.redis(6379, "ping") == "PONG", 30, "redis")
    harness.eventually(lambda: docker.page("www.example.com"), 30, "the web page")
    status = json.loads(several.sidestream("status", "--json").stdout)
    harness.expect({one["name"] for one in status["services"]} == {"web", "redis"}, status)
    several.compose("down", "--timeout", "2")

    changes = {
        "edge.yaml": {"vps.example.com": "edge-2", "[443, 2222]": "[6379]"},
        "compose.yaml": {"  edge:\n": "  edge-2:\n", '"51820:51820/udp"': '"51821:51820/udp"',
                         '- "443:443"': '- "6380:6379"', '      - "2222:2222"\n': ""}}
    second = Project(docker, "edge", name="edge-2", service="edge-2", network="edge_default",
                     replace=changes).up()
    harness.eventually(second.healthy, 20, "the second edge is healthy")
    edges = Project(docker, "two-edges", network="edge_default", environment={
        **IMAGES, "TICKET_1": ticket_of(edge, "two", ":6379"),
        "TICKET_2": ticket_of(second, "two", ":6379")}).up()
    for port in (6379, 6380):
        harness.eventually(lambda port=port: docker.redis(port, "ping") == "PONG", 30,
                           f"redis by port {port}")
    second.compose("down", "--volumes", "--timeout", "2")
    harness.expect(docker.redis(6379, "ping") == "PONG", "the other edge serves on")
    edges.compose("down", "--timeout", "2")
    edge.compose("down", "--volumes", "--timeout", "2")


def in_one_daemon(stage, *checks):
    docker = Daemon(stage)
    print("  the daemon and its images are made")
    for check in checks:
        check(docker)


def check_image_and_demo(stage):
    in_one_daemon(stage, the_image_is_small_and_locked_in, the_demo_serves_and_heals)


def long_every_other_example(stage):
    in_one_daemon(stage, the_examples_work, the_labels_are_read_through_a_filter,
                  wallets_and_haproxy_work, stalled_readers_fit_into_64_mb)


BUILD_PACKAGES = ["g++", "cmake", "ninja-build", "ccache", "pkg-config", "libsodium-dev",
                  "libssl-dev", "libyaml-cpp-dev", "libspdlog-dev"]


def long_the_image_builds_itself_and_twice_the_same(stage):
    """The whole Dockerfile, the compilation included, without any network."""
    docker = Docker(stage)
    setup = (harness.ROOT / "dev/setup").read_text(encoding="utf-8")
    boost = re.search(r"boost=(libboost1\.\d+-dev)", setup)
    docker.make_base("ca-certificates", *BUILD_PACKAGES, boost.group(1))
    context = stage.folder / "source"
    files = harness.run(["git", "-C", harness.ROOT, "ls-files", "-z"]).stdout.split("\0")
    for name in filter(None, files):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(harness.ROOT / name, context / name)
    hashes = []
    for tag in ("first", "second"):
        began = time.monotonic()
        docker.run("build", "--quiet", "--no-cache", "--network", "none", "--tag", tag, "--file",
                   context / "compose/Dockerfile", "--build-arg", f"BASE={BASE}", context,
                   seconds=1700)
        container = docker.run("create", tag).stdout.strip()
        docker.run("cp", f"{container}:/usr/bin/sidestream", stage.folder / tag)
        hashes.append(hashlib.sha256((stage.folder / tag).read_bytes()).hexdigest())
        print(f"  built in {time.monotonic() - began:.0f} s: {hashes[-1]}")
    harness.expect(hashes[0] == hashes[1], "two builds, two programs")


if __name__ == "__main__":
    harness.main(globals())
