"""Backends for peers that have only `nc`: what they send comes back as a hash, or they get bytes
whose hash is known."""

import hashlib
import os
import socketserver
import threading

LISTEN = ("127.0.0.1", 0)
READ_BYTES = 65536


def sha256(blob):
    return hashlib.sha256(blob).hexdigest()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, serve):
        class Connection(socketserver.BaseRequestHandler):
            def handle(self):
                serve(self.request)
        super().__init__(LISTEN, Connection)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a peer that resets is the test's business


class HashServer(_Server):
    """Reads to the client's end and answers with the SHA-256 in hexadecimal."""

    def __init__(self):
        super().__init__(self.serve)

    def serve(self, connection):
        digest = hashlib.sha256()
        while part := connection.recv(READ_BYTES):
            digest.update(part)
        connection.sendall(digest.hexdigest().encode())


class BlobServer(_Server):
    """Sends its blob and ends, whatever the client does."""

    def __init__(self, blob_bytes):
        self.blob = os.urandom(blob_bytes)
        super().__init__(lambda connection: connection.sendall(self.blob))
