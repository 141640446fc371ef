#!/usr/bin/env python3
"""Makes src/model/oui.zst, the vendors of hardware addresses, from the public registry of the IEEE.

    scripts/oui.py DATE SOURCE...

DATE is the day on which the lists were fetched. Sources are IEEE's own lists (https://standards-oui.ieee.org: oui.csv, mam.csv,
oui36.csv, iab.csv; Debian's package `ieee-data` has them too), or the JSON of the npm package `oui-data`, which holds the first three.
Where several tell of one prefix, the last counts. Needs the program `zstd`.
"""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "model" / "oui.zst"
# Beyond this a name says no more.
LONGEST = 64


def entries(path):
    """Prefixes in hex with the names of their holders."""
    if path.suffix == ".json":
        for prefix, text in json.loads(path.read_text(encoding="utf-8")).items():
            yield prefix, text.split("\n")[0]
    else:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield row["Assignment"], row["Organization Name"]


def plain(name):
    """One line without control characters, of bounded length."""
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip()[:LONGEST].strip()


def main():
    if len(sys.argv) < 3 or not re.fullmatch(r"\d{4}-\d\d-\d\d", sys.argv[1]):
        sys.exit(__doc__)
    date, sources = sys.argv[1], [Path(name) for name in sys.argv[2:]]
    known = {}
    for source in sources:
        for prefix, name in entries(source):
            if re.fullmatch(r"[0-9A-Fa-f]{6}|[0-9A-Fa-f]{7}|[0-9A-Fa-f]{9}", prefix) and plain(name):
                known[prefix.lower()] = plain(name)
    # What IEEE handed on in parts has the parts' holders.
    lines = [f"{date}\n"] + [f"{prefix}\t{name}\n" for prefix, name in sorted(known.items()) if name != "IEEE Registration Authority"]
    done = subprocess.run(["zstd", "-q", "--ultra", "-22", "--stdout"], input="".join(lines).encode(), stdout=subprocess.PIPE, check=True)
    TARGET.write_bytes(done.stdout)
    print(f"{TARGET.name}: {len(lines) - 1} prefixes of {date}, {len(done.stdout)} bytes")


if __name__ == "__main__":
    main()
