"""Debian's clients of protocols that are not the web's, with TLS that ends at home: Redis, MQTT. As
root: they get a hosts file of their own."""

import harness
from electrum_test import in_mounts
from product import Edge, Sidecar

NAME = "home.demo.test"


class Home:
    """A server without TLS, published by name and with a certificate of its own."""

    def __init__(self, stage, server_port):
        self.port = harness.free_port()
        endpoint = f"{NAME}:{self.port}"
        edge = Edge(stage, [self.port])
        sidecar = Sidecar(stage, [edge.invite("home", endpoint)],
                          {"app": {"publish": endpoint, "backend": f"127.0.0.1:{server_port}",
                                   "tls": "terminate", "certificate": "self-signed"}})
        sidecar.wait_until_published(endpoint)
        self.pinned = sidecar.folder / "state" / f"self-signed-{NAME}.pem"
        hosts = stage.write("hosts", f"127.0.0.1 localhost {NAME}\n")
        self.enter = in_mounts(f"mount --bind {hosts} /etc/hosts")


def check_redis(stage):
    port = harness.free_port()
    stage.start("redis", [harness.tool("redis-server"), "--port", port, "--bind", "127.0.0.1",
                          "--save", "", "--dir", stage.folder])
    harness.wait_for_port(port)
    home = Home(stage, port)

    def ask(*words):
        return harness.run([*home.enter, harness.tool("redis-cli"), "--tls", "--cacert",
                            home.pinned, "--sni", NAME, "-h", NAME, "-p", home.port,
                            *words]).stdout.strip()
    harness.expect(ask("SET", "word", "x" * 100_000) == "OK", "it is kept")
    harness.expect(ask("GET", "word") == "x" * 100_000, "it comes back")


def check_mqtt(stage):
    port = harness.free_port()
    settings = stage.write("mosquitto.conf", f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    broker = stage.start("mosquitto", [harness.tool("mosquitto"), "-v", "-c", settings])
    harness.wait_for_port(port)
    home = Home(stage, port)
    words = ["--cafile", home.pinned, "-h", NAME, "-p", home.port, "-t", "door"]
    listener = stage.start("listener", [*home.enter, harness.tool("mosquitto_sub"), *words, "-C",
                                        "1"])
    broker.wait_for_line("Sending SUBACK", 10)
    harness.run([*home.enter, harness.tool("mosquitto_pub"), *words, "-q", "1", "-m", "is open"])
    listener.wait_for_line("is open", 10)


if __name__ == "__main__":
    harness.main(globals())
