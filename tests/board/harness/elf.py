# SPDX-License-Identifier: MIT
"""Just enough of ELF64 little-endian to read a module's information and a program's libraries."""

import lzma
import struct

DT_NEEDED = 1
SHT_DYNAMIC = 6


class BadElf(ValueError):
    pass


def read(path):
    """A file's contents, uncompressed when its name ends in .xz."""
    with open(path, "rb") as f:
        data = f.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


def _sections(data):
    """Yield (name, type, contents, linked section's contents) of every section."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise BadElf("not a little-endian ELF64 file")
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3a)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]

    def contents(header):
        return b"" if header[1] == 8 else data[header[4]:header[4] + header[5]]

    strings = contents(headers[names])
    for header in headers:
        name = strings[header[0]:strings.index(b"\0", header[0])].decode()
        linked = contents(headers[header[6]]) if header[6] < count else b""
        yield name, header[1], contents(header), linked


def modinfo(data):
    """A module's .modinfo as a dictionary of lists."""
    fields = {}
    for name, _, contents, _ in _sections(data):
        if name == ".modinfo":
            for entry in contents.split(b"\0"):
                if b"=" in entry:
                    key, value = entry.decode("utf-8", "replace").split("=", 1)
                    fields.setdefault(key, []).append(value)
    return fields


def needed(data):
    """The shared libraries that a program or library asks for."""
    result = []
    for _, kind, contents, strings in _sections(data):
        if kind == SHT_DYNAMIC:
            for at in range(0, len(contents) - 15, 16):
                tag, value = struct.unpack_from("<QQ", contents, at)
                if tag == DT_NEEDED:
                    result.append(strings[value:strings.index(b"\0", value)].decode())
    return result
