"""The image and the Compose examples, as a user meets them: `docker-compose up`, and a client
gets in. What is here runs in one daemon with one base image."""

import hashlib
import json
import re
import shutil
import time

from docker import BASE, IMAGE, Docker, Project, harness

SANDBOX = ["--cap-drop", "ALL", "--read-only", "--security-opt", "no-new-privileges", "--user",
           "65532"]
IMAGE_BYTES_MAX = 15_000_000
AGAIN_SECONDS = 5
POSTGRES = """#!/bin/sh
set -e
data=/var/lib/postgresql/data
programs=$(echo /usr/lib/postgresql/*/bin)
as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"
install -d -o postgres -m 700 $data
if [ ! -e $data/PG_VERSION ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/password
  chown postgres /tmp/password
  $as_postgres $programs/initdb -D $data -A scram-sha-256 --pwfile=/tmp/password >/dev/null
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
fi
exec $as_postgres $programs/postgres -D $data -c listen_addresses='*'
"""
SSHD = """#!/bin/sh
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e -p 2200
"""
IMAGES = {"POSTGRES_IMAGE": "test/postgres", "REDIS_IMAGE": "test/redis", "WEB_IMAGE": "test/web"}


class Daemon(Docker):
    """With our image and those of the apps."""

    def __init__(self, stage):
        super().__init__(stage)
        self.make_base("ca-certificates", "openssh-server", "openssl", "postgresql",
                       "redis-server")
        self.make_sidestream()
        self.make_image("test/postgres", "COPY start /start", 'ENTRYPOINT ["/start"]',
                        start=POSTGRES)
        self.make_image("test/redis", 'ENTRYPOINT ["redis-server", "--bind", "0.0.0.0", '
                        '"--protected-mode", "no", "--save", ""]')
        self.make_image(
            "test/web", "RUN openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
            "-keyout /key.pem -out /cert.pem -subj /CN=www.example.com "
            "-addext subjectAltName=DNS:www.example.com",
            'ENTRYPOINT ["openssl", "s_server", "-accept", "443", "-key", "/key.pem", "-cert", '
            '"/cert.pem", "-www", "-quiet"]')
        self.make_image(
            "test/ssh", "COPY start /start",
            "RUN mkdir -m 700 ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f /id && "
            "cp /id.pub ~/.ssh/authorized_keys", 'ENTRYPOINT ["/start"]', start=SSHD)

    def client(self, *words, image=BASE, environment=(), check=False, seconds=30):
        """A client in the daemon's own network, as one on the host would be."""
        variables = [word for one in environment for word in ("--env", one)]
        return self.run("run", "--rm", "--network", "host", *variables, "--entrypoint", words[0],
                        image, *words[1:], check=check, seconds=seconds)

    def redis(self, port, *words):
        return self.client("redis-cli", "-h", "127.0.0.1", "-p", port, *words).stdout.strip()

    def psql(self, port, password, query):
        return self.client("psql", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-Atc", query,
                           environment=[f"PGPASSWORD={password}"]).stdout.strip()


def ticket_of(edge, name, *allow):
    words = [word for endpoint in allow for word in ("--allow", endpoint)]
    printed = edge.sidestream("invite", name, *words).stdout
    return re.search(r"ss1_[A-Za-z0-9_-]+", printed).group(0)


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
    secret = postgres.folder / "ticket"
    secret.write_text(ticket_of(edge, "db", ":5432") + "\n", encoding="ascii")
    harness.run(["chown", "65532", secret])
    secret.chmod(0o400)
    postgres.up()
    harness.eventually(lambda: docker.psql(5432, "secret", "select 6*7") == "42", 30, "psql")
    postgres.compose("down", "--volumes", "--timeout", "2")

    several = Project(docker, "several-services", network="edge_default", environment={
        **IMAGES, "SIDESTREAM_TICKET": ticket_of(edge, "home", "www.example.com", ":6379")}).up()
    harness.eventually(lambda: docker.redis(6379, "ping") == "PONG", 30, "redis")
    page = ["sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect "
            "127.0.0.1:443 -servername www.example.com"]
    harness.eventually(lambda: "HTTP/1.0 200" in docker.client(*page).stdout, 30, "the web page")
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


PACKAGE = """
dpkg --install /package.deb
sidestream version
getent passwd sidestream
test -d /etc/sidestream
test -s /usr/lib/systemd/system/sidestream-edge.service
test -s /usr/share/man/man1/sidestream.1.gz
dpkg --install /package.deb
install -d -o sidestream -m 700 /var/lib/sidestream
dpkg --remove sidestream
test -d /var/lib/sidestream
dpkg --purge sidestream
test ! -e /usr/bin/sidestream
test ! -e /var/lib/sidestream
test ! -e /etc/sidestream
echo all of it
"""


def the_package_installs_and_leaves_nothing(docker):
    package = harness.run([harness.ROOT / "dev/package"], seconds=900).stdout.split()[-1]
    script = docker.stage.write("package.sh", PACKAGE, mode=0o755)
    done = docker.run("run", "--rm", "--network", "none", "--volume",
                      f"{harness.ROOT / package}:/package.deb:ro", "--volume",
                      f"{script}:/package.sh:ro", "--entrypoint", "sh", BASE, "-ec",
                      ". /package.sh", check=False, seconds=120)
    harness.expect(done.stdout.endswith("all of it\n"), done.stdout + done.stderr)


def check_image_and_examples(stage):
    docker = Daemon(stage)
    print("  the daemon and its images are made")
    for check in (the_image_is_small_and_locked_in, the_package_installs_and_leaves_nothing,
                  the_demo_serves_and_heals, the_examples_work):
        check(docker)


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
