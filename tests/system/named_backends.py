"""Backends that say who they are, and a client that asks."""

import socket

import hello_bytes
from faults_streams_test import Listener


def named_backend(word):
    """Answers anything with its word; the number of streams that it saw is `seen[0]`."""
    seen = [0]

    def answer(connection):
        if connection.recv(10_000):
            seen[0] += 1
            connection.sendall(word)

    return Listener(answer), seen


def ask(port, name=None, address="127.0.0.1"):
    """Who answers on a port (for a server name, text or bytes): the backend's word, or what came
    instead."""
    with socket.create_connection((address, port), 10) as client:
        try:
            name = name.encode() if isinstance(name, str) else name
            client.sendall(hello_bytes.record(name) if name else b"who is there?")
            return client.recv(100)
        except ConnectionResetError:
            return b"reset"


def service(publish, listener):
    return {"it": {"publish": publish, "backend": f"127.0.0.1:{listener.port}", "health": "none"}}
