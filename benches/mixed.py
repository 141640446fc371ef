#!/usr/bin/env python3
"""Builds one large capture of mixed traffic out of many small ones, for the speed measurements.

    python3 benches/mixed.py FOLDER... -o mixed.pcap [--bytes 1000000000]

Every Ethernet capture below the folders (pcap or pcapng, plain) whose frames are long enough takes part. Each is written again and
again; every copy has addresses and times of its own, so that it is further hosts at a further time and not the same flow again:
the second byte of IPv4 addresses and the last two of IPv6 addresses are shifted by the number of the copy, with checksums corrected
along (RFC 1624), and times move on. Frames are merged in time. The same folders give the same bytes. What must hold of the result is
asserted at the end. Nothing but Python's standard library is needed.
"""
import argparse
import heapq
import os
import struct
import sys

ETHERNET = 1
SPAN = 1800.0  # seconds over which the copies are spread
LEAST_CAPTURES = 30
LEAST_FLOWS = 45_000
MEAN_FRAME = (600, 750)


def pcap_frames(data):
    magic = data[:4]
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}[magic]
    unit = 1e-9 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e-6
    if struct.unpack(order + "I", data[20:24])[0] & 0xFFFF != ETHERNET:
        return
    at = 24
    header = struct.Struct(order + "IIII")
    while at + 16 <= len(data):
        seconds, fraction, caplen, wire = header.unpack_from(data, at)
        at += 16
        if caplen > 262144 or at + caplen > len(data):
            return
        yield seconds + fraction * unit, data[at : at + caplen], wire
        at += caplen


def pcapng_frames(data):
    order, at, links = "<", 0, []
    while at + 12 <= len(data):
        kind = struct.unpack_from("<I", data, at)[0]
        if kind == 0x0A0D0D0A:
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or size % 4 or at + size > len(data):
            return
        if kind == 1:
            link = struct.unpack_from(order + "H", data, at + 8)[0]
            links.append((link, resolution(data[at + 16 : at + size - 4], order)))
        elif kind == 6:
            interface, high, low, caplen, wire = struct.unpack_from(order + "IIIII", data, at + 8)
            if interface >= len(links) or links[interface][0] != ETHERNET or caplen > size - 32:
                return
            yield (high << 32 | low) * links[interface][1], data[at + 28 : at + 28 + caplen], wire
        at += size


def resolution(options, order):
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(order + "HH", options, at)
        if code == 9 and size == 1:
            value = options[at + 4]
            return 2.0 ** -(value & 0x7F) if value & 0x80 else 10.0**-value
        if code == 0:
            break
        at += 4 + (size + 3) // 4 * 4
    return 1e-6


def frames(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] == b"\n\r\r\n":
        return list(pcapng_frames(data))
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
        return list(pcap_frames(data))
    return []


def corrected(checksum, old, new):
    """RFC 1624, equation 3, for one or more 16-bit words given as numbers."""
    total = (~checksum & 0xFFFF) + sum(~word & 0xFFFF for word in old) + sum(new)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def unicast4(frame, at):
    return frame[at] < 224 and frame[at] not in (0, 127)


