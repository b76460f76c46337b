"""A sidecar that a test plays by hand: a peer of the edge whose control messages, and whose streams
inside the tunnel, are whatever the test sends."""

import http.client
import json
import pathlib
import socket
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import harness  # noqa: E402
from product import CONTROL_PORT, EDGE_TUNNEL_ADDRESS  # noqa: E402
from tunnel_peer import TunnelPeer, peer  # noqa: E402

SERVICE_PORT = 9000  # of everything that a raw sidecar publishes


class RawSidecar:
    """A peer of the edge that speaks control by hand. Its key and what it may publish go into
    edge.yaml: enrolled(). `reach` are more (address, port) inside the tunnel that the test dials;
    streams for the services that it publishes go to the loopback port `backend`."""

    def __init__(self, stage, edge, keys, address, name="raw", reach=(), backend=None):
        targets = [(EDGE_TUNNEL_ADDRESS, CONTROL_PORT), *reach]
        self.local = {target: harness.free_port() for target in targets}
        self.tunnel = TunnelPeer(
            stage, keys.private, address,
            [peer(edge.public_key(), f"{EDGE_TUNNEL_ADDRESS}/24",
                  f"127.0.0.1:{edge.tunnel_port}", keepalive=5)],
            out={port: f"{to[0]}:{to[1]}" for to, port in self.local.items()},
            into={SERVICE_PORT: f"127.0.0.1:{backend}"} if backend else None, name=name)

    def dial(self, target=(EDGE_TUNNEL_ADDRESS, CONTROL_PORT), seconds=10):
        return socket.create_connection(("127.0.0.1", self.local[target]), seconds)

    def request(self, method, target, message, seconds=10):
        """One control message: (HTTP status, the answer)."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.local[(EDGE_TUNNEL_ADDRESS, CONTROL_PORT)], timeout=seconds)
        try:
            body = message if isinstance(message, (str, bytes)) else json.dumps(message)
            connection.request(method, target, body, {"Content-Type": "application/json",
                                                      "Host": EDGE_TUNNEL_ADDRESS})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def session(self):
        status, answer = self.request("POST", "/v1/session", {"protocol": 1, "version": "test",
                                                              "instance": "raw"})
        harness.expect(status == 200, (status, answer))
        return answer["session"]

    def state(self, session, sequence, *endpoints):
        return self.request("PUT", "/v1/state", {
            "session": session, "sequence": sequence,
            "endpoints": [{"endpoint": endpoint, "service": "raw", "port": SERVICE_PORT}
                          for endpoint in endpoints]})


def enrolled(keys, address, *allow):
    return {"public_key": keys.public, "address": address, "allow": list(allow)}


def granted_by(answer):
    return [endpoint["endpoint"] for endpoint in answer["endpoints"]
            if endpoint["state"] == "granted" or endpoint.get("reason") == "listener_opening"]
