#!/usr/bin/env python3
"""Takes the pictures of the documentation, and any other picture of a page, with headless Chromium.

    python3 scripts/pictures.py VIGIL                         docs/pictures/*.png, of the demo's case
    python3 scripts/pictures.py --page URL FILE [--width 390] [--dark] [--height 900 | --whole] [--run SCRIPT]

The browser is told what to do over pipes (Chrome's DevTools protocol, one JSON message after another, each ended by a zero), so that
nothing but Python and Chromium is needed. It may reach this machine alone. What a page says on its console is told on standard error.
"""
import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
         "--hide-scrollbars", "--remote-debugging-pipe", "--force-color-profile=srgb", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


class Browser:
    """Chromium with one page."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        theirs_in, self.out = os.pipe()
        self.back, theirs_out = os.pipe()
        # Chromium reads from descriptor 3 and writes to descriptor 4, whatever numbers the pipes have here.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        command = ["bash", "-c", shell, "bash", "chromium", *FLAGS, f"--user-data-dir={self.folder.name}"]
        self.child = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.number, self.rest, self.session, self.complaints = 0, b"", None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 20)
            if not more:
                sys.exit("the browser ended")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, **params):
        self.number += 1
        asked = {"id": self.number, "method": method, "params": params}
        if self.session:
            asked["sessionId"] = self.session
        os.write(self.out, json.dumps(asked).encode() + b"\0")
        while True:
            said = self.message()
            if said.get("id") == self.number:
                if "error" in said:
                    sys.exit(f"{method}: {said['error']}")
                return said["result"]
            self.hear(said)

    def hear(self, said):
        method, params = said.get("method"), said.get("params", {})
        if method == "Log.entryAdded":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"].get("exception", {}).get("description")))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str([one.get("value") for one in params["args"]]))

    def eval(self, script):
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def go(self, url):
        self.ask("Page.navigate", url=url)
        for _ in range(600):
            if self.eval("document.readyState === 'complete' && location.href !== 'about:blank'"):
                return
            time.sleep(0.05)
        sys.exit(f"{url}: not loaded after 30 s")

    def look(self, width, height, dark):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, file, whole=False):
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        asked = {"format": "png"}
        if whole:
            asked |= {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        Path(file).write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", **asked)["data"]))

    def close(self):
        self.child.kill()
        self.child.wait()


def documentation(vigil):
    """The demo, analysed and served anew: the pictures show what a reader gets."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([vigil, "demo"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
        case = f"{folder}/vigil-demo/demo.vigil"
        server = subprocess.Popen([vigil, "serve", case, "--addr", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        browser = Browser()
        try:
            addr = server.stdout.readline().strip().rstrip("/")
            for path, name, width, height in (("/", "dashboard.png", 1440, 1165), ("/report", "report.png", 1200, 1150)):
                browser.look(width, height, dark=False)
                browser.go(addr + path)
                time.sleep(0.5)
                browser.picture(PICTURES / name)
                print(f"{PICTURES / name}: {(PICTURES / name).stat().st_size:,} bytes")
        finally:
            server.kill()
            browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vigil", nargs="?")
    parser.add_argument("--page", nargs=2, metavar=("URL", "FILE"))
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=1000)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--whole", action="store_true", help="the page to its end")
    parser.add_argument("--run", default="", metavar="SCRIPT", help="JavaScript to run before; its value is printed")
    asked = parser.parse_args()
    if asked.vigil:
        return documentation(Path(asked.vigil).resolve())
    if not asked.page:
        parser.error("name the program, or a page")
    browser = Browser()
    try:
        browser.look(asked.width, asked.height, asked.dark)
        browser.go(asked.page[0])
        if asked.run:
            print(browser.eval(asked.run))
            time.sleep(0.5)
        time.sleep(0.3)
        browser.picture(asked.page[1], asked.whole)
        for complaint in browser.complaints:
            print(complaint, file=sys.stderr)
    finally:
        browser.close()


if __name__ == "__main__":
    main()
