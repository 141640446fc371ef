#!/usr/bin/env python3
"""A week of traffic through `vigil live`, in time-lapse: memory, the time of a check, disk and opening must not grow with the age of the case.

    python3 benches/soak.py [--hours 168] [--keep 24] [--vigil target/debug/vigil] [--capture HOUR.pcap] [--speed max]

An hour of ordinary traffic with one break-in (`vigil demo`, or --capture, a classic pcap) is repeated with shifted times and given to
`vigil live --read -`. Memory is looked at every second; the longest check of each segment is in the table system_logs; the disk is looked at
every second too. At the end the case is opened by `vigil sql`. Each promise is asserted; figures are printed as Markdown.
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

HOUR = 3_600


def hour_of(vigil, capture, work):
    """The header and packets of a classic little-endian pcap: [(seconds, rest of the record)]."""
    if capture is None:
        subprocess.run([vigil, "demo", "--capture-only", "--out", os.path.join(work, "demo")], check=False, stdout=subprocess.DEVNULL)
        found = [os.path.join(root, name) for root, _, names in os.walk(work) for name in names if name.endswith(".pcap")]
        if not found:
            sys.exit("vigil demo wrote no capture")
        capture = found[0]
    data = open(capture, "rb").read()
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        sys.exit(f"{capture}: a classic little-endian pcap is wanted")
    packets, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, caplen, wire = struct.unpack_from("<IIII", data, at)
        packets.append((seconds, struct.pack("<III", fraction, caplen, wire) + data[at + 16 : at + 16 + caplen]))
        at += 16 + caplen
    return data[:24], packets


def feed(pipe, header, packets, hours, pace):
    first = packets[0][0]
    inside = [(seconds - first, rest) for seconds, rest in packets if seconds - first < HOUR]
    begin = first - first % HOUR
    try:
        pipe.write(header)
        for hour in range(hours):
            base = begin + hour * HOUR
            pipe.write(b"".join(struct.pack("<I", base + seconds) + rest for seconds, rest in inside))
            time.sleep(pace)
        pipe.close()
    except BrokenPipeError:
        pass
    return len(inside)


def resident(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return None


def size_of(folder):
    sizes, files = 0, 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                sizes += os.path.getsize(os.path.join(root, name))
                files += name.endswith(".duckdb")
            except OSError:
                pass
    return sizes, files


def mib(value):
    return f"{value / (1 << 20):.0f} MiB"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=168)
    parser.add_argument("--keep", type=int, default=24, help="hours")
    parser.add_argument("--vigil", default="target/debug/vigil")
    parser.add_argument("--capture")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between two hours of traffic")
    parser.add_argument("--look-back", default="6h")
    options = parser.parse_args()
    vigil = os.path.abspath(options.vigil)
    with tempfile.TemporaryDirectory() as work:
        header, packets = hour_of(vigil, options.capture, work)
        case = os.path.join(work, "week.vigil")
        command = [vigil, "live", "--read", "-", "--out", case, "--keep", f"{options.keep}h", "--look-back", options.look_back, "--quiet"]
        began = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        sender = threading.Thread(target=feed, args=(child.stdin, header, packets, options.hours, options.pace))
        sender.start()
        memory, disk, files = [], [], []
        while child.poll() is None:
            now = resident(child.pid)
            if now:
                memory.append(now)
            size, count = size_of(case)
            disk.append(size)
            files.append(count)
            time.sleep(1)
        sender.join()
        took = time.monotonic() - began
        assert child.returncode in (0, 1), f"exit code {child.returncode}"

        def ask(query):
            began = time.monotonic()
            run = subprocess.Popen([vigil, "sql", case, query, "--json"], stdout=subprocess.PIPE)
            out = run.stdout.read()
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
            assert run.returncode == 0, query
            return [json.loads(line) for line in out.splitlines()], time.monotonic() - began, usage.ru_maxrss * 1024

        sql = "SELECT message FROM system_logs WHERE source = 'live' AND message LIKE 'the longest check%'"
        checks = [float(row["message"].split()[-2]) for row in ask(sql)[0]]
        kept, opened, opened_memory = ask("SELECT count(*) AS flows, (max(ts_ns) - min(ts_ns)) / 3.6e12 AS hours FROM flows")
        part = lambda values, number: statistics.median(values[len(values) * number // 4 : len(values) * (number + 1) // 4] or values)
        flows_an_hour = kept[0]["flows"] / kept[0]["hours"]
        print(f"| {options.hours} h of traffic, {len(packets)} packets and {flows_an_hour:.0f} flows an hour, {options.keep} h kept | |")
        print("| --- | --- |")
        print(f"| took | {took:.0f} s |")
        print(f"| memory, second and last quarter (medians), peak | {mib(part(memory, 1))}, {mib(part(memory, 3))}, {mib(max(memory))} |")
        print(f"| longest check of a segment, first and last quarter of those kept | {part(checks, 0):.2f} s, {part(checks, 3):.2f} s |")
        print(f"| disk, second and last quarter (medians), peak | {mib(part(disk, 1))}, {mib(part(disk, 3))}, {mib(max(disk))} |")
        print(f"| segments at most, at the end | {max(files)}, {files[-1]} |")
        print(f"| hours in the case at the end | {kept[0]['hours']:.1f} |")
        print(f"| opened and asked by vigil sql | {opened:.2f} s, {mib(opened_memory)} |")
        assert part(memory, 3) <= part(memory, 1) * 1.25 + (32 << 20), "memory grows"
        assert part(checks, 3) <= part(checks, 0) * 2 + 0.2, "checks take longer and longer"
        assert max(files) <= 36, "segments are not merged"
        assert options.hours < 2 * options.keep or kept[0]["hours"] <= options.keep * 1.13 + 2, "old segments are not deleted"
        assert part(disk, 3) <= part(disk, 1) * 1.3 + (8 << 20), "disk grows"
        assert opened < 10 and opened_memory < 400 << 20, "the case is slow to open"
    print("\nall promises kept")


if __name__ == "__main__":
    main()
