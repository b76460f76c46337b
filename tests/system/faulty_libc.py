"""A program whose clock is somewhere else, or of whose calls one fails: faulty_libc_io.cpp."""

import mmap
import os
import struct

import harness

FIELDS = ("wall_offset_seconds", "failing_place", "places", "failing_allocation", "allocations",
          "failed")
NAME_AT = 8 * len(FIELDS)
SIZE = NAME_AT + 64


class FaultyLibc:
    """Give `environment` to the program before it starts; the fields can be read and set at any
    time."""

    def __init__(self, stage, name):
        path = stage.folder / f"{name}.faulty"
        path.write_bytes(bytes(SIZE))
        with open(path, "r+b") as file:
            self.memory_ = mmap.mmap(file.fileno(), SIZE)
        library = os.environ.get("SIDESTREAM_FAULTY_LIBC")
        if not library:
            raise harness.Failure("SIDESTREAM_FAULTY_LIBC names no library: see CMakeLists.txt")
        self.environment = {"LD_PRELOAD": library, "FAULTY_LIBC": str(path)}

    def __getitem__(self, field):
        return struct.unpack_from("<q", self.memory_, 8 * FIELDS.index(field))[0]

    def __setitem__(self, field, value):
        struct.pack_into("<q", self.memory_, 8 * FIELDS.index(field), value)

    @property
    def name(self):
        """Of the call that failed."""
        return bytes(self.memory_[NAME_AT:SIZE]).rstrip(b"\0").decode()
