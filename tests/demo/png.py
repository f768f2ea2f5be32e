# SPDX-License-Identifier: MIT
"""Pictures: read the panel's PPM, write PNG, halve the size."""

import struct
import zlib


class PictureError(Exception):
    """Not a picture that can be read."""


def read_ppm(path):
    """(width, height, rows of RGB bytes) of a binary PPM with 8 bits a channel."""
    with open(path, "rb") as f:
        data = f.read()
    fields = data.split(maxsplit=4)
    if len(fields) < 4 or fields[0] != b"P6" or fields[3] != b"255":
        raise PictureError(f"{path}: not a P6 picture with 255 levels")
    width, height = int(fields[1]), int(fields[2])
    pixels = data[len(data) - width * height * 3:]
    if len(data) < width * height * 3 + 11:
        raise PictureError(f"{path}: {len(data)} bytes are too few for {width}x{height} pixels")
    return width, height, [pixels[y * width * 3:(y + 1) * width * 3] for y in range(height)]


def halve(width, height, rows):
    """Every four pixels become their mean."""
    result = []
    for y in range(0, height - 1, 2):
        upper, lower = rows[y], rows[y + 1]
        line = bytearray(width // 2 * 3)
        for channel in range(3):
            line[channel::3] = bytes(
                (a + b + c + d + 2) >> 2
                for a, b, c, d in zip(upper[channel::6], upper[channel + 3::6],
                                      lower[channel::6], lower[channel + 3::6]))
        result.append(bytes(line))
    return width // 2, height // 2, result


def encode(width, height, rows):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    # Filter 2 (difference to the row above) suits pictures with plain areas.
    above = bytes(width * 3)
    raw = bytearray()
    for row in rows:
        raw.append(2)
        raw += bytes((a - b) & 255 for a, b in zip(row, above))
        above = row
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) +
            chunk(b"IEND", b""))
