# SPDX-License-Identifier: GPL-2.0-only
"""A Debian mirror on the loopback device, and a command that fetches in a process of its own."""

from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path

FETCH = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:2]
from kdebug.context import read
from kdebug.host import apt, lock, ui
from kdebug.source import fetch, kernel_org, trees
trees.TREE_BYTES = 1000
apt.KEYRINGS = (Path(sys.argv[2]),)
kernel_org.KERNEL_ORG = sys.argv[3]
with ui.command(), lock.held(read(), "fetch"):
    print(fetch.ensure(read()).path)
"""


def tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/bash\n" + script)
    (folder / name).chmod(0o755)


class Mirror:
    """A Debian mirror and a kernel.org, with faults to switch on."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.fault = ""
        self.asked: list[tuple[str, str]] = []
        self.stalled = threading.Event()
        self.resume = threading.Event()
        mirror = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                path = Path(self.translate_path(self.path))
                mirror.asked.append((self.path, self.headers.get("Range", "")))
                if not path.is_file():
                    self.send_error(404)
                    return
                data = path.read_bytes()
                start = int(self.headers.get("Range", "bytes=0-")[6:-1])
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.send_header("Content-Length", str(len(data) - start))
                self.send_header("Last-Modified", "Mon, 24 Nov 2025 10:00:00 GMT")
                self.end_headers()
                half = (start + len(data)) // 2
                if path.suffix in (".deb", ".xz") and mirror.fault:
                    if mirror.fault == "altered":
                        data = data[:half] + bytes([data[half] ^ 1]) + data[half + 1:]
                    else:
                        self.wfile.write(data[start:half])
                        self.wfile.flush()
                        if mirror.fault == "stall":
                            mirror.stalled.set()
                            mirror.resume.wait(60)
                        self.close_connection = True
                        return
                self.wfile.write(data[start:])

        handler = functools.partial(Handler, directory=str(top))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        self.resume.set()
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