class Plan:
    """Where a frame's addresses and checksums stand; made once per frame, used for every copy."""

    def __init__(self, when, frame, wire):
        self.when, self.frame, self.wire = when, frame, wire
        self.words, self.sums, self.flow = [], [], None
        at = 12
        while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        kind = frame[at : at + 2]
        at += 2
        if kind == b"\x08\x00" and len(frame) >= at + 20 and frame[at] >> 4 == 4:
            self.ipv4(at)
        elif kind == b"\x86\xdd" and len(frame) >= at + 40:
            self.ipv6(at)
        elif kind == b"\x08\x06" and len(frame) >= at + 28:
            self.words = [spot for spot in (at + 14, at + 24) if unicast4(frame, spot)]

    def ipv4(self, at):
        frame = self.frame
        self.words = [spot for spot in (at + 12, at + 16) if unicast4(frame, spot)]
        self.sums = [at + 10]
        first = struct.unpack_from(">H", frame, at + 6)[0] & 0x1FFF == 0
        self.transport(frame[at + 9], at + (frame[at] & 15) * 4, first, frame[at + 12 : at + 16], frame[at + 16 : at + 20])

    def ipv6(self, at):
        frame = self.frame
        self.words = [spot for spot in (at + 22, at + 38) if frame[spot - 14 if spot == at + 22 else at + 24] != 0xFF]
        self.transport(frame[at + 6], at + 40, True, frame[at + 8 : at + 24], frame[at + 24 : at + 40])

    def transport(self, protocol, at, first, source, target):
        frame = self.frame
        spot = {6: at + 16, 17: at + 6}.get(protocol)
        if spot is None or not first or len(frame) < spot + 2:
            return
        ports = frame[at : at + 2], frame[at + 2 : at + 4]
        ends = sorted([(source, ports[0]), (target, ports[1])])
        self.flow = (protocol, *ends[0], *ends[1])
        if protocol == 6 or frame[spot : spot + 2] != b"\0\0":
            self.sums.append(spot)

    def copy(self, number):
        if number == 0 or not self.words:
            return self.frame
        frame = bytearray(self.frame)
        old, new = [], []
        for spot in self.words:
            word = frame[spot] << 8 | frame[spot + 1]
            moved = word & 0xFF00 | (word + number) & 0xFF
            old.append(word)
            new.append(moved)
            frame[spot + 1] = moved & 0xFF
        for spot in self.sums:
            sum_ = corrected(frame[spot] << 8 | frame[spot + 1], old, new)
            frame[spot], frame[spot + 1] = sum_ >> 8, sum_ & 0xFF
        return bytes(frame)


def chosen(folders, least_mean):
    paths = sorted(os.path.join(top, name) for folder in folders for top, _, names in os.walk(folder) for name in names)
    for path in paths:
        found = frames(path)
        size = sum(len(frame) for _, frame, _ in found)
        whole = all(len(frame) == wire for _, frame, wire in found)
        if 100 <= len(found) and whole and least_mean <= size / len(found) and size <= 4_000_000:
            yield path, [Plan(*frame) for frame in found]


def copies(plans, turn, start):
    first = min(plan.when for plan in plans)
    for plan in plans:
        yield max(0.0, plan.when - first) % SPAN + start, plan, turn


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("-o", "--out", required=True)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--least-mean", type=int, default=300, help="captures with a smaller mean frame stay out")
    options = parser.parse_args()
    sources = list(chosen(options.folders, options.least_mean))
    assert len(sources) >= LEAST_CAPTURES, f"only {len(sources)} captures fit; give more folders"
    one_round = sum(len(plan.frame) + 16 for _, plans in sources for plan in plans)
    rounds = -(-options.bytes // one_round)
    assert rounds <= 250, "too few bytes in the captures: addresses of copies would meet"
    queue = [
        sorted(copies(plans, turn, turn * 7.0 + place * 0.01), key=lambda item: item[0])
        for turn in range(rounds)
        for place, (_, plans) in enumerate(sources)
    ]
    count = size = 0
    flows = set()
    with open(options.out, "wb", buffering=1 << 22) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, ETHERNET))
        for when, plan, turn in heapq.merge(*queue, key=lambda item: item[0]):
            if size + count * 16 >= options.bytes:
                break
            frame = plan.copy(turn)
            micros = round((1_700_000_000 + when) * 1e6)
            out.write(struct.pack("<IIII", micros // 1_000_000, micros % 1_000_000, len(frame), plan.wire))
            out.write(frame)
            count += 1
            size += len(frame)
            if plan.flow:
                flows.add((turn, plan.flow))
    mean = size / count
    print(f"{len(sources)} captures, {rounds} rounds: {count} frames, {len(flows)} TCP and UDP flows, {size} bytes, mean frame {mean:.0f}", file=sys.stderr)
    assert len(flows) >= LEAST_FLOWS, f"{len(flows)} flows"
    assert MEAN_FRAME[0] <= mean <= MEAN_FRAME[1], f"mean frame {mean:.0f}"


if __name__ == "__main__":
    main()
