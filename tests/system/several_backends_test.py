"""Several backends of a service: who gets the streams, and what clients see when one goes and comes
back, or the list changes."""

import signal
import socket
import time

import harness
from faults_streams_test import Listener
from product import Edge, Sidecar

STREAMS = 8


class Backend:
    """Says its word to whoever comes and then echoes; stop() refuses, start() is there again."""

    def __init__(self, word):
        self.word = word
        self.listener = Listener(self.serve)
        self.port = self.listener.port
        self.address = f"127.0.0.1:{self.port}"

    def serve(self, connection):
        connection.sendall(self.word)
        while received := connection.recv(1000):
            connection.sendall(received)

    def stop(self):
        self.listener.socket.shutdown(socket.SHUT_RDWR)
        self.listener.socket.close()

    def start(self):
        self.listener = Listener(self.serve, self.port)


class Home:
    def __init__(self, stage, backends, **more):
        self.port = harness.free_port()
        edge = Edge(stage, [self.port])
        self.sidecar = Sidecar(stage, [edge.invite("home", f":{self.port}")], {"it": {
            "publish": f":{self.port}", "backend": backends, **more}})
        self.sidecar.wait_until_published(f":{self.port}")

    def connect(self):
        """A stream, and whose it is."""
        client = socket.create_connection(("127.0.0.1", self.port), 15)
        return client, client.recv(100)

    def who(self, streams=STREAMS):
        words = []
        for _ in range(streams):
            client, word = self.connect()
            client.close()
            words.append(word)
        return words

    def health(self):
        status = self.sidecar.status()
        return [backend["health"] for backend in status["services"][0]["backends"]]

    def streams(self):
        status = self.sidecar.status()
        return [backend["streams"] for backend in status["services"][0]["backends"]]

    def wait_for_health(self, *expected):
        harness.eventually(lambda: self.health() == list(expected), 15, f"backends are {expected}")

    def reload(self, **changes):
        self.sidecar.configuration["services"]["it"].update(changes)
        self.sidecar.write_configuration()
        self.sidecar.program.signal(signal.SIGHUP)
        self.sidecar.program.wait_for_line("configuration reloaded")


def echoes(client):
    client.sendall(b"still here")
    return client.recv(100) == b"still here"


def check_failover_is_not_noticed_and_goes_back(stage):
    one, two = Backend(b"one"), Backend(b"two")
    home = Home(stage, [one.address, two.address],
                health={"interval": "1s", "rise": 2, "fall": 2})
    home.wait_for_health("healthy", "healthy")
    kept, word = home.connect()
    harness.expect(word == b"one" and home.who() == [b"one"] * STREAMS, "the first one serves")
    one.stop()
    began = time.monotonic()
    harness.expect(home.who() == [b"two"] * STREAMS, "no client waits for a probe")
    print(f"a backend refuses: {STREAMS} clients one after the other are with the next one after "
          f"{(time.monotonic() - began) * 1000:.0f} ms")
    home.wait_for_health("unhealthy", "healthy")
    harness.expect(echoes(kept), "a live stream stays")
    one.start()
    home.wait_for_health("healthy", "healthy")
    harness.expect(home.who() == [b"one"] * STREAMS, "the first one is back")
    one.stop()
    two.stop()
    home.wait_for_health("unhealthy", "unhealthy")
    harness.eventually(
        lambda: home.sidecar.endpoints()[f":{home.port}"]["state"] == "withdrawn", 10, "withdrawn")
    two.start()
    home.sidecar.wait_until_published(f":{home.port}")
    harness.expect(home.who() == [b"two"] * STREAMS, "one is enough to be published")


def check_a_changed_list_keeps_streams_and_verdicts(stage):
    one, two, three = Backend(b"one"), Backend(b"two"), Backend(b"three")
    weighted = {"address": two.address, "weight": 3}
    home = Home(stage, [one.address, weighted], balance="round_robin")
    home.wait_for_health("healthy", "healthy")
    harness.expect(sorted(home.who()) == [b"one"] * 2 + [b"two"] * 6, "turns by weight")
    kept = [home.connect() for _ in range(4)]
    home.reload(backend=[weighted, three.address], balance="least_streams")
    harness.expect(home.health()[0] == "healthy", "the verdict on one that stays is kept")
    home.sidecar.wait_until_published(f":{home.port}", seconds=1)
    home.wait_for_health("healthy", "healthy")
    # Until the edge has heard of it streams still come for the list of before. Among idle ones the
    # heaviest has the fewest streams for its weight.
    harness.eventually(lambda: home.who() == [b"two"] * STREAMS, 5, "the new list counts")
    harness.eventually(lambda: home.streams() == [0, 0], 5, "those streams have ended")
    more = [home.connect() for _ in range(STREAMS)]
    harness.expect(sorted(word for _, word in more) == [b"three"] * 2 + [b"two"] * 6,
                   f"fewest streams by weight: {more}")
    harness.expect(all(echoes(client) for client, _ in kept), "live streams stay")


if __name__ == "__main__":
    harness.main(globals())
