"""Reads and makes PROXY protocol headers, for tests."""

import dataclasses
import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TLV_AUTHORITY = 2


@dataclasses.dataclass
class ProxyHeader:
    """`source` and `destination` are (address, port), None for LOCAL."""
    version: int
    source: tuple | None
    destination: tuple | None
    tlvs: dict
    length: int


async def read(reader):
    """The PROXY header, version 1 or 2, that must stand at the start of an asyncio stream."""
    start = await reader.readexactly(12)
    if start == SIGNATURE:
        return await read_v2(reader)
    line = start + await reader.readline()
    words = line.decode().split()
    if words[0] != "PROXY":
        raise ValueError(f"no PROXY header but {line!r}")
    if words[1] == "UNKNOWN":
        return ProxyHeader(1, None, None, {}, len(line))
    return ProxyHeader(1, (words[2], int(words[4])), (words[3], int(words[5])), {}, len(line))


async def read_v2(reader):
    command, family, length = struct.unpack(">BBH", await reader.readexactly(4))
    content = await reader.readexactly(length)
    if command == 0x20:
        return ProxyHeader(2, None, None, {}, 16 + length)
    if command != 0x21 or family not in (0x11, 0x21):
        raise ValueError(f"PROXY v2 command {command:#x} family {family:#x}")
    size = 4 if family == 0x11 else 16
    ports = struct.unpack(">HH", content[2 * size:2 * size + 4])
    addresses = [str(ipaddress.ip_address(content[at:at + size])) for at in (0, size)]
    tlvs = {}
    rest = content[2 * size + 4:]
    while rest:
        kind, size = struct.unpack(">BH", rest[:3])
        tlvs[kind] = rest[3:3 + size]
        rest = rest[3 + size:]
    return ProxyHeader(2, (addresses[0], ports[0]), (addresses[1], ports[1]), tlvs, 16 + length)


def v2(source, destination, tlvs=b""):
    """A PROXY v2 header for two (address, port) pairs of the same family."""
    packed = [ipaddress.ip_address(address).packed for address, _ in (source, destination)]
    content = b"".join(packed) + struct.pack(">HH", source[1], destination[1]) + tlvs
    return SIGNATURE + struct.pack(">BBH", 0x21, 0x11 if len(packed[0]) == 4 else 0x21,
                                   len(content)) + content
