"""ClientHello messages as bytes, good and bad ones, for tests of the edge's public side."""

import os
import ssl
import struct


def of_openssl(server_name):
    """What this machine's OpenSSL sends."""
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing,
                                                   server_hostname=server_name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def name_seen_by_openssl(sent):
    """The server name that OpenSSL reads from these bytes as a server; None when it sends the
    client away before that, or there is none."""
    seen = []

    def on_server_name(_connection, name, _context):
        seen.append(name)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = on_server_name
    incoming = ssl.MemoryBIO()
    incoming.write(sent)
    incoming.write_eof()
    server = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    try:
        server.do_handshake()
    except ssl.SSLError:
        pass  # it has no certificate, and never comes further than the hello
    return seen[0].encode() if seen and seen[0] else None


def vector(content, length_bytes):
    return len(content).to_bytes(length_bytes, "big") + content


def extension(number, content):
    return struct.pack(">H", number) + vector(content, 2)


def server_name_extension(name):
    return extension(0, vector(b"\0" + vector(name, 2), 2))


def hello(server_name=None, padding_bytes=0, more=b""):
    """One ClientHello handshake message; `server_name` may hold any bytes. `padding_bytes` make it
    as long as those with post-quantum key shares."""
    extensions = extension(0x0A0A, b"")  # GREASE
    if server_name is not None:
        extensions += server_name_extension(server_name)
    extensions += extension(43, vector(b"\x03\x04\x03\x03", 1)) + more
    if padding_bytes:
        extensions += extension(21, bytes(padding_bytes))
    content = (b"\x03\x03" + os.urandom(32) + vector(os.urandom(32), 1)
               + vector(b"\x0a\x0a\x13\x01\x13\x02\xc0\x2b", 2) + b"\x01\x00"
               + vector(extensions, 2))
    return b"\x01" + vector(content, 3)


def records(message, record_bytes=16384):
    """The message in handshake records of at most so many bytes."""
    return b"".join(b"\x16\x03\x01" + vector(message[at:at + record_bytes], 2)
                    for at in range(0, len(message), record_bytes))


def record(server_name=None, padding_bytes=0):
    return records(hello(server_name, padding_bytes))
