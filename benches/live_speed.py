#!/usr/bin/env python3
"""How fast `vigil live` can be fed before it drops, beside `tcpdump -w /dev/null` on the same cable in the same run. Needs root.

    python3 benches/live_speed.py CAPTURE [--vigil target/debug/vigil] [--loop 5] [--buffer 64M]

Two network namespaces are joined by a veth cable. tcpreplay (package tcpreplay) sends an Ethernet capture as fast as it can, then at half of the
rate that it reached. Asserted: frames seen and dropped add up to those sent, and at half speed nothing is dropped.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

A, B = f"vigil-speed-{os.getpid()}-a", f"vigil-speed-{os.getpid()}-b"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def lay():
    ip("netns", "add", A)
    ip("netns", "add", B)
    ip("-n", A, "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", B)
    for name in (A, B):
        ip("-n", name, "link", "set", "v0", "addrgenmode", "none")
        ip("-n", name, "link", "set", "v0", "mtu", "9000", "up")


def clear():
    for name in (A, B):
        subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


def inside(name, command, **more):
    return subprocess.Popen(["ip", "netns", "exec", name, *command], **more)


def ended(child):
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=300)
    return (out or b"") + (err or b"")


def replay(options, case, speed):
    """Sends; returns packets sent, rate in Mbit/s and packets/s, and what tcpdump and vigil saw and dropped."""
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    tcpdump = inside(B, ["tcpdump", "-i", "v0", "-w", "/dev/null", "-B", "65536"], **pipes)
    live = ["live", "v0", "--out", case, "--quiet", "--no-programs", "--buffer", options.buffer]
    vigil = inside(B, [options.vigil, *live], **pipes)
    while not os.path.exists(os.path.join(case, "segments/00000001.duckdb")):
        assert vigil.poll() is None, vigil.communicate()
        time.sleep(0.1)
    time.sleep(1)
    sender = inside(A, ["tcpreplay", "-i", "v0", "-K", f"--loop={options.loop}", *speed, options.capture], **pipes)
    out = b"".join(sender.communicate()).decode()
    sent = int(re.search(r"Successful packets:\s+(\d+)", out).group(1))
    rated = re.search(r"Rated: [\d.]+ Bps, ([\d.]+) Mbps, ([\d.]+) pps", out)
    time.sleep(2)
    said = ended(tcpdump).decode()
    captured, dropped = (int(re.search(rf"(\d+) packets? {what}", said).group(1)) for what in ("captured", "dropped by kernel"))
    ended(vigil)
    asked = "SELECT sum(frames)::BIGINT AS frames, coalesce(sum(reported_drops), 0)::BIGINT AS drops FROM captures"
    row = json.loads(subprocess.run([options.vigil, "sql", case, asked, "--json"], check=True, capture_output=True).stdout)
    shutil.rmtree(case)
    return dict(sent=sent, mbps=float(rated.group(1)), pps=float(rated.group(2)), tcpdump=(captured, dropped), vigil=(row["frames"], row["drops"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture")
    parser.add_argument("--vigil", default="target/debug/vigil")
    parser.add_argument("--loop", type=int, default=5)
    parser.add_argument("--buffer", default="64M")
    options = parser.parse_args()
    options.vigil = os.path.abspath(options.vigil)
    for tool in ("tcpreplay", "tcpdump"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing; apt-get install {tool}")
    if os.geteuid() != 0:
        sys.exit("network namespaces need root")
    with tempfile.TemporaryDirectory() as work:
        try:
            lay()
            case = os.path.join(work, "speed.vigil")
            full = replay(options, case, ["--topspeed"])
            half = replay(options, case, [f"--mbps={full['mbps'] / 2:.2f}"])
        finally:
            clear()
    print("| sent at | packets | Mbit/s | packets/s | tcpdump saw / dropped | vigil saw / dropped |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, run in (("full speed", full), ("half of it", half)):
        saw = lambda who: f"{run[who][0]} / {run[who][1]}"
        print(f"| {name} | {run['sent']} | {run['mbps']:.0f} | {run['pps']:.0f} | {saw('tcpdump')} | {saw('vigil')} |")
        assert sum(run["vigil"]) == run["sent"], f"{name}: frames seen and dropped are not those sent"
    assert half["vigil"][1] == 0, "frames were dropped at half speed"


if __name__ == "__main__":
    main()
