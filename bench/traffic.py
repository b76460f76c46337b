"""Traffic for measurements: `traffic.py serve ADDRESS PORT [CONGESTION]` answers connections,
`traffic.py bulk|echo ADDRESS PORT SECONDS` is a client that prints what it measured as JSON.

The first line of a connection says what the server does with it: `bulk` sends until the client has
gone, `echo` sends back what comes. CONGESTION names the kernel's congestion control of the server's
connections (TCP_CONGESTION), so that a measurement does not depend on a machine's default.
"""

import json
import socket
import sys
import threading
import time

BULK_BYTES = 1 << 18
QUESTION_BYTES = 64
QUESTION_SECONDS = 0.02


def answer(stream):
    with stream:
        try:
            word = b""
            while not word.endswith(b"\n"):
                piece = stream.recv(1)
                if not piece:
                    return
                word += piece
            if word == b"bulk\n":
                block = bytes(BULK_BYTES)
                while True:
                    stream.send(block)
            while piece := stream.recv(4096):
                stream.sendall(piece)
        except OSError:
            pass


def serve(address, port, congestion=None):
    listener = socket.create_server((address, port), backlog=1024)
    if congestion:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print("ready", flush=True)
    while True:
        stream, _ = listener.accept()
        threading.Thread(target=answer, args=(stream,), daemon=True).start()


def connect(address, port, word):
    stream = socket.create_connection((address, port), timeout=30)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.sendall(word)
    return stream


def bulk(address, port, seconds):
    """Bytes that arrived within `seconds` after the first one, and how long that one took."""
    began = time.monotonic()
    stream = connect(address, port, b"bulk\n")
    room = bytearray(1 << 20)
    count = stream.recv_into(room)
    first = time.monotonic()
    while count and time.monotonic() - first < seconds:
        more = stream.recv_into(room)
        if not more:
            raise ConnectionError("the stream ended")
        count += more
    return {"bytes": count, "seconds": time.monotonic() - first, "first_byte": first - began}


def echo(address, port, seconds):
    """Round trips of small questions, one after the other, in seconds."""
    stream = connect(address, port, b"echo\n")
    times = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        stream.sendall(bytes(QUESTION_BYTES))
        left = QUESTION_BYTES
        while left:
            piece = stream.recv(left)
            if not piece:
                raise ConnectionError("the stream ended")
            left -= len(piece)
        times.append(time.monotonic() - began)
        time.sleep(max(0.0, QUESTION_SECONDS - times[-1]))
    return {"round_trips": times}


def main(words):
    role, address, port = words[0], words[1], int(words[2])
    if role == "serve":
        serve(address, port, *words[3:])
    else:
        print(json.dumps({"bulk": bulk, "echo": echo}[role](address, port, float(words[3]))))


if __name__ == "__main__":
    main(sys.argv[1:])
