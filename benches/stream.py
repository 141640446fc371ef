#!/usr/bin/env python3
"""Writes one capture over and over to standard output, each time later, as a stream without an end that is known.

    python3 benches/stream.py mixed.pcap --bytes 20000000000 | vigil analyze - --memory 1G

Copies keep their addresses; each begins an hour after the last frame of the one before, so that its flows are new ones. The capture is a pcap with
microseconds, as benches/mixed.py writes it, and is held in memory. Nothing but Python's standard library is needed.
"""
import argparse
import struct
import sys

APART = 3600  # seconds between the end of a copy and the beginning of the next
HEADER = 24
MAGIC = b"\xd4\xc3\xb2\xa1"


def times(capture):
    """Where the seconds of each frame stand, and the first and last of them."""
    places, at, first, last = [], HEADER, None, 0
    while at + 16 <= len(capture):
        seconds, _, caught, _ = struct.unpack_from("<IIII", capture, at)
        places.append(at)
        first = seconds if first is None else min(first, seconds)
        last = max(last, seconds)
        at += 16 + caught
    assert at == len(capture), "the capture ends inside a frame"
    return places, first, last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture")
    parser.add_argument("--bytes", type=int, default=20_000_000_000, help="at least so many are written [default: 20000000000]")
    args = parser.parse_args()
    with open(args.capture, "rb") as file:
        capture = bytearray(file.read())
    assert capture[:4] == MAGIC, "not a little-endian pcap with microseconds"
    places, first, last = times(capture)
    seconds = struct.Struct("<I")
    later = last - first + APART
    written = sys.stdout.buffer.write(capture)
    while written < args.bytes:
        for at in places:
            seconds.pack_into(capture, at, seconds.unpack_from(capture, at)[0] + later)
        written += sys.stdout.buffer.write(memoryview(capture)[HEADER:])
    sys.stdout.buffer.flush()
    print(f"{written} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
