#!/usr/bin/env python3
"""How long the dashboard and the API take to answer on a large case, alone and while an analysis runs beside them.

    python3 benches/serve.py VIGIL CASE [--beside CAPTURE] [--rounds 40]

Each request is a new connection. The first view is the overview as a browser gets it, of a server that just began. Nothing but
Python's standard library is needed. Every answer is asserted to be one.
"""
import argparse
import http.client
import statistics
import subprocess
import sys
import tempfile
import time

QUESTIONS = [
    "/api/v1/flows?limit=100",
    "/api/v1/flows?service=dns&limit=100",
    "/api/v1/flows?sort=-resp_bytes&limit=50",
    "/api/v1/flows?either_end=10.0.0.5&limit=100",
    "/api/v1/flows?total=true&id_resp_p=443&limit=1",
    "/api/v1/dns?query.has=example&limit=20",
    "/api/v1/hosts?limit=100",
    "/api/v1/findings?limit=100",
    "/api/v1/case",
    "/api/netstats?limit=50&page=3",
]
PAGES = ["/", "/findings", "/incidents", "/hosts", "/flows", "/rules", "/logs"]


def ask(addr, path):
    began = time.perf_counter()
    connection = http.client.HTTPConnection(addr, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, (path, answer.status)
    return (time.perf_counter() - began) * 1000


def rounds(addr, paths, count):
    times = {path: [ask(addr, path) for _ in range(count)] for path in paths}
    for path, taken in times.items():
        print(f"  {statistics.median(taken):8.1f} ms  most {max(taken):8.1f}  {path}")
    return [one for taken in times.values() for one in taken]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vigil")
    parser.add_argument("case")
    parser.add_argument("--beside", metavar="CAPTURE")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    began = time.perf_counter()
    server = subprocess.Popen([asked.vigil, "serve", asked.case, "--addr", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    beside = None
    try:
        addr = server.stdout.readline().strip().removeprefix("http://").rstrip("/")
        print(f"ready after {time.perf_counter() - began:.2f} s; first view {ask(addr, '/'):.0f} ms")
        print("alone:")
        rounds(addr, PAGES, 5)
        alone = rounds(addr, QUESTIONS, asked.rounds)
        print(f"  median of all {statistics.median(alone):.1f} ms")
        if asked.beside:
            with tempfile.TemporaryDirectory() as folder:
                beside = subprocess.Popen([asked.vigil, "analyze", asked.beside, "--out", f"{folder}/x.vigil", "--quiet"])
                time.sleep(1)
                print("while an analysis runs:")
                taken = rounds(addr, QUESTIONS, asked.rounds)
                print(f"  median of all {statistics.median(taken):.1f} ms; the analysis {'still runs' if beside.poll() is None else 'has ended'}")
                beside.kill()
                beside.wait()
    finally:
        server.kill()
        if beside:
            beside.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
