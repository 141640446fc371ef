#!/usr/bin/env python3
"""Times vigil beside the yardsticks on one capture: medians of interleaved runs, as ratios, with peak memory.

    python3 benches/ratios.py CAPTURE [--vigil target/debug/vigil] [--runs 5] [--memory 2G]

The yardsticks are `openssl dgst -sha256` (the evidence is hashed anyway) and `nfpcapd -r` (flows alone, without dissection, storage in
tables or detection; package nfdump). Each round runs every command once, so that a busy machine is busy for all. Every case is checked
to hold all frames of the capture. Peak memory is that of the process and its children, as the kernel counts it.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def run(command, accepted=(0,)):
    """Wall seconds, CPU seconds, peak bytes."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if child.returncode not in accepted:
        sys.exit(f"{' '.join(command)}: exit code {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def frames_of(case):
    with open(os.path.join(case, "manifest.json")) as file:
        return sum(capture["frames"] for capture in json.load(file)["run"]["evidence"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture")
    parser.add_argument("--vigil", default="target/debug/vigil")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--memory", default="2G")
    options = parser.parse_args()
    if not shutil.which("nfpcapd"):
        sys.exit("nfpcapd is missing; apt-get install nfdump")
    with tempfile.TemporaryDirectory() as work:
        case = os.path.join(work, "case.vigil")
        vigil = [options.vigil, "analyze", options.capture, "--out", case, "--quiet", "--memory", options.memory]
        flows = os.path.join(work, "flows")
        os.mkdir(flows)
        commands = {
            "openssl": (["openssl", "dgst", "-sha256", options.capture], (0,)),
            "nfpcapd": (["nfpcapd", "-r", options.capture, "-w", flows], (0,)),
            "vigil": (vigil, (0, 1)),
            "vigil --hash sha256": (vigil + ["--hash", "sha256"], (0, 1)),
            "vigil --hash blake3": (vigil + ["--hash", "blake3"], (0, 1)),
        }
        subprocess.run(["cat", options.capture], stdout=subprocess.DEVNULL, check=True)
        taken = {name: [] for name in commands}
        counted = set()
        for _ in range(options.runs):
            for name, (command, accepted) in commands.items():
                taken[name].append(run(command, accepted))
                if name.startswith("vigil"):
                    counted.add(frames_of(case))
        assert len(counted) == 1 and min(counted) > 0, f"frames differ: {counted}"
    wall = {name: statistics.median(t[0] for t in times) for name, times in taken.items()}
    print(f"{options.capture}: {os.path.getsize(options.capture) / 1e6:.0f} MB, {min(counted)} frames, medians of {options.runs}")
    for name, times in taken.items():
        cpu = statistics.median(t[1] for t in times)
        peak = max(t[2] for t in times) / 2**20
        against = ", ".join(f"{wall[name] / wall[other]:.2f} x {other}" for other in ("openssl", "nfpcapd") if other != name)
        print(f"{name:20} {wall[name]:7.2f} s  {cpu:6.2f} CPU s  {peak:6.0f} MiB  {against}")


if __name__ == "__main__":
    main()
