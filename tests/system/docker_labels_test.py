"""Services by labels of containers, with a real dockerd (docs/docker-labels.md; fault 38 of
docs/reliability.md). Needs docker.io and busybox-static, and root."""

import contextlib
import socket
import sys
import time
import urllib.request

import docker_engine
import harness
import product

HEALTH = ("--health-cmd", "/bin/busybox test -f /ok", "--health-interval", "1s",
          "--health-retries", "1")
BACK_SECONDS = 5


def labels(name, port, container_port=8080, **more):
    return {f"sidestream.services.{name}.{key}": str(text)
            for key, text in {"publish": f":{port}", "port": container_port, **more}.items()}


class Held:
    """A stream that lives as long as the check: it must not notice anything."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.settimeout(5)

    def use(self):
        self.socket.sendall(b"still there?")
        harness.expect(self.socket.recv(100) == b"still there?", "the stream of another service")


def said_by(port):
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
            return answer.read().decode().strip()
    return None


def serves(port, name, seconds=BACK_SECONDS):
    began = time.monotonic()
    harness.eventually(lambda: said_by(port) == name, seconds, f"{name} answers on {port}")
    return time.monotonic() - began


def withdrawn(sidecar, port, seconds=BACK_SECONDS):
    began = time.monotonic()
    harness.eventually(lambda: f":{port}" not in sidecar.endpoints(), seconds,
                       f":{port} is withdrawn")
    return time.monotonic() - began


def problems(sidecar):
    return (sidecar.status() or {}).get("docker", {}).get("problems", [])


def check_38_containers_and_their_daemon_come_and_go(stage):
    ports = [harness.free_port() for _ in range(4)]
    echo_port, web_port, slow_port, bad_port = ports
    echo = harness.free_port()
    stage.start("echo", [sys.executable, harness.ROOT / "tests/system/ticking_streams.py", "echo",
                         "127.0.0.1", str(echo)]).wait_for_line("ready")
    edge = product.Edge(stage, ports=ports)
    # The socket is not there yet: the services of the file do not mind.
    engine = docker_engine.Engine(stage)
    sidecar = product.Sidecar(
        stage, [edge.invite("home", *[f":{port}" for port in ports])],
        {"echo": {"publish": f":{echo_port}", "backend": f"127.0.0.1:{echo}"}},
        more={"docker": {"socket": f"unix:{engine.socket}"}})
    sidecar.wait_until_published(f":{echo_port}")
    held = Held(echo_port)
    held.use()
    engine.start()
    engine.make_image()
    times = {}

    engine.serve("web", labels("web", web_port))
    times["new container"] = serves(web_port, "web")
    engine.run("rm", "--force", "web")
    withdrawn(sidecar, web_port)
    engine.serve("web2", labels("web", web_port), "--restart", "always", "--ip", "10.213.77.99")
    times["made anew with another address"] = serves(web_port, "web2")
    held.use()

    engine.serve("slow", labels("slow", slow_port), "--restart", "always", *HEALTH)
    harness.eventually(lambda: any("so it does not serve slow" in line
                                   for line in problems(sidecar)), 5, "status says that it waits")
    harness.expect(f":{slow_port}" not in sidecar.endpoints(), "published before it is healthy")
    engine.set_well("slow", True)
    times["healthy, asked every 1 s"] = serves(slow_port, "slow")
    engine.set_well("slow", False)
    times["unhealthy, asked every 1 s"] = withdrawn(sidecar, slow_port)
    engine.set_well("slow", True)
    serves(slow_port, "slow")
    held.use()

    # A wrong label is one line, and nobody else's business.
    engine.serve("bad", labels("bad", bad_port, tls="pasthrough"))
    harness.eventually(
        lambda: any(line.startswith("container bad: sidestream.services.bad.tls: expected ")
                    for line in problems(sidecar)), 5, "status names container and label")
    sidecar.program.wait_for_line("container bad: sidestream.services.bad.tls")
    harness.expect(said_by(web_port) == "web2" and said_by(slow_port) == "slow", "the others")

    # The daemon is killed: what was known stays, and what has changed is made up for.
    engine.kill()
    time.sleep(2)
    harness.expect(f":{web_port}" in sidecar.endpoints(), "what was known stays")
    held.use()
    engine.start()
    times["after the daemon was killed"] = serves(web_port, "web2")
    # Stopped in order it stops its containers, and starts them again.
    engine.stop()
    engine.start()
    times["after the daemon was restarted"] = serves(web_port, "web2")
    engine.run("stop", "--time", "0", "web2")
    times["stopped"] = withdrawn(sidecar, web_port)
    held.use()
    for what, seconds in times.items():
        print(f"fault 38: {what}: {seconds:.1f} s")


if __name__ == "__main__":
    docker_engine.enter_namespaces()
    harness.main(globals())
